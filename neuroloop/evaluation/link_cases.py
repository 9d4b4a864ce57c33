"""What the suite `link` drives: a plant that does nothing but write down when, and agents of the sizes of B1 and B2."""

from __future__ import annotations

import gc
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..agent import Agent
from ..config import from_dict
from .engine_cases import ClosedLoop

ENV_ID = "LinkBench-v0"
PLANT = f"{__name__}:{ENV_ID}"  # as `neuroloop serve` takes it
N_ACTIONS = 2
ROUND = 200  # observations, after which they come again
ROWS = 1 << 17  # of a log
LOOK_EVERY = 500  # steps between two looks at the process's memory, which cost as much as a short tick
PAGE = os.sysconf("SC_PAGE_SIZE")


class Log:
    """Rows of int64 in a file that several processes map: one writes, others read along."""

    COLUMNS = ("t_ns", "command", "blocks", "rss", "collections")

    def __init__(self, path: str | Path, make: bool = False) -> None:
        self._rows = np.memmap(path, np.int64, "w+" if make else "r+", shape=(ROWS + 1, len(self.COLUMNS)))
        self._n = int(self._rows[0, 0])
        self._rows.sum()  # so that its pages are there before a clock runs

    def add(self, *row: int) -> None:
        """Write a row, if there is room; readers see it once it is whole."""
        if self._n < ROWS:
            self._n += 1
            self._rows[self._n] = row
            self._rows[0, 0] = self._n

    def column(self, name: str, first: int = 0) -> NDArray[np.int64]:
        """A copy of a column, from a row on."""
        return np.array(self._rows[1 + first : 1 + self.n, self.COLUMNS.index(name)])

    @property
    def n(self) -> int:
        """Rows that are there."""
        return int(self._rows[0, 0])


class Silent(gymnasium.Env[Any, Any]):
    """Shows `n` numbers and pays nothing; its episodes do not end. A `log` gets the time and the command of every step."""

    render_mode = None
    fail_safe = 0

    def __init__(self, n: int = 64, dt: float = 0.01, log: str | None = None, look: bool = False) -> None:
        self.dt = dt
        self.observation_space = spaces.Box(-1.0, 1.0, (n,), np.float32)
        self.action_space = spaces.Discrete(N_ACTIONS)
        self._shown = np.random.default_rng(0).uniform(-1.0, 1.0, (ROUND, n)).astype(np.float32)
        self._log, self._look, self.n = None if log is None else Log(log), look, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.n = 0
        return self._shown[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.n += 1
        if self._log is not None:
            t_ns, look = time.monotonic_ns(), self._look and self.n % LOOK_EVERY == 0
            self._log.add(t_ns, int(action), *(memory() if look else (0, 0, 0)))
        return self._shown[self.n % ROUND], 0.0, False, False, {}


gymnasium.register(ENV_ID, f"{__name__}:Silent", disable_env_checker=True, order_enforce=False)


def memory() -> tuple[int, int, int]:
    """Blocks that Python has allocated, bytes in memory, and how often the garbage collector ran."""
    with open("/proc/self/statm", "rb") as file:
        pages = int(file.read().split()[1])
    return sys.getallocatedblocks(), pages * PAGE, sum(generation["collections"] for generation in gc.get_stats())


def agent(spec: ClosedLoop, env: gymnasium.Env[Any, Any], seed: int = 0) -> Agent:
    """An agent as large as B1 or B2, with an encoder before its network and a decoder behind it: rates of inputs and hidden
    neurons are those of the benchmark, or somewhat above."""
    n_inputs, *hidden, n_outputs = spec.sizes
    layers = ["encoder", *(f"hidden{k}" for k in range(len(hidden))), "motor"]
    populations = {f"hidden{k}": _lif(spec, n=n) for k, n in enumerate(hidden)}
    populations["motor"] = _lif(spec, n_per_action=n_outputs // N_ACTIONS)
    projections = {f"to_{post}": _projection(pre, post) for pre, post in pairwise(layers)}
    return Agent(
        from_dict(
            {
                "clock": {"period": 1e-3 * spec.steps, "dt": 1e-3, "n_steps": spec.steps},
                "encoder": {
                    "kind": "rate", "channels": "value", "spikes": "poisson", "max_rate": 2.0 * spec.rate,
                    "normalise": {"kind": "fixed", "low": [-1.0] * n_inputs, "high": [1.0] * n_inputs},
                },
                "population": populations,
                "projection": projections,
                "decoder": {"kind": "winner-take-all", "population": "motor", "decide_after": 0.5e-3 * spec.steps},
                "learner": {"kind": "r-stdp", "modulates": list(projections)},
            }
        ),
        env, seed, f"{n_inputs}-{n_outputs}",
    )  # fmt: skip


def _lif(spec: ClosedLoop, **size: int) -> dict[str, Any]:
    return {**size, "kind": "lif", "tau_mem": 1e-3 * spec.tau_mem, "t_ref": 1e-3 * spec.t_ref, "reset": "never"}


def _projection(pre: str, post: str) -> dict[str, Any]:
    weights = {"weights": 1.2, "weights_spread": 0.6, "bounds": [0.0, 2.4]}
    return {"pre": pre, "post": post, **weights, "plasticity": {"kind": "r-stdp", "gain": 1e-4}}
