"""Files that were cut off, changed, or never were recordings: a clear error with what can be read, never a wrong number."""

from __future__ import annotations

import contextlib
import random
import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Channel
from mcap.records import Message as MessageRecord
from mcap.writer import Writer

from neuroloop import BadInput, Recording, RecordingError
from neuroloop.recording.channels import META
from neuroloop.recording.checksum import checksum
from neuroloop.recording.columns import columns_of
from neuroloop.recording.recover import recover
from neuroloop.recording.scan import MAGIC, records

CASES = 150  # for each way of damage


def seen(path: Path) -> tuple[list[str], str, Recording]:
    """Ticks that can be read, and what is said then."""
    recording, ticks = Recording(path), []
    try:
        ticks += map(repr, recording.ticks())
    except RecordingError as error:
        return ticks, str(error), recording
    return ticks, "", recording


def flip(raw: bytearray, rng: random.Random) -> None:
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)


def overwrite(raw: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randrange(1, 20)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)


def shift(raw: bytearray, rng: random.Random) -> None:
    place, n = rng.randrange(len(raw)), rng.randrange(1, 200)
    if rng.random() < 0.5:
        del raw[place : place + n]
    else:
        raw[place:place] = rng.randbytes(n)


def cut(raw: bytearray, rng: random.Random) -> None:
    del raw[rng.randrange(len(raw)) :]


@pytest.mark.parametrize("damage", [flip, overwrite, shift, cut])
def test_nothing_that_is_read_of_a_damaged_file_is_wrong(damage: Any, small: Path, tmp_path: Path) -> None:
    raw, rng, path = small.read_bytes(), random.Random(damage.__name__), tmp_path / "damaged.mcap"
    true, meta = seen(small)[0], Recording(small).meta
    assert len(true) == 20
    refused = short = 0
    for _ in range(CASES):
        changed = bytearray(raw)
        damage(changed, rng)
        path.write_bytes(changed)
        try:
            ticks, error, recording = seen(path)
        except RecordingError:
            refused += 1
            continue
        assert recording.meta == meta
        known = max(len(ticks) - 1, 0)  # the last one may not know what it led to
        assert ticks[:known] == true[:known]
        if error:
            assert f"readable up to tick {len(ticks) - 1}" in error or "no tick can be read" in error
        elif len(ticks) < len(true):
            assert damage is not flip  # others can make a file look as if it was cut off
            assert not recording.complete
        short += len(ticks) < len(true)
        for read in (lambda r=recording: r.column("reward"), lambda r=recording: r.start):
            with contextlib.suppress(RecordingError):
                read()
    assert refused or damage is flip  # most of what stands at the beginning is there twice
    assert short


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_what_was_cut_off_becomes_whole_again(share: float, cartpole: Recording, tmp_path: Path) -> None:
    raw = cartpole.path.read_bytes()
    (tmp_path / "cut.mcap").write_bytes(raw[: int(share * len(raw))])
    ticks, _, recording = seen(tmp_path / "cut.mcap")
    assert not recording.complete
    found = recover(tmp_path / "cut.mcap")
    assert found.path == tmp_path / "cut.recovered.mcap"
    assert (found.ticks, found.first_tick, found.gaps, found.cut_off) == (len(ticks), 0, 0, True)
    assert seen(found.path)[0] == ticks
    assert Recording(found.path).start == cartpole.start
    with found.path.open("rb") as file:
        reader = make_reader(file)
        assert sum(1 for _ in reader.iter_messages(topics=["/tick"])) == len(ticks)
    with pytest.raises(RecordingError, match="is there already"):
        recover(tmp_path / "cut.mcap")


def test_a_damaged_part_in_the_middle_costs_its_own_ticks_only(cartpole: Recording, tmp_path: Path) -> None:
    raw = bytearray(cartpole.path.read_bytes())
    with cartpole.path.open("rb") as file:
        chunks = [record for record in records(file, len(raw)) if record.opcode == Opcode.CHUNK]
    assert len(chunks) > 2
    raw[chunks[1].place + chunks[1].size // 2] ^= 1
    (tmp_path / "hurt.mcap").write_bytes(raw)
    ticks, error, _ = seen(tmp_path / "hurt.mcap")
    assert "the chunk there is damaged" in error
    assert f"readable up to tick {len(ticks) - 1}" in error
    found = recover(tmp_path / "hurt.mcap", tmp_path / "whole.mcap")
    assert found.lost_chunks == 1
    assert found.last_tick == 299
    assert found.ticks + found.gaps == 300
    assert Recording(found.path).digest is None


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    with pytest.raises(BadInput, match="no such file"):
        Recording(path)
    with pytest.raises(RecordingError, match="is not a file"):
        Recording(tmp_path)
    for content in (b"", b"PK\3\4", b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(RecordingError, match="is not an MCAP file"):
            Recording(path)
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(library="somebody else")
        writer.add_message(writer.register_channel("/x", "json", 0), 0, b"{}", 0)
        writer.finish()
    with pytest.raises(RecordingError, match="was not recorded by neuroloop"):
        Recording(path)


def forged(path: Path, facts: dict[str, str]) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        writer.add_metadata(META, facts | {"crc32": str(checksum(facts))})
        writer.add_message(writer.register_channel("/tick", "cdr", 0), 0, b"{}", 0)
        writer.finish()
    return path


def test_another_version_and_missing_facts_or_channels_are_named(small: Path, tmp_path: Path) -> None:
    meta = {name: text for name, text in Recording(small).meta.items() if name != "crc32"}
    with pytest.raises(RecordingError, match=r"has the format '2'; this version reads 1"):
        Recording(forged(tmp_path / "a.mcap", meta | {"format": "2"}))
    with pytest.raises(RecordingError, match="does not say what its values are"):
        Recording(forged(tmp_path / "b.mcap", {"format": "1"}))
    with pytest.raises(RecordingError, match="has no channel /action, /observation, /reward; no tick can be read"):
        list(Recording(forged(tmp_path / "c.mcap", meta)).ticks())


def test_a_chunk_that_would_unpack_to_very_much_is_refused_without_unpacking_it(small: Path, tmp_path: Path) -> None:
    bomb = zstandard.compress(b"\0" * (1 << 28))
    for said in (1 << 28, 1 << 60):
        body = struct.pack("<QQQI", 0, 0, said, zlib.crc32(b"")) + struct.pack("<I", 4) + b"zstd"
        body += struct.pack("<Q", len(bomb)) + bomb
        raw = small.read_bytes()
        place = _first_chunk(raw)
        path = tmp_path / "bomb.mcap"
        path.write_bytes(raw[:place] + struct.pack("<BQ", 6, len(body)) + body)
        recording = Recording(path)
        tracemalloc.start()
        with pytest.raises(RecordingError):
            list(recording.ticks())
        assert tracemalloc.get_traced_memory()[1] < (1 << 28) + (1 << 24)
        tracemalloc.stop()


def _first_chunk(raw: bytes) -> int:
    stream, place = BytesIO(raw), len(MAGIC)
    while True:
        stream.seek(place)
        opcode, length = struct.unpack("<BQ", stream.read(9))
        if opcode == 6:
            return place
        place += 9 + length


def chunks_of(path: Path) -> list[Any]:
    with path.open("rb") as file:
        return [record for record in records(file, path.stat().st_size) if record.opcode == Opcode.CHUNK]


def hurt(source: Path, target: Path, place: int) -> Path:
    raw = bytearray(source.read_bytes())
    raw[place] ^= 1
    target.write_bytes(raw)
    return target


@pytest.mark.parametrize("share", [1.0, 0.8])
@pytest.mark.parametrize("where", ["content", "length", "opcode"])
@pytest.mark.parametrize("k", [0, 1])
def test_a_wrong_byte_costs_one_part_wherever_it_is(
    k: int, where: str, share: float, cartpole: Recording, tmp_path: Path
) -> None:
    """Be it in the chunk that declares all channels, or where a reader would learn how long the chunk is."""
    chunk = chunks_of(cartpole.path)[k]
    place = {"content": chunk.place + chunk.size // 2, "length": chunk.place - 7, "opcode": chunk.place - 9}[where]
    path = hurt(cartpole.path, tmp_path / "hurt.mcap", place)
    path.write_bytes(path.read_bytes()[: int(share * cartpole.path.stat().st_size)])
    found, true = recover(path), seen(cartpole.path)[0]
    assert found.unknown == 0
    assert found.lost_chunks == 1 if where == "content" else found.lost_chunks <= 1  # its bytes may be whole
    ticks = seen(found.path)[0]
    assert len(ticks) == found.ticks > 100
    assert len(set(ticks) - set(true)) <= 2  # before a gap, and at the end, a tick does not know what it led to
    assert found.cut_off == (share < 1.0)


def test_channels_of_an_older_file_are_those_of_its_index(cartpole: Recording, tmp_path: Path) -> None:
    """It has no second copy of its facts, which tells of channels."""
    committed = Path(__file__).parent.parent.parent / "recordings" / "worlds" / "cartpole.mcap"
    older = cartpole.path if "neuroloop.again" in str(committed.read_bytes()) else committed
    raw = older.read_bytes()
    (tmp_path / "old.mcap").write_bytes(raw.replace(b"neuroloop.again", b"neuroloop.AGAIN"))
    assert Recording(tmp_path / "old.mcap").declared == ""
    chunk = chunks_of(older)[0]
    path = hurt(tmp_path / "old.mcap", tmp_path / "hurt.mcap", chunk.place + chunk.size // 2)
    found = recover(path)
    assert found.ticks > 100
    assert found.lost_chunks == 1
    assert Recording(found.path).declared


def test_facts_are_there_twice(cartpole: Recording, tmp_path: Path) -> None:
    """Any byte of them may be wrong."""
    raw = cartpole.path.read_bytes()
    first = raw.index(b"neuroloop", 60) - 13
    again = raw.index(b"neuroloop.again")
    for place in (first, first + 1, first + 5, first + 40, first + 400, again - 5, again + 60):
        path = hurt(cartpole.path, tmp_path / f"{place}.mcap", place)
        recording = Recording(path)
        assert recording.meta == cartpole.meta
        assert recording.start == cartpole.start
        found = recover(path)
        assert (found.ticks, found.lost_chunks, found.cut_off, found.start) == (300, 0, False, True)
        assert seen(found.path)[0] == seen(cartpole.path)[0]
        assert Recording(found.path).digest == cartpole.digest


def test_columns_hold_the_ticks_that_can_be_read_and_no_other(cartpole: Recording, tmp_path: Path) -> None:
    raw, rng, path = cartpole.path.read_bytes(), random.Random(3), tmp_path / "cut.mcap"
    assert cartpole.column("seq").tolist() == [one.seq for one in cartpole.ticks()]
    for _ in range(8):
        path.write_bytes(raw[: rng.randrange(len(raw) // 2, len(raw))])
        recording = Recording(path)
        ticks = list(recording.ticks())
        assert recording.column("seq").tolist() == [one.seq for one in ticks]
        assert recording.column("value").tolist() == [one.numbers["value"] for one in ticks]


def test_columns_keep_nothing_of_the_chunks_that_they_come_from() -> None:
    big, numbers = 1 << 16, struct.pack("<8d", *range(8))
    head = b"\0\1\0\0" + struct.pack("<III", 0, 0, 8) + bytes(4)

    def chunk(n: int) -> memoryview:
        builder = RecordBuilder()
        Channel(id=1, topic="/tick", message_encoding="cdr", metadata={}, schema_id=0).write(builder)
        Channel(id=2, topic="/observation", message_encoding="cdr", metadata={}, schema_id=0).write(builder)
        Channel(id=3, topic="/reward", message_encoding="cdr", metadata={}, schema_id=0).write(builder)
        few = b"\0\1\0\0" + struct.pack("<III", 0, 0, 2) + bytes(20)
        for channel, data in enumerate((head + numbers, bytes(big), few), 1):
            MessageRecord(channel_id=channel, log_time=n, data=data, publish_time=n, sequence=0).write(builder)
        return memoryview(builder.end())

    needed = frozenset(("/tick", "/reward", "/observation"))
    tracemalloc.start()
    columns = columns_of((chunk(n) for n in range(200)), (), needed)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert columns.ticks["seq"].size == 200
    assert most < 20 * big
