"""What the tests of recordings share: plants of any space, and a sink that remembers what it was told."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import Recorder, Recording, load_agent
from neuroloop.activity import Activity
from neuroloop.agent import Agent
from neuroloop.recording.recorded import Recorded
from neuroloop.types import Tick


class AnyPlant(gymnasium.Env[Any, Any]):
    """Draws what is observed from a space; its episodes end after 7 steps."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any] | None = None) -> None:
        self.observation_space, self.steps = observation_space, 0
        self.action_space = spaces.Discrete(2) if action_space is None else action_space

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return self.observation_space.sample(), 0.1 * self.steps, self.steps == 7, False, {}


class Witness:
    """Remembers what it is told, and what the network did."""

    def __init__(self, agent: Agent) -> None:
        self.told: list[Recorded] = []
        self._activity = Activity(agent.controller)

    def put(self, tick: Tick) -> bool:
        activity = self._activity
        spikes = {name: array.copy() for name, array in {**activity.rasters, **activity.cells}.items()}
        numbers = dict(zip(activity.numbers, activity.read(), strict=True))
        kept = tick._replace(observation=copy.deepcopy(tick.observation), action=copy.deepcopy(tick.action))
        self.told.append(Recorded(kept, spikes, numbers, len(self.told)))
        return True

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        pass


def record(agent: Agent, path: Path, steps: int) -> tuple[Recorder, list[Recorded]]:
    """Record a run; returns the recorder, and what really happened."""
    witness = Witness(agent)
    with Recorder(path, agent) as recorder, agent.watched(by=recorder), agent.watched(by=witness):
        agent.learn(steps)
    return recorder, witness.told


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal to the last bit, their dtypes too."""
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in b)
    if isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(a == b)


@pytest.fixture(scope="session")
def cartpole(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """300 control steps of an agent that learns."""
    path = tmp_path_factory.mktemp("recordings") / "cartpole.mcap"
    record(load_agent("cartpole", seed=1), path, 300)
    return Recording(path)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few kilobytes of a random agent."""
    path = tmp_path_factory.mktemp("recordings") / "small.mcap"
    record(load_agent("random", "CartPole-v1"), path, 20)
    return path
