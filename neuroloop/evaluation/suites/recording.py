"""The suite `recording`: what being recorded or viewed costs a loop, how fast it is written and read, what kills leave.

What a watcher adds is the difference between the median ticks of two stretches of a run, one watched and one not, in turns; the
figure is the median over such pairs, on the wall clock. What each case is stands in `recording_*.py`.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...agent import load_agent
from ...errors import NeuroloopError
from ...recording.recorder import Recorder
from .. import recording_cases, recording_kills, recording_resume, recording_view
from ..figures import Suite
from ..found import Found, Report
from ..recording_cases import Overhead

TARGETS = {
    "loop_overhead_us": 30.0, "view_overhead_us": 30.0, "write_events_per_s": 5e6, "read_events_per_s": 5e6,
    "sustained_1khz_drops": 0.0, "kill9_lost_chunks_max": 1.0, "kill9_not_recovered": 0.0, "resume_equal": 1.0,
}  # fmt: skip
HIGH = ("write_events_per_s", "read_events_per_s", "resume_equal")
KILLED: tuple[recording_kills.Who, ...] = ("recorder", "controller", "plant")
EVENTS = 1000  # of a tick


class Stretches(NamedTuple):
    """How a watcher's cost is found: an agent learns a while, then in pairs of stretches of so many ticks."""

    before: int
    pairs: int
    ticks: int


def run(quick: bool, report: Report) -> Suite:
    """Measure everything."""
    found = Found(report, TARGETS, HIGH)
    found.row("", "load", os.getloadavg()[0], "", "of the last minute, when the suite began")
    with tempfile.TemporaryDirectory(prefix="neuroloop-bench-") as made:
        folder = Path(made)
        _overheads(found, quick, folder)
        _rates(found, quick, folder)
        _sustained(found, quick, folder)
        _kills(found, quick, folder)
        _resume(found, quick, folder)
    return Suite("recording", found.figures, found.rows)


def _overheads(found: Found, quick: bool, folder: Path) -> None:
    small = Stretches(2000, 8 if quick else 40, 500)
    with load_agent("cartpole") as agent:
        agent.learn(small.before)
        with Recorder(folder / "cartpole.mcap", agent) as recorder:
            recorded = recording_cases.overhead(agent, recorder, small.pairs, small.ticks)
        seen = recording_view.viewed(agent, small.pairs, small.ticks)
        read = recording_view.viewed(agent, small.pairs, small.ticks, every=True)
        stopped = recording_view.viewed(agent, small.pairs // 2, small.ticks, every=True, stopped=True)
    _figure(found, "loop_overhead_us", "cartpole", recorded)
    found.row("loop_overhead_us", "cartpole, ticks dropped", recorder.dropped, "", f"of {recorder.offered}")
    if importlib.util.find_spec("pybullet"):
        _rows(found, "loop_overhead_us", "lane-keeping, with events", _events(quick, folder))
    _figure(found, "view_overhead_us", "cartpole", seen.overhead)
    _rows(found, "view_overhead_us", "cartpole, a tap that tells of every tick", read.overhead)
    found.row(
        "view_overhead_us", "cartpole, heard of every tick", read.heard / max(1, read.told), "", f"of {read.told} ticks"
    )
    _rows(found, "view_overhead_us", "cartpole, every tick, its reader stopped", stopped.overhead)


def _events(quick: bool, folder: Path) -> Overhead:
    one = Stretches(20, 4, 10) if quick else Stretches(50, 20, 20)
    with load_agent("lane-keeping") as agent:
        agent.learn(one.before)
        with Recorder(folder / "lane-keeping.mcap", agent) as recorder:
            return recording_cases.overhead(agent, recorder, one.pairs, one.ticks)


def _figure(found: Found, name: str, what: str, one: Overhead) -> None:
    found.figure(name, one.wall_added, "us", one.wall_with - one.wall_without)
    _rows(found, name, what, one)


def _rows(found: Found, name: str, what: str, one: Overhead) -> None:
    note = f"median of {one.wall_with.size} pairs of stretches of {one.ticks} ticks"
    found.row(name, f"{what}, added, wall clock", one.wall_added, "us", f"{note}, of their median ticks")
    found.row(name, f"{what}, added, CPU", one.cpu_added, "us", f"{note}, of the loop's thread, mean a tick")
    found.row(name, f"{what}, a tick without", float(np.median(one.wall_without)), "us", "wall clock, plant included")


def _rates(found: Found, quick: bool, folder: Path) -> None:
    path, seconds = folder / "events.mcap", 0.5 if quick else 5.0
    written, read = list[recording_cases.Rate](), list[recording_cases.Read]()
    for _ in range(2 if quick else 5):
        written.append(recording_cases.write(path, seconds, None, EVENTS))
        read.append(recording_cases.read(path))
    of_writes, of_reads = "write_events_per_s", "read_events_per_s"
    for name, samples in ((of_writes, [w.events_per_s for w in written]), (of_reads, [r.events_per_s for r in read])):
        found.figure(name, max(samples), "1/s", samples)
        found.row(name, "median of the repeats", float(np.median(samples)), "1/s", f"packets of {EVENTS} events")
    by_cpu = max(w.events / w.writer_cpu for w in written)
    found.row(of_writes, "a second of CPU", by_cpu, "1/s", "of the process that writes, its start included")
    found.row(of_writes, "bytes of an event in the file", written[-1].bytes / written[-1].events, "")
    found.row(of_reads, "a second of CPU", max(r.events / r.cpu_s for r in read), "1/s")


def _sustained(found: Found, quick: bool, folder: Path) -> None:
    name, seconds = "sustained_1khz_drops", 5.0 if quick else 60.0
    one = recording_cases.write(folder / "sustained.mcap", seconds, 1000.0, EVENTS)
    found.figure(name, one.dropped, "ticks", [one.dropped], one.ticks + one.dropped)
    found.row(name, "achieved", one.ticks_per_s, "1/s", f"ticks of {EVENTS} events, for {seconds:g} s")
    found.row(name, "closing", one.closing, "s", "after the last tick")
    found.row(name, "file", one.bytes / 1e6, "MB", "packed")
    found.row(name, "file a second", one.bytes / 1e6 / one.seconds, "MB/s")
    found.row(name, "CPU of the process that writes", one.writer_cpu / one.seconds, "", "of one core")
    found.spread(name, "a tick in the loop", one.put_us, "us", "max: the longest stall")
    found.spread(name, "late", one.late_us, "us", "of a loop of Python that sleeps, with ordinary scheduling")


class Kills(NamedTuple):
    """What was left of the recordings of all trials."""

    lost: list[float]  # chunks, where something could be recovered
    failed: list[str]  # why nothing could
    opened: int  # by mcap's own reader, with as many ticks
    converted: int  # by Rerun


def _kills(found: Found, quick: bool, folder: Path) -> None:
    lost, left, each = "kill9_lost_chunks_max", "kill9_not_recovered", 2 if quick else 20
    agent, longest = ("random", 0.6) if quick else ("cartpole", 2.5)
    moments = np.random.default_rng(0).uniform(0.2, longest, (len(KILLED), each))
    every = {who: _killed(folder, who, some, agent) for who, some in zip(KILLED, moments, strict=True)}
    chunks, n = [x for one in every.values() for x in one.lost], each * len(KILLED)
    if not chunks:
        raise NeuroloopError(f"no recording could be recovered: {every['recorder'].failed}")
    found.figure(lost, max(chunks), "chunks", chunks)
    opened = sum(one.opened for one in every.values())
    found.figure(left, n - opened, "", [each - one.opened for one in every.values()], n)
    for who, one in every.items():
        note = f"{each} times, at 1000 ticks a second of the agent {agent}"
        found.row(lost, f"{who} killed, lost, most", max(one.lost, default=float("nan")), "chunks", note)
        found.row(left, f"{who} killed", len(one.failed), "", one.failed[0] if one.failed else "")
    found.row(left, "opened by mcap's own reader", opened, "", f"of {n}, by their index, checksums checked")
    if recording_kills.rerun() is not None:
        found.row(left, "converted by Rerun", sum(one.converted for one in every.values()), "", f"of {n}")


def _killed(folder: Path, who: recording_kills.Who, moments: NDArray[np.float64], agent: str) -> Kills:
    lost, failed, opened, converted, rerun = list[float](), list[str](), 0, 0, recording_kills.rerun()
    for n, moment in enumerate(moments):
        place = folder / f"{who}{n}"
        place.mkdir()
        try:
            one = recording_kills.trial(place / "run.mcap", who, moment, 1000.0, agent)
        except (NeuroloopError, AssertionError) as error:
            failed.append(str(error))
            continue
        lost.append(max(0.0, one.lost_chunks))
        opened += recording_kills.ticks_by_stock_reader(one.whole) == one.ticks
        converted += rerun is not None and recording_kills.converts(rerun, one.whole)
    return Kills(lost, failed, opened, converted)


def _resume(found: Found, quick: bool, folder: Path) -> None:
    name, kills, steps = "resume_equal", *((2, 4000) if quick else (10, 20_000))
    one = recording_resume.resumed(kills, steps, folder)
    found.figure(name, float(one.same and one.steps == steps), "", [float(one.same)], len(one.kills))
    found.row(name, "kills", len(one.kills), "", f"of a run of {steps} ticks, by SIGKILL, at random")
    for n, step in enumerate(one.kills):
        found.row(name, f"kill {n + 1}, resumed from step", step, "", f"a checkpoint every {recording_resume.EVERY}")
