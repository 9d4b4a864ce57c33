"""The suite `recording`: its figures have the names and targets that they are known by, and cases measure what they say."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from neuroloop import Recorder, Recording, load_agent
from neuroloop.errors import NeuroloopError, RecordingError
from neuroloop.evaluation import recording_cases, recording_kills, recording_resume, recording_view
from neuroloop.evaluation.found import Found
from neuroloop.evaluation.recording_kills import ticks_by_stock_reader, trial
from neuroloop.evaluation.suites import recording
from neuroloop.types import Tick

NAMED = {
    "loop_overhead_us", "view_overhead_us", "write_events_per_s", "read_events_per_s", "sustained_1khz_drops",
    "kill9_lost_chunks_max", "resume_equal",
}  # fmt: skip


class Slow:
    """A watcher that takes its time."""

    def put(self, tick: Tick) -> bool:
        end_at = time.thread_time() + 300e-6
        while time.thread_time() < end_at:
            pass
        return True

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        pass


def added(us: float) -> recording_cases.Overhead:
    wall = np.array([100.0, 102.0])
    return recording_cases.Overhead(10, wall, wall + us, wall, wall + us / 2)


def test_figures_have_their_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    tick = np.array([20.0, 40.0])
    rate = recording_cases.Rate(5000, 3, 6.0, 1.0, 0.5, 5_000_000, 20_000_000, tick, tick)
    read = recording_cases.Read(6e6, 1.0, 5_000_000)
    resumed = recording_resume.Resumed([400, 800], 4000, True)
    monkeypatch.setattr(recording_cases, "overhead", lambda agent, sink, pairs, ticks: added(12.0))
    monkeypatch.setattr(recording_view, "viewed", lambda *a, **k: recording_view.Viewed(added(35.0), 100, 90))
    monkeypatch.setattr(recording_cases, "write", lambda path, seconds, ticks_per_s, events: rate)
    monkeypatch.setattr(recording_cases, "read", lambda path: read)
    monkeypatch.setattr(recording, "_killed", lambda *a: recording.Kills([0.2, 0.9], [], 2, 0))
    monkeypatch.setattr(recording_resume, "resumed", lambda kills, steps, folder: resumed)
    monkeypatch.setattr(recording, "_events", lambda quick, folder: added(20.0))
    said: list[str] = []
    suite = recording.run(True, said.append)
    figures = {figure.name: figure for figure in suite.figures}
    assert set(recording.TARGETS) == set(figures) > NAMED
    missed = [name for name, figure in figures.items() if not figure.met]
    assert missed == ["view_overhead_us", "write_events_per_s", "sustained_1khz_drops"]
    assert figures["loop_overhead_us"].value == 12.0
    assert figures["write_events_per_s"].value == pytest.approx(5e6 / 6.0)
    assert (figures["read_events_per_s"].better, figures["kill9_lost_chunks_max"].value) == ("high", 0.9)
    assert len(said) == len(suite.figures)
    assert len({tuple(row) for row in suite.rows}) == 1  # all have the same columns
    rows = {row["what"]: row["value"] for row in suite.rows}
    assert (rows["achieved"], rows["cartpole, heard of every tick"], rows["kill 2, resumed from step"]) == (
        1000.0,
        0.9,
        800,
    )


def test_a_recording_that_cannot_be_recovered_counts_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(path: Path, *_: object) -> recording_kills.Trial:
        raise RecordingError(f"{path}: is no recording")

    monkeypatch.setattr(recording_kills, "trial", fails)
    found = recording._killed(tmp_path, "controller", np.array([0.1, 0.2]), "random")
    assert (found.lost, found.opened, len(found.failed)) == ([], 0, 2)
    (tmp_path / "again").mkdir()
    with pytest.raises(NeuroloopError, match="no recording could be recovered"):
        recording._kills(Found(print, recording.TARGETS), True, tmp_path / "again")


def test_what_a_watcher_adds_is_found_on_the_wall_clock_and_in_cpu() -> None:
    with load_agent("random", "CartPole-v1") as agent:
        agent.learn(50)
        found = recording_cases.overhead(agent, Slow(), 5, 40)
    assert (found.ticks, found.wall_with.size) == (40, 5)
    assert found.wall_added >= 300
    assert 300 <= found.cpu_added < 600


def test_a_reader_hears_every_tick_and_one_that_is_stopped_holds_nothing_up() -> None:
    with load_agent("random", "CartPole-v1") as agent:
        read = recording_view.viewed(agent, 2, 50, every=True)
        stopped = recording_view.viewed(agent, 2, 50, every=True, stopped=True)
    assert read.heard == read.told >= 100
    assert stopped.overhead.wall_with.max() < 100_000


def test_rates_count_what_is_in_the_file(tmp_path: Path) -> None:
    paced = recording_cases.write(tmp_path / "a.mcap", 0.3, 100.0, 50)
    assert 2 <= paced.ticks <= 31
    assert (paced.dropped, paced.events) == (0, 50 * paced.ticks)
    assert paced.put_us.size == paced.late_us.size == paced.ticks
    assert sum(events.size for events in Recording(tmp_path / "a.mcap").events()) == paced.events
    assert recording_cases.read(tmp_path / "a.mcap").events == paced.events
    most = recording_cases.write(tmp_path / "b.mcap", 0.1, None, 50)
    assert most.late_us.size == 0
    assert most.writer_cpu > 0.0
    assert 0.0 < most.closing < most.seconds


def test_the_stock_reader_finds_every_tick(tmp_path: Path) -> None:
    agent = load_agent("random", "CartPole-v1")
    with Recorder(tmp_path / "a.mcap", agent) as recorder, agent.watched(by=recorder):
        agent.learn(30)
    assert ticks_by_stock_reader(tmp_path / "a.mcap") == 30


def test_a_plant_that_is_killed_leaves_its_controllers_recording_whole(tmp_path: Path) -> None:
    found = trial(tmp_path / "a.mcap", "plant", 0.3, 1000.0, "random")
    assert found.lost_chunks == 0.0
    assert found.ticks == found.done > 50
    assert Recording(tmp_path / "a.mcap").complete
    assert ticks_by_stock_reader(found.whole) == found.ticks


def test_a_run_that_is_killed_and_resumed_is_compared_with_a_straight_one(tmp_path: Path) -> None:
    found = recording_resume.resumed(1, 3000, tmp_path, seed=3)
    assert (found.steps, found.same) == (3000, True)
    assert len(found.kills) <= 1
