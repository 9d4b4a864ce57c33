"""How well a loop keeps its time, beside what the machine can do; and whether ticks that were left out are all noted.

Lateness is that of a 1 kHz loop with an agent as large as B2 in it. Beside it, in turns, cyclictest (of rt-tests) sleeps in C
and does nothing else, or, where that is not installed, our own clock without any work.

    python -m neuroloop.evaluation.link_pace ENDPOINT LOG NOTES     a plant at 500 Hz, which writes down its notes in the end
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..link.remote import RemoteEnv
from ..link.server import PlantServer
from ..loop.clock import Clock
from ..loop.paced import Paced
from ..loop.priority import PRIORITY, undisturbed
from . import link_cases as cases
from .engine_cases import B2
from .link_processes import STARTING, folder, started, until

PERIOD = 0.001  # s
HZ = 500
LONGEST_US = 200_000  # that cyclictest tells apart
_BAR = re.compile(rb"^(\d{6,}) (\d+)$", re.MULTILINE)


class Lateness(NamedTuple):
    """p99 of each turn, µs, and of what kind they are."""

    ours: list[float]
    theirs: list[float]
    beside: str  # what ran beside
    scheduling: str
    all: NDArray[np.int64]  # ns, of every tick of ours


def lateness(ticks: int, turns: int) -> Lateness:
    """Our loop and the other one in turns of so many ticks each, with SCHED_FIFO if it is permitted, else both without."""
    env = Paced(cases.Silent(B2.sizes[0]), PERIOD)
    agent = cases.agent(B2, env)
    agent.learn(100)
    with undisturbed(fifo=True) as refused:
        fifo = not any("SCHED_FIFO" in line for line in refused)
    tool = shutil.which("cyclictest")
    ours, theirs, every = list[float](), list[float](), list[NDArray[np.int64]]()
    for _ in range(turns):
        with undisturbed(fifo):
            agent.learn(ticks)
        every.append(env.timing.column("late")[-ticks:].copy())
        ours.append(float(np.percentile(every[-1], 99)) / 1e3)
        theirs.append(_cyclictest(tool, ticks, fifo) if tool else _bare(ticks, fifo))
    scheduling = f"SCHED_FIFO {PRIORITY}" if fifo else "ordinary scheduling, SCHED_FIFO is not permitted"
    beside = "cyclictest" if tool else "our clock without work, cyclictest is not installed"
    return Lateness(ours, theirs, beside, scheduling, np.concatenate(every))


def _cyclictest(tool: str, ticks: int, fifo: bool) -> float:
    """p99 of its latencies, µs."""
    priority = ["-p", str(PRIORITY)] if fifo else ["--policy", "other"]
    period = ["-i", str(round(1e6 * PERIOD)), "-l", str(ticks)]
    words = [tool, "-q", "-m", "-t", "1", *priority, *period, "-h", str(LONGEST_US)]
    done = subprocess.run(words, capture_output=True, check=True)
    return percentile_of(done.stdout, 99)


def percentile_of(report: bytes, percent: float) -> float:
    """A percentile (µs) of the histogram that cyclictest prints. Raises `ValueError` where there is none."""
    bars = [(int(us), int(n)) for us, n in _BAR.findall(report) if int(n)]
    if not bars:
        raise ValueError(f"cyclictest: no histogram in {report[-300:]!r}")
    us, n = np.array(bars).T
    return float(us[np.searchsorted(np.cumsum(n), n.sum() * percent / 100)])


def _bare(ticks: int, fifo: bool) -> float:
    clock, late = Clock(PERIOD), np.zeros(ticks, np.int64)
    with undisturbed(fifo):
        clock.start()
        for k in range(ticks):
            late[k], _ = clock.wait()
    return float(np.percentile(late, 99)) / 1e3


class Kept(NamedTuple):
    """A plant's notes of its ticks, and what its environment wrote down of the same ticks."""

    late: NDArray[np.int64]  # ns
    left_out: NDArray[np.int64]  # before each tick
    times: NDArray[np.int64]  # ns, when each step was done
    answered: int  # ticks that the controller acted on

    @property
    def gaps(self) -> NDArray[np.int64]:
        """Ticks that are missing before each but the first in the grid, by the times at which the environment was stepped."""
        due = self.times - self.late  # a little after, by what it takes to get from the clock to the environment
        places = np.round((due - due[0]) * HZ / 1e9).astype(np.int64)
        return np.asarray(np.diff(places) - 1)


def plant_at_500_hz(seconds: float) -> Kept:
    """A plant in a process of its own that keeps its time for so long, driven by an agent as large as B2."""
    with folder() as place:
        endpoint, notes = f"ipc://{place}/plant.ipc", place / "notes.npz"
        log = cases.Log(place / "log", make=True)
        with started("-m", __name__, endpoint, place / "log", notes) as process:
            until((place / "plant.ipc").exists, process)
            env = RemoteEnv(endpoint)
            agent = cases.agent(B2, env)
            agent.learn(10**9, callback=lambda _: log.n < seconds * HZ)
            answered = agent.progress.steps
            env.close()
            process.send_signal(signal.SIGTERM)
            process.wait(STARTING)
            with np.load(notes) as found:
                late, left_out = found["late"], found["left_out"]
        return Kept(late, left_out, log.column("t_ns")[: late.size], answered)


def serve(endpoint: str, path: str, notes: str) -> None:
    """Serve the plant until SIGTERM."""
    begun = list[int]()

    class Noting(cases.Silent):
        def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
            begun.append(server.timing.n + 1)  # the tick that resets is not a step
            return super().reset(**options)

    with PlantServer(Noting(B2.sizes[0], 1.0 / HZ, path), endpoint, cases.ENV_ID) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.serve_in_real_time(fifo=True)
    columns = {name: server.timing.column(name)[begun[0] :] for name in ("late", "left_out")}
    np.savez(Path(notes), **columns)  # type: ignore[arg-type]


if __name__ == "__main__":
    serve(*sys.argv[1:])
