"""An episode whose plant went away is no return, teaches nothing of its last step, and begins anew with its seed."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import neuroloop
from neuroloop.evaluation.kills import Cut
from neuroloop.loop.plant import Plant
from neuroloop.loop.playing import play
from neuroloop.settings import PlantConfig
from neuroloop.types import Tick


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.closed: list[int] = []

    def put(self, tick: Tick) -> bool:
        self.ticks.append(tick)
        return True

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        self.closed.append(episode)


class Counts(gymnasium.Env[Any, Any]):
    """Episodes of five steps that pay 1; remembers its seeds."""

    observation_space = gymnasium.spaces.Box(-10.0, 10.0, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.n = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.n += 1
        return np.array([self.n], np.float32), 1.0, self.n == 5, False, {}


def test_a_lost_episode_is_no_return_and_begins_anew_with_its_seed() -> None:
    env, seen = Counts(), Listener()
    agent = neuroloop.load_agent("random", Cut(env, [8]))
    with agent.watched(seen):
        agent.learn(17)
    assert agent.progress.returns == [5.0, 5.0, 5.0]
    assert agent.progress.steps == 17  # two steps of the lost episode were done, and are counted
    assert len(set(env.seeds[:3])) == 2
    assert env.seeds[1] == env.seeds[2]
    unanswered = [tick.tick for tick in seen.ticks if tick.outcome is None]
    assert unanswered == [7]
    assert [tick.tick for tick in seen.ticks] == list(range(len(seen.ticks)))
    assert seen.ticks[8].first
    assert seen.closed == [0, 1, 2]


def test_lost_episodes_are_evaluated_and_replayed_again() -> None:
    env = Cut(Counts(), [3, 13])
    plant, agent = Plant(PlantConfig(), env, 0), neuroloop.load_agent("random", Counts())
    assert play(plant, agent.controller, range(2)).tolist() == [5.0, 5.0]
    assert plant.replay(0, [0, 1, 0]).tolist() == [3.0]


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_in_a_vector_environment_too(mode: AutoresetMode) -> None:
    envs = [Cut(Counts(), [8]), Cut(Counts(), [])]
    vector = SyncVectorEnv([lambda env=env: env for env in envs], autoreset_mode=mode)  # type: ignore[misc]
    agents = [neuroloop.load_agent("random", Counts(), seed) for seed in range(2)]
    neuroloop.VectorAgent(agents, vector).learn(30)
    for agent in agents:
        assert set(agent.progress.returns) == {5.0}
