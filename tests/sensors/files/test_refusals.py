"""One clear error for what cannot be read or written, and never half a file."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop as nl
from neuroloop.types import EVENT


@pytest.mark.parametrize(("content", "says"), [
    (b"", "an empty file"),
    (b"hello, world", "not an event file"),
    (b"#!AER-DAT3.1\r\n", "is AEDAT 3.1; of AEDAT, only version 4.0 is read"),
    (b"% evt 2.1\n% end\n", "expected a RAW file of EVT 2.0 or EVT 3.0, got '2.1'"),
    (b"% hello\n", "got no version"),
    (b"\x93NUMPY\x09\x00", "not a NumPy file, or its header is damaged"),
])  # fmt: skip
def test_what_is_no_event_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(content)
    with pytest.raises(nl.BadInput, match=says):
        nl.read_events(path)


def test_missing_files_folders_and_other_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(nl.BadInput, match="no such file"):
        nl.read_events(tmp_path / "none.raw")
    with pytest.raises(nl.BadInput, match="cannot be read"):
        nl.read_events(tmp_path)
    np.save(tmp_path / "a.npy", np.zeros((5, 4)))
    with pytest.raises(nl.BadInput, match="expected one row of records t, x, y and p"):
        nl.read_events(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(nl.BadInput, match="expected one row of records"):
        nl.read_events(tmp_path / "b.npy")
    with pytest.raises(nl.BadInput, match="must be a path"):
        nl.read_events(7)  # type: ignore[arg-type]


def test_a_size_that_is_not_the_files_is_refused(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    path = nl.write_events(tmp_path / "a.raw", events_of(5), 64, 48)
    with pytest.raises(nl.BadInput, match="is of 64 × 48 pixels, not of 640 × 480"):
        nl.open_events(path, width=640, height=480)
    with pytest.raises(nl.BadInput, match="give both or neither"):
        nl.open_events(path, width=64)


@pytest.mark.parametrize(("change", "says"), [
    ({"x": 64}, "x = 64"),
    ({"y": 48}, "y = 48"),
    ({"p": 2}, "p = 2"),
    ({"t_us": 0}, "must be in order of time, got 0 µs after"),
])  # fmt: skip
def test_events_that_cannot_be_are_not_written(kind: Any, events_of: Any, change: dict[str, int], says: str) -> None:
    events = events_of(20)
    for name, value in change.items():
        events[name][7] = value
    with pytest.raises(nl.BadInput, match=says):
        nl.write_events(kind.path, events, 64, 48, encoding=kind.encoding)
    assert list(kind.path.parent.iterdir()) == []


def test_appending_out_of_order_or_after_the_end_is_refused(kind: Any, events_of: Callable[..., Any]) -> None:
    events = events_of(20)
    with nl.EventWriter(kind.path, 64, 48, encoding=kind.encoding) as writer:
        writer.append(events)
        with pytest.raises(nl.BadInput, match="must be in order of time"):
            writer.append(events)
    with pytest.raises(nl.BadInput, match="the writer is closed"):
        writer.append(events)
    assert np.array_equal(nl.read_events(kind.path), events)


def test_an_error_leaves_the_file_that_was_there(kind: Any, events_of: Callable[..., Any]) -> None:
    nl.write_events(kind.path, events_of(20), 64, 48, encoding=kind.encoding)
    before = kind.path.read_bytes()
    with pytest.raises(nl.BadInput), nl.EventWriter(kind.path, 64, 48, encoding=kind.encoding) as writer:
        writer.append(events_of(9)[::-1])
    assert kind.path.read_bytes() == before
    assert list(kind.path.parent.iterdir()) == [kind.path]


def test_what_cannot_be_written_is_refused(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.npy").mkdir()
    events = events_of(5)
    for path, size, says in (
        ("file/a.npy", 64, "cannot be written"),
        ("folder.npy", 64, "is not a file"),
        ("a.csv", 64, "ends in one of .npy, .h5"),
        ("a.raw", 4096, "EVT3 holds at most 2048 pixels a side"),
        ("a.npy", 0, "width: must be at least 1"),
    ):
        with pytest.raises(nl.BadInput, match=says):
            nl.write_events(tmp_path / path, events, size, 48)
    with pytest.raises(nl.BadInput, match="did you mean 'evt3'"):
        nl.write_events(tmp_path / "a.raw", events, 64, 48, encoding="evt4")
    with pytest.raises(nl.BadInput, match=r"must be one row of neuroloop\.types\.EVENT"):
        nl.write_events(tmp_path / "a.raw", np.zeros(3), 64, 48)


def test_a_gap_too_long_to_count_through_is_refused(tmp_path: Path) -> None:
    events = np.array([(1_700_000_000_000_000, 1, 1, 1)], EVENT)  # since 1970
    with pytest.raises(nl.BadInput, match="subtract the time of the first event"):
        nl.write_events(tmp_path / "a.raw", events, 64, 48)
    path = nl.write_events(tmp_path / "b.raw", events, 64, 48, encoding="evt2")
    assert np.array_equal(nl.read_events(path), events)


@pytest.mark.parametrize(("module", "name", "head"), [
    ("h5py", "a.h5", b"\x89HDF\r\n\x1a\n"),
    ("aedat", "a.aedat4", b"#!AER-DAT4.0\r\n"),
    ("dv_processing", "a.aedat4", b""),
])  # fmt: skip
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events_of: Any, module: str, name: str, head: bytes
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(head)
    call = nl.read_events if head else functools.partial(nl.write_events, events=events_of(5), width=64, height=48)
    with pytest.raises(nl.MissingExtra, match=r'pip install "neuroloop\[events\]"'):
        call(tmp_path / name)
