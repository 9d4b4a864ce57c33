"""What is left of a run whose processes are killed at random moments.

A plant that is killed and started anew cuts an episode off; the agent begins it anew. Promised is that all depends only on
the steps at which episodes were cut: the same agent on a plant in its own process, cut there, ends in the same bits. A
controller that is stopped and goes on from its checkpoint ends in the bits of one that was never stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import gymnasium
import numpy as np

from ..agent import Agent, load_agent
from ..checkpoint import read
from ..link.remote import RemoteEnv
from ..types import LINK

ENV, AGENT = "CartPole-v1", "cartpole"
READY = "is served at"
STOPS = signal.SIGTERM, signal.SIGINT, signal.SIGKILL


class Killed(NamedTuple):
    """What came of it."""

    kills: int
    cut: list[int]  # the steps at which an episode was lost
    back_s: list[float]  # from each kill until the plant answered again; from each start until the controller learned
    same: bool  # whether all bits are those of an undisturbed plant that was cut at the same steps


class Plant:
    """`neuroloop serve` in a process of its own, as often as it is started."""

    def __init__(self, endpoint: str, env: str = ENV, *more: str) -> None:
        self._command = [sys.executable, "-m", "neuroloop", "serve", env, "--bind", endpoint, *more]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        if READY not in line:
            raise RuntimeError(f"{' '.join(self._command)}: {line}{self._process.stderr.read()}")

    def tell(self, how: int) -> None:
        """Send it a signal."""
        self._process.send_signal(how)

    def end(self, how: int = signal.SIGKILL) -> int:
        """End it; returns its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        code = self._process.wait(20)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code


class Counted(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes the steps at which an episode was lost."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.n, self.cut = 0, list[int]()
        self.answered = time.monotonic()

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As it is."""
        answer = self.env.step(action)
        self.n += 1
        self.answered = time.monotonic()
        if LINK in answer[4]:
            self.cut.append(self.n)
        return answer


class Cut(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Loses an episode at given steps, as a plant does that is killed there."""

    def __init__(self, env: gymnasium.Env[Any, Any], at: list[int]) -> None:
        super().__init__(env)
        self._n, self._at, self._seen = 0, frozenset(at), None

    def reset(self, **how: Any) -> tuple[Any, dict[str, Any]]:
        """As it is."""
        self._seen, info = self.env.reset(**how)
        return self._seen, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As it is, but where the plant is lost."""
        self._n += 1
        if self._n in self._at:
            return self._seen, 0.0, False, True, {LINK: {"lost": True}}
        self._seen, *_ = answer = self.env.step(action)
        return answer


def plant_kills(n: int, folder: Path, seed: int = 0, alive_s: float = 0.3) -> Killed:
    """Kill a plant in lockstep `n` times, each up to `alive_s` s after it answered, while an agent learns there."""
    endpoint, rng = f"ipc://{folder}/plant.ipc", np.random.default_rng(seed)
    plant = Plant(endpoint)
    env = Counted(RemoteEnv(endpoint))
    agent, back, over = load_agent(AGENT, env, seed), list[float](), threading.Event()

    def kill() -> None:
        for _ in range(n):
            time.sleep(alive_s * rng.random())
            plant.end()
            killed = time.monotonic()
            plant.start()
            while env.answered <= killed + 0.001:
                time.sleep(0.005)
            back.append(env.answered - killed)
        over.set()

    killer = threading.Thread(target=kill, daemon=True)
    try:
        agent.learn(1)
        killer.start()
        while not over.is_set():
            agent.learn(50)
        agent.learn(50)
    finally:
        env.close()
        plant.end()
    return Killed(n, env.cut, back, same(agent, _cut(agent.progress.ticks, env, seed)))


def _cut(ticks: int, env: Counted, seed: int) -> Agent:
    """The same run here, cut at the same steps."""
    agent = load_agent(AGENT, Cut(gymnasium.make(ENV), env.cut), seed)
    while agent.progress.ticks < ticks:
        agent.learn(1)
    return agent


def controller_stops(
    n: int, folder: Path, more: int = 500, seed: int = 0, alive_s: float = 1.0, stops: Sequence[int] = STOPS
) -> Killed:
    """Stop `neuroloop run` on a plant in lockstep `n` times, up to `alive_s` s after it began to learn, by `stops` in turn.

    Each time it goes on from its checkpoint, at last for `more` steps; what a killed one did since is done again.
    """
    endpoint, rng, saved = f"ipc://{folder}/plant.ipc", np.random.default_rng(seed), folder / "run.zip"
    plant, back, what = Plant(endpoint), list[float](), [AGENT, "--seed", str(seed)]
    try:
        for k in range(n):
            back.append(_stopped(what, endpoint, saved, stops[k % len(stops)], alive_s * rng.random()))
            what = ["--resume", str(saved)]
        steps = int(read(saved).facts["steps"]) + more
        last, screen = _run([*what, "--steps", str(steps)], endpoint, saved)
        _ended(last, screen, 0)
        there = Agent.load(saved, gymnasium.make(ENV))
    finally:
        plant.end()
    here = load_agent(AGENT, ENV, seed)
    here.learn(there.progress.steps)
    return Killed(n, [], back, same(here, there))


def _stopped(what: list[str], endpoint: str, saved: Path, how: int, after_s: float) -> float:
    """A run that is stopped some time after it began to learn; returns the s until then."""
    began = time.monotonic()
    run, screen = _run([*what, "--steps", str(10**9)], endpoint, saved)
    screen.read(1)  # the live line
    learns = time.monotonic() - began
    time.sleep(after_s)
    run.send_signal(how)
    _ended(run, screen, -how if how == signal.SIGKILL else 128 + how)
    return learns


def _run(what: list[str], endpoint: str, saved: Path) -> tuple[subprocess.Popen[bytes], BinaryIO]:
    """A run, and the terminal that it shows itself on."""
    command = [
        sys.executable,
        "-m",
        "neuroloop",
        "run",
        *what,
        "--connect",
        endpoint,
        "--keep-on",
        "--save",
        str(saved),
    ]
    ours, theirs = os.openpty()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    return run, open(ours, "rb", buffering=0)


def _ended(run: subprocess.Popen[bytes], screen: BinaryIO, code: int) -> None:
    """Wait for its end. Raises `RuntimeError` with what it showed for another exit code."""
    shown = b""
    with screen, contextlib.suppress(OSError):  # a terminal that nobody has open any more
        while more := screen.read(1 << 16):
            shown = more
    if run.wait() != code:
        raise RuntimeError(f"exit code {run.returncode}: {shown.decode(errors='replace')}")


def same(a: Agent, b: Agent) -> bool:
    """Whether two agents learned the same, bit for bit."""
    mine, theirs = a.controller.state(), b.controller.state()
    return (
        mine.keys() == theirs.keys()
        and all(np.array_equal(mine[key], theirs[key]) for key in mine)
        and (a.progress.returns, a.progress.lengths) == (b.progress.returns, b.progress.lengths)
        and (a.progress.steps, a.progress.ticks) == (b.progress.steps, b.progress.ticks)
    )
