"""What is written is read back, by us and by libraries that did not write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neuroloop as nl
from neuroloop.types import EVENT

DATA = Path(__file__).parents[2] / "references" / "data"
TRUTH = np.load(DATA / "events.npy")
OFTEN = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GAPS = st.sampled_from([0, 0, 0, 1, 2, 63, 64, 4095, 4096, 2**22 - 1, 2**24, 2**24 + 1, 5 * 2**24, 2**34 + 7])
EVENTS = st.lists(st.tuples(GAPS, st.integers(0, 2047), st.integers(0, 2047), st.integers(0, 1)), max_size=40)
ROWS = st.lists(st.tuples(st.just(0), st.integers(0, 30), st.just(5), st.just(1)), max_size=60)


def of_gaps(rows: list[tuple[int, int, int, int]], begins: int = 0) -> Any:
    events = np.array(rows, EVENT) if rows else np.zeros(0, EVENT)
    events["t_us"] = begins + np.cumsum(events["t_us"])
    return events


@OFTEN
@given(rows=EVENTS | ROWS, cut=st.integers(0, 40))
def test_random_recordings_come_back_exactly_however_they_were_appended(kind: Any, rows: Any, cut: int) -> None:
    events = of_gaps(rows)
    with nl.EventWriter(kind.path, 2048, 2048, encoding=kind.encoding) as writer:
        writer.append(events[:cut])
        writer.append(events[cut:])
    assert np.array_equal(nl.read_events(kind.path), events)
    facts = nl.open_events(kind.path).facts
    size = (None, None) if kind.encoding == "npy" else (2048, 2048)
    assert (facts.format, facts.width, facts.height) == (kind.encoding, *size)
    if facts.n_events:
        assert (facts.n_events, facts.first_us, facts.last_us) == (events.size, events["t_us"][0], events["t_us"][-1])


def test_recordings_longer_than_a_block_come_back(kind: Any, events_of: Callable[..., Any]) -> None:
    events = events_of(300_000) if kind.encoding != "aedat4" else events_of(25_000)
    nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
    assert np.array_equal(nl.read_events(kind.path), events)
    assert [chunk.size for chunk in nl.open_events(kind.path).chunks(20_000)][:1] == [20_000]


def test_negative_times_are_kept_or_refused(kind: Any) -> None:
    events = of_gaps([(0, 1, 2, 1), (5, 3, 4, 0)], begins=-3)
    if kind.encoding not in ("npy", "hdf5"):
        with pytest.raises(nl.BadInput, match="holds no times below 0, got -3 µs"):
            nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
        assert not kind.path.exists()
    else:
        nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
        assert nl.read_events(kind.path)["t_us"].tolist() == [-3, 2]


@pytest.mark.parametrize("name", ["evt2.raw", "evt3.raw", "t0.raw", "lz4.aedat4"])
def test_files_that_faery_wrote_are_read_exactly(name: str) -> None:
    if name.endswith("aedat4"):
        pytest.importorskip("aedat")
    assert np.array_equal(nl.read_events(DATA / f"events_faery_{name}"), TRUTH)


def test_a_file_in_the_layout_of_dsec_is_read_exactly() -> None:
    pytest.importorskip("h5py")
    assert np.array_equal(nl.read_events(DATA / "events_dsec.h5", width=346, height=260), TRUTH)


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_raw_files_are_those_that_faery_evlib_evt3_and_expelliarmus_read_exactly(encoding: str, tmp_path: Path) -> None:
    """`tests/references/events_with_others.py` had them read."""
    path = nl.write_events(tmp_path / "a.raw", TRUTH, 346, 260, encoding=encoding)
    assert path.read_bytes() == (DATA / f"events_ours_{encoding}.raw").read_bytes()


@OFTEN
@given(rows=EVENTS | ROWS)
def test_the_library_evt3_reads_what_we_wrote(tmp_path: Path, rows: Any) -> None:
    evt3 = pytest.importorskip("evt3")
    events = of_gaps(rows)
    found = evt3.decode_file(str(nl.write_events(tmp_path / "a.raw", events, 2048, 2048)))
    columns = zip(("t_us", "x", "y", "p"), (found.t, found.x, found.y, found.p), strict=True)
    assert all(np.array_equal(theirs, events[ours]) for ours, theirs in columns)


def test_h5py_alone_reads_what_we_wrote(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(nl.write_events(tmp_path / "a.h5", TRUTH, 346, 260)) as file:
        columns = zip(("t_us", "x", "y", "p"), ("t", "x", "y", "p"), strict=True)
        assert all(np.array_equal(file["events"][theirs][:], TRUTH[ours]) for ours, theirs in columns)
        assert (file["events"].attrs["width"], file["events"].attrs["height"]) == (346, 260)


def test_numpy_alone_reads_what_we_wrote(tmp_path: Path) -> None:
    found = np.load(nl.write_events(tmp_path / "a.npy", TRUTH, 346, 260), allow_pickle=False)
    assert found.dtype == EVENT
    assert np.array_equal(found, TRUTH)


@pytest.mark.parametrize("dtype", [
    [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")],
    [("timestamp", "<i8"), ("x", "<i2"), ("y", "<i2"), ("polarity", "i1")],
    [("x", ">i4"), ("y", ">i4"), ("p", ">i4"), ("t", ">i8")],
])  # fmt: skip
def test_arrays_with_the_columns_of_other_libraries_are_read(tmp_path: Path, dtype: Any) -> None:
    records = np.zeros(TRUTH.size, dtype)
    for name in records.dtype.names or ():
        records[name] = TRUTH[{"x": "x", "y": "y"}.get(name, "t_us" if name.startswith("t") else "p")]
    if records.dtype.names and records.dtype["polarity" if "polarity" in records.dtype.names else "x"].kind == "i":
        column = "polarity" if "polarity" in records.dtype.names else "p"
        records[column][records[column] == 0] = -1  # OFF, as many have it
    np.save(tmp_path / "a.npy", records)
    assert np.array_equal(nl.read_events(tmp_path / "a.npy"), TRUTH)
