"""What the suite `recording` measures of a recorder: what it adds to a tick, how fast it writes, how fast is read."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..agent import Agent, load_agent
from ..loop.lockstep import TIMED
from ..loop.sink import Sink
from ..recording.reader import Recording
from ..recording.recorder import Recorder
from ..sensors.space import EventSpace, packet
from ..types import EVENT, Outcome, Tick

SIDE = 128  # pixels of the camera that is recorded
PACKETS = 200  # different ones, over and over
ROOM = 1 << 27  # bytes of the ring where as much as can be is written
Numbers = NDArray[np.float64]


class Overhead(NamedTuple):
    """Of each pair of stretches, one watched and one not, µs a tick."""

    ticks: int  # of a stretch
    wall_without: Numbers  # medians over its ticks
    wall_with: Numbers
    cpu_without: Numbers  # means over its ticks, of the loop's thread
    cpu_with: Numbers

    @property
    def wall_added(self) -> float:
        """The median over pairs of what the watcher adds to the median tick."""
        return float(np.median(self.wall_with - self.wall_without))

    @property
    def cpu_added(self) -> float:
        """The same of the thread's CPU."""
        return float(np.median(self.cpu_with - self.cpu_without))


class Rate(NamedTuple):
    """How fast events were written."""

    ticks: int  # that were written
    dropped: int
    seconds: float  # closing included
    closing: float  # s of them
    writer_cpu: float  # s, of the process that writes
    events: int  # that were written
    bytes: int  # of the file
    put_us: Numbers  # what each tick took in the loop
    late_us: Numbers  # how long after its time each tick began; nothing where there was no pace

    @property
    def ticks_per_s(self) -> float:
        """Achieved in the loop."""
        return self.ticks / (self.seconds - self.closing)

    @property
    def events_per_s(self) -> float:
        """Achieved until the file was closed."""
        return self.events / self.seconds


class Read(NamedTuple):
    """How fast events were read."""

    events_per_s: float
    cpu_s: float
    events: int


def overhead(agent: Agent, sink: Sink, pairs: int, ticks: int) -> Overhead:
    """Ticks of an agent that learns and has learned a while, watched and not, in turns."""
    if not 0 < ticks <= TIMED:
        raise ValueError(f"ticks: 1 to {TIMED} are kept, got {ticks}")
    wall, cpu = np.empty((2, pairs)), np.empty((2, pairs))
    for k in range(pairs):
        for watched in (False, True) if k % 2 else (True, False):
            wall[int(watched), k], cpu[int(watched), k] = _stretch(agent, sink if watched else None, ticks)
    return Overhead(ticks, wall[0], wall[1], cpu[0], cpu[1])


def _stretch(agent: Agent, sink: Sink | None, ticks: int) -> tuple[float, float]:
    """Median wall clock and mean CPU of a tick, µs."""
    durations, steps = agent.progress.durations, ticks * agent.config.plant.action_repeat
    durations[:] = 0
    began, before = time.thread_time_ns(), agent.progress.ticks
    if sink is None:
        agent.learn(steps)
    else:
        with agent.watched(by=sink):
            agent.learn(steps)
    cpu = (time.thread_time_ns() - began) / (agent.progress.ticks - before)
    return float(np.median(durations[durations > 0])) / 1e3, cpu / 1e3


def write(path: Path, seconds: float, ticks_per_s: float | None = 1000.0, events: int = 1000) -> Rate:
    """Record ticks of so many events each, at a pace, or as many as can be."""
    agent = load_agent("random", _Still(EventSpace(SIDE, SIDE)))
    packets, n = packets_of(events), 0
    took, late = list[float](), list[float]()
    period, children = None if ticks_per_s is None else 1.0 / ticks_per_s, _cpu_of_children()
    with Recorder(
        path, agent, overwrite=True, room=ROOM if period is None else None, say=lambda text: None
    ) as recorder:
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            if period is not None:
                time.sleep(max(0.0, began + n * period - now))
                now = time.perf_counter()
                late.append(1e6 * (now - began - n * period))
            outcome = Outcome(packets[(n + 1) % PACKETS], 0.0, False, False, 1)
            kept = recorder.put(Tick(n, 0, n == 0, time.monotonic_ns(), packets[n % PACKETS], 0.0, 0, outcome))
            took.append(1e6 * (time.perf_counter() - now))
            n += 1
            if not kept and period is None:
                time.sleep(0.002)
        closes = time.perf_counter()
    total, written = time.perf_counter() - began, recorder.offered - recorder.dropped
    closing, cpu, size = began + total - closes, _cpu_of_children() - children, path.stat().st_size
    return Rate(written, recorder.dropped, total, closing, cpu, written * events, size, np.array(took), np.array(late))


def _cpu_of_children() -> float:
    """s, of those that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read(path: Path) -> Read:
    """All events of a recording, checked."""
    began, cpu = time.perf_counter(), time.process_time()
    n = sum(events.size for events in Recording(path).events())
    return Read(n / (time.perf_counter() - began), time.process_time() - cpu, n)


def packets_of(events: int) -> list[Any]:
    """An edge that moves over the picture, with noise."""
    rng, packets = np.random.default_rng(0), []
    for k in range(PACKETS):
        made = np.zeros(events, EVENT)
        made["t_us"] = 1000 * k + np.sort(rng.integers(0, 1000, events))
        made["x"] = (20 + k // 4) % 100 + rng.integers(0, 20, events)
        made["y"], made["p"] = rng.integers(0, SIDE, events), rng.integers(0, 2, events)
        packets.append(packet(made))
    return packets


class _Still(gymnasium.Env[Any, Any]):
    """A plant that only has a space."""

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation_space, spaces.Discrete(2)
