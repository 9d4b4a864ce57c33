"""An environment at its own speed."""

import time
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop.errors import BadInput
from neuroloop.loop.paced import Paced


class Steps(gymnasium.Env[Any, Any]):
    """Counts steps of 5 ms; an episode has 40."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Discrete(2)
    dt = 0.005

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.n += 1
        return np.zeros(1, np.float32), 1.0, False, self.n >= 40, {}


def test_an_episode_takes_its_time() -> None:
    env = Paced(Steps(), policy="stretch")
    env.reset()
    began = time.monotonic()
    for _ in range(40):
        env.step(0)
    assert time.monotonic() - began >= 39 * 0.005
    assert env.timing.n == 40
    assert env.timing.missed == 0
    assert (env.timing.column("age") >= env.timing.column("compute")).all()


def test_held_actions_fill_the_time_that_a_slow_controller_took() -> None:
    env = Paced(Steps(), policy="hold")
    env.reset()
    env.step(0)
    time.sleep(0.031)
    _, reward, _, _, _ = env.step(0)
    assert env.unwrapped.n == 2 + env.timing.missed  # type: ignore[attr-defined]
    assert reward == 1.0 + env.timing.missed
    assert env.timing.missed >= 4


def test_skipped_time_is_counted_but_not_played() -> None:
    env = Paced(Steps(), policy="skip")
    env.reset()
    env.step(0)
    time.sleep(0.031)
    assert env.step(0)[1] == 1.0
    assert env.unwrapped.n == 2  # type: ignore[attr-defined]
    assert env.timing.missed >= 4


def test_an_agent_learns_the_same_at_any_speed() -> None:
    agents = [
        neuroloop.load_agent("cartpole", env, 1)
        for env in (gymnasium.make("CartPole-v1"), Paced(gymnasium.make("CartPole-v1"), 0.0005))
    ]
    for agent in agents:
        agent.learn(total_steps=200)
    assert agents[0].progress.returns == agents[1].progress.returns


def test_who_does_not_tell_its_time_has_none() -> None:
    class Timeless(Steps):
        dt = None  # type: ignore[assignment]

    with pytest.raises(BadInput, match="does not say how long its steps last"):
        Paced(Timeless())
