"""Events, pictures and datasets leave a recording as they went in."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import BadInput, EventSpace, MissingExtra, Recording, RecordingError, load_agent, read_events
from neuroloop.recording.export import KINDS, export
from neuroloop.recording.exporting import tables
from neuroloop.recording.recover import recover

from .conftest import AnyPlant, record

SEEN = spaces.Dict(camera=EventSpace(32, 24), view=spaces.Box(0, 255, (24, 32, 3), np.uint8), text=spaces.Text(4))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "seen.mcap"
    record(load_agent("random", AnyPlant(SEEN)), path, 12)
    return path


def test_events_become_an_event_file(seen: Path) -> None:
    pytest.importorskip("dv_processing")
    found = read_events(export(seen, "aedat4"))
    true = np.concatenate([np.asarray(packet) for packet in Recording(seen).events()])
    assert np.array_equal(found[["x", "y", "p"]], true[["x", "y", "p"]])
    assert (np.diff(found["t_us"]) >= 0).all()


def test_pictures_become_a_film(seen: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    with image.open(export(seen, "gif")) as film:
        assert film.n_frames >= 6
        assert film.size == (32 * 6, 24 * 6)


def test_an_archive_says_where_the_events_of_each_tick_begin(seen: Path) -> None:
    with pytest.warns(UserWarning, match="observation/text have no fixed size"):
        path = export(seen, "npz")
    packets = [np.asarray(packet) for packet in Recording(seen).events()]
    with np.load(path) as arrays:
        begin = arrays["observation/camera/begin"]
        assert np.array_equal(arrays["observation/camera"][begin[3] : begin[4]], packets[3])
        assert arrays["observation/view"].shape == (12, 24, 32, 3)


def test_parquet_holds_a_row_a_tick(seen: Path, cartpole: Recording, tmp_path: Path) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(export(seen, "parquet"))
    ticks = list(Recording(seen).ticks())
    assert table["observation/view"][5].as_py() == ticks[5].tick.observation["view"].tobytes()
    events = table["observation/camera"][5].as_py()
    assert [event["x"] for event in events] == ticks[5].tick.observation["camera"]["x"].tolist()
    table = parquet.read_table(export(cartpole.path, "parquet", tmp_path / "x.parquet"))
    assert table["value"].to_pylist() == cartpole.column("value").tolist()
    assert table["spikes/critic"][9].as_py() == list(cartpole.ticks())[9].spikes["critic"].ravel().tolist()


def test_minari_finds_the_dataset(cartpole: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minari: Any = pytest.importorskip("minari")
    folder = export(cartpole.path, "minari", tmp_path / "datasets")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    dataset = minari.load_dataset("CartPole/cartpole-v0")
    assert dataset.total_steps == 300
    first = next(iter(dataset.iterate_episodes()))
    ticks = [one.tick for one in cartpole.ticks() if one.tick.episode == 0]
    assert np.array_equal(first.observations[:-1], np.stack([tick.observation for tick in ticks]))
    assert ticks[-1].outcome is not None
    assert np.array_equal(first.observations[-1], ticks[-1].outcome.observation)
    assert bool(first.terminations[-1]) == ticks[-1].outcome.terminated


def test_a_film_in_mp4(seen: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    assert b"ftyp" in export(seen, "mp4").read_bytes()[:16]


@pytest.mark.parametrize(("kind", "module"), [("parquet", "pyarrow"), ("minari", "minari"), ("mp4", "imageio_ffmpeg")])
def test_a_missing_library_is_named_with_its_extra(
    kind: str, module: str, cartpole: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install"):
        export(cartpole.path, kind, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_kinds_that_there_are_not_are_refused(cartpole: Recording) -> None:
    with pytest.raises(RecordingError, match="did you mean 'npz'"):
        export(cartpole.path, "npy")
    assert len(KINDS) == 7
    with pytest.raises(BadInput, match="no such file"):
        export("nothing.mcap", "csv")


def test_an_archive_that_memory_would_not_hold_is_refused(
    seen: Path, cartpole: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events and spikes count too, and all arrays together."""
    events = sum(np.asarray(packet).nbytes for packet in Recording(seen).events())
    columns = sum(cartpole.column(name).nbytes for name in cartpole.columns)
    spikes = sum(raster.nbytes for one in cartpole.ticks() for raster in one.spikes.values())
    for path, most in ((seen, events), (cartpole.path, columns + spikes)):
        monkeypatch.setattr(tables, "MOST_BYTES", most)
        with pytest.raises(RecordingError, match=f"more than {most} bytes as arrays; export to parquet"):
            export(path, "npz", tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_a_disk_without_links_takes_exports_and_recovered_files(
    cartpole: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / ".a.npz.abcdefgh.unfinished").mkdir()  # of one that was killed
    assert export(cartpole.path, "npz", tmp_path / "a.npz").stat().st_size
    assert recover(cartpole.path, tmp_path / "a.mcap").ticks == 300
    with pytest.raises(RecordingError, match="is there already"):
        recover(cartpole.path, tmp_path / "a.mcap")
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "a.mcap"}
