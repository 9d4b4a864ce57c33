"""How soon a plant helps itself when its controller dies, is stopped, or hangs; and how soon a new controller drives it.

Plant and controller are processes of their own. The environment writes down when it is stepped, and by what action; all
times are of the machine's one monotonic clock. A repeat counts from just before the signal is sent until the environment is
first stepped by the fail-safe action. The bound is the deadline and one tick.

    python -m neuroloop.evaluation.link_failsafe ENDPOINT LOG     a controller that commands until it is killed
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..link.remote import RemoteEnv
from . import link_cases as cases
from .link_processes import Process, end, folder, served, start, until

TICK, DEADLINE = 0.01, 0.1  # s
BOUND_MS = 1e3 * (DEADLINE + TICK)
HANG = 0.4  # s that the controller's thread hangs
PATIENCE = 5.0  # s that the fail-safe action is waited for
COMMAND = 1  # 0 is the fail-safe action
KINDS = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "hung": signal.SIGUSR1}


class Deaths(NamedTuple):
    """ms, of every repeat."""

    to_fail_safe: dict[str, list[float]]  # by what happened to the controller
    hello_to_live: list[float]  # of a new controller, from its hello to the first step by its command
    process_to_live: list[float]  # and from the start of its process, imports included


class Stage:
    """A plant, and the controller that drives it at present."""

    def __init__(self, place: Path, endpoint: str) -> None:
        self.endpoint, self.plant = endpoint, cases.Log(place / "plant", make=True)
        self._place, self._n = place, 0
        self.controller: Process | None = None

    def begin(self) -> tuple[float, float]:
        """Start a controller and wait until it drives; returns ms from its hello, and from the start of its process."""
        self._n += 1
        path, before, begun = self._place / f"controller{self._n}", self.plant.n, time.monotonic_ns()
        log = cases.Log(path, make=True)
        self.controller = start("-m", __name__, self.endpoint, path)
        live = self.first(COMMAND, before)
        return (live - int(log.column("t_ns")[0])) / 1e6, (live - begun) / 1e6

    def first(self, command: int, after: int) -> int:
        """When the environment is first stepped by a command, in a row of its log from `after` on."""
        found = list[int]()

        def happened() -> bool:
            times, commands = self.plant.column("t_ns", after), self.plant.column("command", after)
            found[:] = times[: commands.size][commands[: times.size] == command][:1].tolist()
            return bool(found)

        until(happened, patience=PATIENCE if command == 0 else 60.0)
        return found[0]

    def signalled(self, kind: str) -> float:
        """ms from the signal to the fail-safe action."""
        if self.controller is None:
            raise RuntimeError("there is no controller")
        before, sent = self.plant.n, time.monotonic_ns()
        os.kill(self.controller.pid, KINDS[kind])
        return (self.first(0, before) - sent) / 1e6

    def close(self) -> None:
        """End the controller."""
        if self.controller is not None:
            end(self.controller)
            self.controller = None


def deaths(repeats: int, kinds: Iterable[str] = tuple(KINDS)) -> Deaths:
    """Every way to die, so many times each, at random moments of a tick."""
    rng, found = np.random.default_rng(0), Deaths({}, [], [])
    with folder() as place:
        endpoint = f"ipc://{place}/plant.ipc"
        stage = Stage(place, endpoint)
        options = ("--realtime", "--fifo", "--deadline", DEADLINE)
        with served(endpoint, *options, dt=TICK, log=f'"{place / "plant"}"'):
            try:
                stage.begin()
                for kind in kinds:
                    found.to_fail_safe[kind] = [_death(stage, kind, rng.uniform(), found) for _ in range(repeats)]
            finally:
                stage.close()
    return found


def _death(stage: Stage, kind: str, phase: float, found: Deaths) -> float:
    time.sleep(0.05 + TICK * phase)
    took, before = stage.signalled(kind), stage.plant.n
    if kind == "killed":
        stage.close()
        for times, ms in zip((found.hello_to_live, found.process_to_live), stage.begin(), strict=True):
            times.append(ms)
        return took
    if kind == "stopped" and stage.controller is not None:
        os.kill(stage.controller.pid, signal.SIGCONT)
    stage.first(COMMAND, before)
    return took


def control(endpoint: str, path: str) -> None:
    """Command the plant for ever; SIGUSR1 makes this thread hang for a while, but not ZeroMQ's own."""

    def hang(*_: object) -> None:
        until_then = time.monotonic() + HANG
        while time.monotonic() < until_then:
            pass

    signal.signal(signal.SIGUSR1, hang)
    log = cases.Log(path)
    log.add(time.monotonic_ns(), COMMAND, 0, 0, 0)
    env = RemoteEnv(endpoint)
    env.reset()
    while True:
        env.step(COMMAND)


if __name__ == "__main__":
    control(*sys.argv[1:])
