"""A damaged file gives what is readable and says what was lost; it never crashes, hangs or fills the memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop as nl
from neuroloop.sensors.files import Loss
from neuroloop.types import EVENT

DATA = Path(__file__).parents[2] / "references" / "data"


def read(path: Path) -> tuple[Any, Loss | None]:
    """Events and loss; None for events where nothing could be read, with one clear error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            events = nl.read_events(path)
        except nl.BadInput:
            return None, None
    losses = [warning.message.loss for warning in caught if isinstance(warning.message, nl.LostEvents)]
    assert len(losses) <= 1
    return events, losses[0] if losses else None


def test_cut_at_every_byte_the_beginning_is_read(kind: Any, events_of: Callable[..., Any]) -> None:
    events = events_of(30)
    if kind.encoding in ("hdf5", "aedat4"):  # compressed in one piece; several pieces come below
        events = events[:20]
    nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
    whole = kind.path.read_bytes()
    cut = kind.path.with_name(f"cut{kind.path.suffix}")
    step = {"hdf5": 97, "aedat4": 3}.get(kind.encoding, 1)
    sizes = []
    for n in range(0, len(whole), step):
        cut.write_bytes(whole[:n])
        found, loss = read(cut)
        if found is None:
            continue
        sizes.append(found.size)
        assert np.array_equal(found, events[: found.size])
        assert loss is not None or found.size == events.size
        if loss is not None and found.size:
            assert (loss.from_us, loss.until_us) == (int(found["t_us"][-1]), None)
    assert sizes == sorted(sizes)
    if kind.encoding not in ("hdf5", "aedat4"):
        assert set(sizes) >= set(range(events.size))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_of_a_long_file_cut_short_the_part_before_is_read(
    kind: Any, events_of: Callable[..., Any], share: float
) -> None:
    events = events_of(200_000 if kind.encoding != "aedat4" else 40_000)
    nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
    whole = kind.path.read_bytes()
    kind.path.write_bytes(whole[: int(share * len(whole)) | 1])
    found, loss = read(kind.path)
    assert loss is not None
    assert np.array_equal(found, events[: found.size])
    assert found.size / events.size > share - 0.3  # compressed blocks are lost as a whole
    if kind.encoding != "aedat4":
        assert loss.n_events == events.size - found.size


def test_flipped_bits_lose_a_part_at_most(kind: Any, events_of: Callable[..., Any]) -> None:
    rng = np.random.default_rng(7)
    events = events_of(2000)
    nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
    whole = np.frombuffer(kind.path.read_bytes(), np.uint8)
    n_read = 0
    for _ in range(40):
        damaged = whole.copy()
        where = rng.integers(0, whole.size, rng.integers(1, 9))
        damaged[where] ^= np.uint8(1) << rng.integers(0, 8, where.size).astype(np.uint8)
        kind.path.write_bytes(damaged.tobytes())
        found, _loss = read(kind.path)
        if found is None:
            continue
        n_read += 1
        assert found.dtype == EVENT
        assert found.size <= 1.1 * events.size
        assert (found["p"] <= 1).all()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            windows = list(nl.open_events(kind.path).windows(10_000_000))
        assert sum(window.events.size for window in windows) == found.size
    assert n_read >= 20


def test_hdf5_notices_every_flipped_bit_of_its_events(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    h5py = pytest.importorskip("h5py")
    events = events_of(100_000)
    path = nl.write_events(tmp_path / "a.h5", events, 64, 48)
    with h5py.File(path) as file:
        place = file["events/x"].id.get_chunk_info_by_coord((32768,)).byte_offset
    data = bytearray(path.read_bytes())
    data[place + 1000] ^= 4
    path.write_bytes(data)
    found, loss = read(path)
    assert np.array_equal(found, np.delete(events, np.s_[32768:65536]))
    assert loss is not None
    assert loss.n_events == 32768


def test_a_packet_of_aedat4_that_is_damaged_does_not_cost_those_after_it(tmp_path: Path, events_of: Any) -> None:
    pytest.importorskip("aedat")
    events = events_of(35_000)
    path = nl.write_events(tmp_path / "a.aedat4", events, 64, 48)
    data = bytearray(path.read_bytes())
    second = data.index(b"\x04\x22\x4d\x18", data.index(b"\x04\x22\x4d\x18") + 4)  # where LZ4 frames begin
    data[second] ^= 255
    path.write_bytes(data)
    found, loss = read(path)
    assert np.array_equal(found, np.delete(events, np.s_[10_000:20_000]))
    assert loss is not None
    assert (loss.from_us, loss.n_bytes > 10_000) == (events["t_us"][9999], True)


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_a_raw_file_that_was_cut_between_words_says_what_is_missing(
    encoding: str, tmp_path: Path, events_of: Callable[..., Any]
) -> None:
    events = events_of(1000)
    path = nl.write_events(tmp_path / "a.raw", events, 64, 48, encoding=encoding)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 & ~3 | len(whole) & 3])
    found, loss = read(path)
    assert 0 < found.size < events.size
    assert loss is not None
    assert loss.n_events == events.size - found.size
    assert f"it says that it holds 1000 events until t = {events['t_us'][-1]} µs" in str(loss)
    header = whole.index(b"% end\n") + 6
    path.write_bytes(whole[:header])
    found, loss = read(path)
    assert (found.size, loss and loss.n_events) == (0, 1000)


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_a_raw_file_whose_header_was_cut_is_one_bad_input(
    encoding: str, tmp_path: Path, events_of: Callable[..., Any]
) -> None:
    path = nl.write_events(tmp_path / "a.raw", events_of(9), 64, 48, encoding=encoding)
    whole = path.read_bytes()
    for n in range(whole.index(b"% end\n") + 6):
        path.write_bytes(whole[:n])
        with pytest.raises(nl.BadInput):
            nl.open_events(path)
    path.write_bytes(whole[:20])
    with pytest.raises(nl.BadInput, match="is damaged, or the file ends within it"):
        nl.open_events(path)
    path.write_bytes(whole.replace(b"% geometry", b"$ geometry"))
    with pytest.raises(nl.BadInput, match="is damaged, or the file ends within it"):
        nl.open_events(path)


def test_a_raw_file_that_holds_something_else_than_it_says_is_noticed(
    tmp_path: Path, events_of: Callable[..., Any]
) -> None:
    path = nl.write_events(tmp_path / "a.raw", events_of(9), 64, 48, encoding="evt2")
    whole = path.read_bytes()
    for damaged, says in (
        (whole + whole[-4:], "1 more events than the 9 that the file says it holds"),
        (whole[:-1] + bytes([whole[-1] ^ 2]), "times are wrong: the last one is"),  # an upper bit of the last time
        (whole.replace(b"events 0", b"events x"), "the line that says how many events it holds is damaged"),
    ):
        path.write_bytes(damaged)
        found, loss = read(path)
        assert found.size >= 9
        assert says in str(loss)


def test_raw_files_of_others_do_not_say_how_long_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes((DATA / "events_faery_evt2.raw").read_bytes()[:-400])
    found, loss = read(path)
    assert 400 < found.size < 600
    assert loss is None


def test_a_raw_file_that_nobody_finished_says_so(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    with nl.EventWriter(tmp_path / "a.raw", 64, 48) as writer:
        writer.append(events_of(50_000))
        (unfinished,) = tmp_path.iterdir()
        data = unfinished.read_bytes()
    (tmp_path / "b.raw").write_bytes(data)
    found, loss = read(tmp_path / "b.raw")
    assert found.size > 0
    assert "the file was not finished" in str(loss)
    assert nl.open_events(tmp_path / "a.raw").facts.n_events == 50_000


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_words_of_no_known_type_and_events_outside_the_sensor_are_counted(encoding: str, tmp_path: Path) -> None:
    events = np.array([(5, 1, 2, 1), (6, 63, 47, 0)], EVENT)
    path = nl.write_events(tmp_path / "a.raw", events, 64, 48, encoding=encoding)
    unknown, outside = {"evt2": ("<u4", 5 << 28, 0 << 28 | 64 << 11), "evt3": ("<u2", 13 << 12, 2 << 12 | 64)}[
        encoding
    ][1:]
    kind = "<u4" if encoding == "evt2" else "<u2"
    path.write_bytes(path.read_bytes() + np.array([unknown, unknown, outside], kind).tobytes())
    found, loss = read(path)
    assert np.array_equal(found, events)
    assert loss is not None
    assert (loss.n_bytes, loss.n_events) == (2 * np.dtype(kind).itemsize, 1)
    assert "outside 64 × 48 pixels" in str(loss)


def test_a_damaged_time_makes_no_endless_windows(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    events = events_of(1000)
    events["t_us"][500] = 2**62
    np.save(tmp_path / "a.npy", events)
    windows = list(nl.open_events(tmp_path / "a.npy").windows(10))
    assert len(windows) < 500
    assert sum(window.events.size for window in windows) == 1000


def test_hdf5_of_a_damaged_length_is_no_endless_file(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    h5py = pytest.importorskip("h5py")
    path = nl.write_events(tmp_path / "a.h5", events_of(32768), 64, 48)
    with h5py.File(path, "a") as file:
        for name in "txyp":
            file["events"][name].resize((10_000_000,))  # never written: no zeros are made up for them
    found, loss = read(path)
    assert found.size == 32768
    assert loss is not None
    assert loss.n_events == 10_000_000 - 32768
    with h5py.File(path, "a") as file:
        for name in "txyp":
            file["events"][name].resize((1 << 60,))
    with pytest.raises(nl.BadInput, match="is damaged: says that it holds 1152921504606846976 events"):
        nl.read_events(path)
