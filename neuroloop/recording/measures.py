"""What recording costs, measured: for `neuroloop bench recording`. Each writes to a file and leaves it there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..agent import load_agent
from ..sensors.space import EventSpace, packet
from ..types import EVENT, Outcome, Tick
from .reader import Recording
from .recorder import Recorder

SIDE = 128  # pixels of the camera that is recorded
PACKETS = 200  # different ones, over and over
ROOM = 1 << 27  # bytes of the ring where as much as can be is written


class Overhead(NamedTuple):
    """Medians over ticks, µs."""

    without: float
    recorded: float
    put: float  # of which the recorder says that it took so long

    @property
    def added(self) -> float:
        """What recording added to a tick."""
        return self.recorded - self.without


class Rate(NamedTuple):
    """How fast events were written."""

    ticks: int
    dropped: int
    ticks_per_s: float
    events_per_s: float


class _Timed:
    """A recorder, and how long each tick took it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self.took = recorder, list[int]()

    def put(self, tick: Tick) -> bool:
        began = time.perf_counter_ns()
        kept = self._recorder.put(tick)
        self.took.append(time.perf_counter_ns() - began)
        return kept

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        self._recorder.close_episode(episode, episode_return, n_steps)


def overhead(
    path: Path, agent: str = "cartpole", env: str | None = None, blocks: int = 40, ticks: int = 500
) -> Overhead:
    """Ticks of an agent that learns, recorded and not, in turns of `ticks`."""
    with load_agent(agent, env) as learner:
        learner.learn(2000)
        durations: dict[bool, list[NDArray[Any]]] = {True: [], False: []}
        with Recorder(path, learner, overwrite=True) as recorder:
            timed = _Timed(recorder)
            for block in range(2 * blocks):
                learner.progress.durations[:] = 0
                if block % 2:
                    with learner.watched(by=timed):
                        learner.learn(ticks * learner.config.plant.action_repeat)
                else:
                    learner.learn(ticks * learner.config.plant.action_repeat)
                durations[bool(block % 2)].append(learner.progress.durations[learner.progress.durations > 0])
    without, recorded = (float(np.median(np.concatenate(durations[which]))) / 1e3 for which in (False, True))
    return Overhead(without, recorded, float(np.median(timed.took)) / 1e3)


def write(path: Path, seconds: float, ticks_per_s: float | None = 1000.0, events: int = 1000) -> Rate:
    """Record ticks of so many events each, at a pace, or as many as can be; closing the file counts."""
    agent = load_agent("random", _Still(EventSpace(SIDE, SIDE)))
    packets, n = packets_of(events), 0
    with Recorder(path, agent, overwrite=True, room=ROOM if ticks_per_s is None else None) as recorder:
        began = due = time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            if ticks_per_s and now < due:
                time.sleep(due - now)
            outcome = Outcome(packets[(n + 1) % PACKETS], 0.0, False, False, 1)
            tick = Tick(n, 0, n == 0, time.monotonic_ns(), packets[n % PACKETS], 0.0, 0, outcome)
            if not recorder.put(tick) and ticks_per_s is None:
                time.sleep(0.002)
            n, due = n + 1, due + 1.0 / (ticks_per_s or 1e9)
    took, written = time.perf_counter() - began, recorder.offered - recorder.dropped
    return Rate(written, recorder.dropped, written / took, written * events / took)


def read(path: Path) -> float:
    """Events a second, read and checked."""
    began = time.perf_counter()
    n = sum(events.size for events in Recording(path).events())
    return n / (time.perf_counter() - began)


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
