"""Evaluation: whole episodes, on seeds that can be chosen, which must end."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop.errors import BadInput, PlantError
from neuroloop.loop.playing import Played


class Endless(gymnasium.Env[Any, Any]):
    """Episodes of `length` steps that pay 1; they never end if it is 0. What a step returns is noted by its seed."""

    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 0, spoilt_at: int = -1) -> None:
        self.length, self.spoilt_at = length, spoilt_at
        self.total, self.seeds = 0, list[int | None]()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        self.seeds.append(seed)
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t, self.total = self.t + 1, self.total + 1
        seen = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        if self.total == self.spoilt_at:
            seen[0] = np.nan
        return seen, 1.0, self.t == self.length, False, {}


def agent(name: str, env: gymnasium.Env[Any, Any], *overrides: str) -> neuroloop.Agent:
    return neuroloop.load_agent(name, env, overrides=overrides)


def test_playing_learns_nothing_and_begins_every_episode_afresh() -> None:
    player = agent("default", Endless(length=7), "warm_up.decisions=5")
    player.learn(100)
    before = player.controller.state()
    assert player.evaluate(3).tolist() == [7.0, 7.0, 7.0]
    after = player.controller.state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_an_episode_that_never_ends_is_an_error_that_says_what_to_do() -> None:
    says = (
        r"^Endless: evaluation episode 0 did not end within 500 environment steps; give the environment a time limit "
        r"\(gymnasium\.wrappers\.TimeLimit, or max_episode_steps"
    )
    with pytest.raises(PlantError, match=says):
        agent("random", Endless()).evaluate(2, longest=500)


def test_without_a_limit_of_its_own_an_episode_may_take_100_000_steps() -> None:
    with pytest.raises(PlantError, match="within 100000 environment steps"):
        agent("random", Endless()).evaluate(1)


def test_a_longer_limit_of_the_environment_counts() -> None:
    gymnasium.register("Long-v0", lambda: Endless(), max_episode_steps=100_200, disable_env_checker=True)
    try:
        assert agent("random", gymnasium.make("Long-v0")).evaluate(1).tolist() == [100_200.0]
    finally:
        del gymnasium.registry["Long-v0"]


def test_an_episode_may_end_with_the_last_step_allowed() -> None:
    assert agent("random", Endless(length=10)).evaluate(2, longest=10).tolist() == [10.0, 10.0]


def test_an_error_while_playing_names_the_episode_of_the_evaluation() -> None:
    says = r"^Endless, evaluation episode 1, environment step 3: observation\[0\] is nan"
    with pytest.raises(PlantError, match=says):
        agent("default", Endless(length=10, spoilt_at=13), "plant.action_repeat=1").evaluate(3)


def test_two_agents_meet_the_same_episodes_where_they_are_given_a_seed() -> None:
    seeds = []
    for seed in (1, 2):
        env = Endless(length=5)
        neuroloop.load_agent("random", env, seed=seed).evaluate(3, seed=40)
        seeds.append(env.seeds[-3:])
    assert seeds == [[40, 41, 42], [40, 41, 42]]
    linear = [neuroloop.load_agent("random", "CartPole-v1", seed=3).evaluate(4, seed=8).tolist() for _ in range(2)]
    assert linear[0] == linear[1]


def test_a_seed_of_an_evaluation_leaves_training_as_it_was() -> None:
    straight, asked = (neuroloop.load_agent("cartpole", seed=3) for _ in range(2))
    straight.learn(600)
    asked.learn(311)
    default = asked.evaluate(2)
    asked.evaluate(2, seed=5)
    np.testing.assert_array_equal(asked.evaluate(2), default)
    asked.learn(600 - 311)
    assert asked.progress.returns == straight.progress.returns


def test_a_callback_hears_what_was_played_and_may_leave_the_rest_out() -> None:
    heard: list[tuple[int, int]] = []

    def enough(played: Played) -> bool:
        heard.append((len(played.returns), played.steps))
        return False

    returns = agent("random", Endless(length=50)).evaluate(10**9, callback=enough)
    assert returns.shape == (heard[0][0],)
    assert heard[0][1] // 50 == heard[0][0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"episodes": 0}, "episodes: must be at least 1, got 0"),
        ({"episodes": -1}, "episodes: must be at least 1, got -1"),
        ({"episodes": 2.5}, "episodes: must be a whole number, got 2.5"),
        ({"seed": -1}, r"seed: must be from 0 to 2\*\*53 - 1, got -1"),
        ({"seed": "x"}, "seed: must be a whole number, got 'x'"),
        ({"longest": 0}, "longest: must be at least 1, got 0"),
        ({"callback": 5}, "callback: must be a function, got 5"),
    ],
)
def test_what_cannot_be_played_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=f"^{says}$"):
        agent("random", Endless(length=5)).evaluate(**arguments)
