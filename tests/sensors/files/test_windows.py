"""Streams by number of events and by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neuroloop as nl
from neuroloop.sensors.files import windows as windows_room
from neuroloop.types import EVENT


def saved(path: Path, times: list[int]) -> Path:
    events = np.zeros(len(times), EVENT)
    events["t_us"], events["x"] = times, np.arange(len(times)) % 64
    np.save(path / "a.npy", events)
    return path / "a.npy"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.sampled_from([0, 1, 9, 10, 11, 55]), max_size=50), n=st.integers(1, 60))
def test_chunks_and_windows_hold_every_event_once(tmp_path: Path, gaps: list[int], n: int) -> None:
    times = np.cumsum(gaps).tolist()
    reader = nl.open_events(saved(tmp_path, times))
    chunks = list(reader.chunks(n))
    assert [chunk.size for chunk in chunks[:-1]] == [n] * (len(chunks) - 1)
    assert [t for chunk in chunks for t in chunk["t_us"].tolist()] == times
    windows = list(reader.windows(10))
    assert [t for window in windows for t in window.events["t_us"].tolist()] == times
    assert all(w.start_us <= t < w.start_us + 10 for w in windows for t in w.events["t_us"].tolist())
    assert [w.start_us for w in windows] == list(range(times[0], times[-1] + 1, 10) if times else [])
    assert reader.loss is None


def test_windows_begin_where_they_are_told_to(tmp_path: Path) -> None:
    reader = nl.open_events(saved(tmp_path, [5, 25, 26, 47]))
    assert [(w.start_us, w.events["t_us"].tolist()) for w in reader.windows(20, start_us=20)] == [
        (20, [25, 26]),
        (40, [47]),
    ]
    assert [w.start_us for w in reader.windows(20, start_us=0)] == [0, 20, 40]
    assert list(reader.windows(20, start_us=100)) == []


def test_late_events_count_to_the_open_window_and_jumps_begin_one(tmp_path: Path) -> None:
    day = 86_400_000_000
    times = [100, 95, 130, day, day + 5, 7]
    found = [(w.start_us, w.events["t_us"].tolist()) for w in nl.open_events(saved(tmp_path, times)).windows(20)]
    assert found == [(100, [100, 95]), (120, [130]), (day, [day, day + 5]), (7, [7])]


def test_a_window_of_too_many_events_says_what_it_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_room, "MOST_EVENTS", 3)
    reader = nl.open_events(saved(tmp_path, [1, 2, 3, 4, 5, 30]))
    with pytest.warns(nl.LostEvents, match="2 known events"):
        assert [w.events.size for w in reader.windows(10)] == [3, 0, 1]


def test_memory_stays_bounded(tmp_path: Path, events_of: Any) -> None:
    import tracemalloc

    path = nl.write_events(tmp_path / "a.raw", events_of(2_000_000), 64, 48)
    for _ in nl.open_events(path).chunks(1000):
        break  # compiled
    tracemalloc.start()
    assert sum(chunk.size for chunk in nl.open_events(path).chunks(50_000)) == 2_000_000
    assert sum(w.events.size for w in nl.open_events(path).windows(10_000)) == 2_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6  # 26 MB is what all events take
