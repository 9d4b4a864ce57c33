"""An environment at its own speed."""

import time
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop.errors import BadInput
from neuroloop.loop.clock import MOST_HELD
from neuroloop.loop.paced import Paced


class Steps(gymnasium.Env[Any, Any]):
    """Counts steps of 5 ms; an episode has 40."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Discrete(2)
    dt = 0.005

    def __init__(self, length: int = 40) -> None:
        self.length, self.done, self.given = length, list[Any](), list[Any]()

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.n += 1
        self.done.append(action)
        self.given.append(np.copy(action))
        return np.zeros(1, np.float32), 1.0, False, self.n >= self.length, {}


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
    steps = Steps()
    env = Paced(steps, policy="hold")
    env.reset()
    env.step(0)
    time.sleep(0.031)
    _, reward, _, _, info = env.step(1)
    held = env.timing.held
    assert held >= 4
    assert steps.done == [0] * (1 + held) + [1]  # what was done before, as a served plant does
    assert reward == 1.0 + held
    assert (env.timing.missed, info["timing"].left_out) == (0, 0)
    assert env.timing.column("held").tolist() == [0, held]
    assert env.timing.report()["held"] == held


def test_at_most_so_many_steps_are_made_up_for_at_once_and_none_before_the_first() -> None:
    steps = Steps(length=10_000)
    env = Paced(steps, period=0.0001, policy="hold")
    env.reset()
    time.sleep(0.03)
    env.step(0)
    assert steps.done == [0]
    missed = env.timing.missed
    time.sleep(0.03)
    env.step(1)
    assert len(steps.done) == 2 + MOST_HELD
    assert env.timing.held == MOST_HELD
    assert env.timing.missed - missed >= 299 - MOST_HELD


def test_an_action_is_held_as_it_was_also_where_its_array_is_written_anew() -> None:
    steps, action = Steps(), np.zeros(1)
    env = Paced(steps, policy="hold")
    env.reset()
    env.step(action)
    time.sleep(0.031)
    action[0] = 1.0
    env.step(action)
    assert [float(one[0]) for one in steps.given] == [0.0] * (1 + env.timing.held) + [1.0]


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

    with pytest.raises(BadInput, match=r"does not say how long its steps last.*serve .* --realtime --period SECONDS"):
        Paced(Timeless())
