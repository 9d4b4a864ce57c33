"""Whether a run that is killed at random moments, and resumed each time, ends in the bits of one that never was."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..agent import Agent, load_agent
from ..checkpoint import read_facts
from .kills import AGENT, ENV, same
from .link_processes import Process, end, start, until

EVERY = 200  # environment steps between two checkpoints
LAST = 0.8  # of the run, in which the kills are


class Resumed(NamedTuple):
    """What came of it."""

    kills: list[int]  # the step of the checkpoint that was there at each
    steps: int  # in the end
    same: bool  # whether all bits of the controller, and all returns, are those of the straight run


def resumed(kills: int, steps: int, folder: Path, seed: int = 0) -> Resumed:
    """`neuroloop run`, killed so many times and resumed from its latest checkpoint; beside it the same run in one go."""
    saved, rng = folder / "run.zip", np.random.default_rng(seed)
    what, killed = [AGENT, "--seed", seed], list[int]()
    for moment in np.sort(rng.uniform(0.0, LAST * steps, kills)):
        process = _run(what, steps, saved)
        try:
            _wait_for(process, saved, int(moment))
            time.sleep(0.05 * rng.random())
            process.send_signal(signal.SIGKILL)
            if process.wait() != -signal.SIGKILL:
                break  # it came to its end just before
        finally:
            end(process)
        killed.append(_steps(saved))
        what = ["--resume", saved]
    last = _run(what, steps, saved)
    if last.wait() != 0:
        raise RuntimeError(f"{last.args!r}: ended with {last.returncode}")
    straight, there = load_agent(AGENT, ENV, seed), Agent.load(saved)
    straight.learn(steps)
    return Resumed(killed, there.progress.steps, same(straight, there))


def _run(what: list[object], steps: int, saved: Path) -> Process:
    words = (*what, "--steps", steps, "--keep-on", "--checkpoint-every", EVERY, "--save", saved)
    return start("-m", "neuroloop", "run", *map(str, words))


def _steps(saved: Path) -> int:
    return int(read_facts(saved)[1]["steps"])


def _wait_for(process: Process, saved: Path, moment: int) -> None:
    """Wait until a checkpoint of this process has come so far, or it ends. Raises `RuntimeError` for a failure."""
    before = _stamp(saved)
    until(lambda: process.poll() is not None or (_stamp(saved) != before and _steps(saved) >= moment))
    if process.poll():
        raise RuntimeError(f"{process.args!r}: ended with {process.returncode} before step {moment}")


def _stamp(saved: Path) -> int:
    """Another number for each checkpoint that was written there."""
    return saved.stat().st_mtime_ns if saved.exists() else 0
