"""Worlds to examine agents in, and records made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from neuroloop.diagnosis.record import GOES_ON, TERMINATED, Record


class Walk(gymnasium.Env[Any, Any]):
    """A random walk of `length` steps; rewards, ends and observations as asked."""

    observation_space = gymnasium.spaces.Box(-10.0, 10.0, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(
        self, length: int | None = 40, reward: Callable[[int, int], float] = lambda t, action: float(action), bad: int = 0
    ) -> None:  # fmt: skip
        self.length, self.reward, self.bad, self.n = length, reward, bad, 0
        self.given: list[float] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        self.n += 1
        self.given.append(self.reward(self.t, int(action)))
        return self._observe(), self.given[-1], self.t == self.length, False, {}

    def _observe(self) -> Any:
        observation = self.np_random.uniform(-1.0, 1.0, 2).astype(np.float32)
        if self.bad and self.n >= self.bad:
            observation[1] = np.nan
        return observation


@pytest.fixture
def walk() -> type[Walk]:
    return Walk


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes a record of ten episodes of twenty decisions; keyword arguments are parts to change."""

    def make(**parts: Any) -> Record:
        n = parts.pop("n", 200)
        ended = np.full(n, GOES_ON, np.int8)
        ended[19::20] = TERMINATED
        rewards = np.random.default_rng(0).normal(size=n)
        common: dict[str, Any] = {
            "agent": "a", "env": "E-v0", "seed": 0, "kind": "spiking", "action_repeat": 1, "n_plant_steps": n,
            "reward": rewards, "paid": parts.get("reward", rewards), "ended": ended, "awake": np.ones(n, np.bool_),
        }  # fmt: skip
        return Record(**common | parts)

    return make
