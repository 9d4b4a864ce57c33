"""Readers that know nothing of neuroloop find what `docs/recording-format.md` promises them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from mcap.reader import make_reader

from neuroloop import Recording, load_agent
from neuroloop.recording import cdr, raw_image
from neuroloop.recording.raw_image import RawImage

from .conftest import AnyPlant, record


def test_the_stock_reader_reads_every_channel(cartpole: Recording) -> None:
    with cartpole.path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.attachment_count == 1
        topics = {channel.topic: channel for channel in summary.channels.values()}
        assert {"/tick", "/reward", "/numbers", "/observation", "/action", "/spikes/critic", "/rates"} <= topics.keys()
        assert topics["/numbers"].metadata["columns"].split(",")[0] == "value"
        values = [
            struct.unpack_from("<d", message.data, 20)[0] for _, _, message in reader.iter_messages(topics=["/numbers"])
        ]
        assert values == cartpole.column("value").tolist()
        assert {record.name for record in reader.iter_metadata()} == {"neuroloop", "neuroloop.again", "neuroloop.end"}
        assert next(reader.iter_attachments()).data == cartpole.start


def test_pictures_are_what_protocol_buffers_say_they_are() -> None:
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    files = descriptor_pb2.FileDescriptorSet.FromString(raw_image.schema())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    kind: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName(raw_image.NAME))
    pixels = np.arange(3 * 5 * 7, dtype=np.uint8)
    raw = raw_image.encode(RawImage("rgb8", 5, 7, pixels.tobytes()), 1_234_567_890_123_456_789)
    read = kind.FromString(raw)
    assert (read.encoding, read.height, read.width, read.step) == ("rgb8", 5, 7, 21)
    assert (read.timestamp.seconds, read.timestamp.nanos) == (1_234_567_890, 123_456_789)
    assert read.data == pixels.tobytes()
    ours = raw_image.decode(memoryview(read.SerializeToString()))
    assert (ours.encoding, ours.height, ours.width, bytes(ours.data)) == ("rgb8", 5, 7, pixels.tobytes())


@pytest.mark.parametrize("code", cdr.NAMES)
@pytest.mark.parametrize("label", ["", "f4", "float64x"])
def test_arrays_are_aligned_as_cdr_wants_it(code: str, label: str) -> None:
    values = np.arange(5).astype(f"<{code}")
    message = cdr.prefix(code, 5, label) + values.tobytes()
    assert (len(message) - 4 - values.nbytes) % values.itemsize == 0
    read, named = cdr.decode(memoryview(message), code)
    assert read.tolist() == values.tolist()
    assert named == label
    for end in range(len(message)):
        with pytest.raises(ValueError):  # noqa: PT011
            cdr.decode(memoryview(message)[:end], code)


def test_rerun_shows_pictures_and_plots(tmp_path: Path) -> None:
    rerun = shutil.which("rerun")
    if rerun is None:
        pytest.skip("needs rerun-sdk")
    space = spaces.Dict(view=spaces.Box(0, 255, (24, 32, 3), np.uint8), speed=spaces.Box(-1, 1, (2,)))
    record(load_agent("random", AnyPlant(space)), tmp_path / "run.mcap", 12)
    subprocess.run(
        [rerun, "mcap", "convert", "run.mcap", "-o", "run.rrd"], cwd=tmp_path, check=True, capture_output=True
    )
    shown = subprocess.run(
        [rerun, "rrd", "print", "-v", "run.rrd"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "/observation/view@Image:buffer" in shown.stdout
    for topic in ("/observation/speed", "/reward", "/tick", "/action"):
        assert f"{topic}@Scalars:scalars" in shown.stdout
