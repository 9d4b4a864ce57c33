"""A Gymnasium environment as a plant: seeds, repeats, replays, and every way in which it can be no plant."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import Env, spaces

from neuroloop.errors import BadInput, PlantError
from neuroloop.loop.plant import Plant, make_env, step_time
from neuroloop.settings import PlantConfig


class Counting(Env[Any, Any]):
    """Pays 1, 2, 3 …; terminates after `end` steps."""

    observation_space = spaces.Box(0.0, 100.0, (1,))
    action_space = spaces.Discrete(2)

    def __init__(self, end: int = 5, odd: Any = 3.0) -> None:
        self.end, self.odd = end, odd

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.t += 1
        reward = self.odd if self.t == 3 else float(self.t)
        return np.full(1, self.t, np.float32), reward, self.t >= self.end, False, {}


def cartpole(seed: int) -> Plant:
    return Plant(PlantConfig(env="CartPole-v1"), None, seed)


def test_an_episode_is_a_function_of_seed_and_number_alone() -> None:
    plant, other = cartpole(3), cartpole(3)
    for episode in (5, 0, 2):
        plant.reset(episode)
    np.testing.assert_array_equal(plant.reset(7), other.reset(7))
    assert not np.array_equal(plant.reset(7), plant.reset(8))
    assert not np.array_equal(plant.reset(7), cartpole(4).reset(7))


def test_an_action_is_held_and_its_rewards_summed() -> None:
    plant = Plant(PlantConfig(action_repeat=3), Counting(), 0)
    plant.reset(0)
    first = plant.exchange(0)
    assert (first.reward, first.n_steps, first.terminated) == (1.0 + 2.0 + 3.0, 3, False)
    second = plant.exchange(0)
    assert (second.reward, second.n_steps, second.terminated) == (4.0 + 5.0, 2, True)


def test_a_replayed_episode_is_where_it_was() -> None:
    plant = cartpole(1)
    plant.reset(4)
    for action in (0, 1, 1, 0):
        seen = plant.exchange(action).observation
    plant.reset(9)
    np.testing.assert_array_equal(plant.replay(4, [0, 1, 1, 0]), seen)


def test_an_episode_that_ends_when_replayed_is_an_error() -> None:
    with pytest.raises(PlantError, match="episode 0 ended at action 5 of 6 when replayed"):
        Plant(PlantConfig(), Counting(), 0).replay(0, [0] * 6)


@pytest.mark.parametrize(
    ("reward", "says"),
    [
        (float("nan"), "the reward is nan; rewards must be finite"),
        (float("-inf"), "the reward is -inf"),
        (None, "the reward is None; rewards must be numbers"),
        (np.ones(1), "rewards must be numbers"),
        ("1 apple", "rewards must be numbers"),
    ],
)
def test_a_reward_that_is_no_number_is_an_error(reward: Any, says: str) -> None:
    plant = Plant(PlantConfig(action_repeat=4), Counting(odd=reward), 0)
    plant.reset(0)
    with pytest.raises(PlantError, match=says):
        plant.exchange(0)


def test_the_criterion_is_the_files_or_else_the_environments() -> None:
    assert cartpole(0).criterion == 475.0
    assert Plant(PlantConfig(env="CartPole-v1", criterion=50.0), None, 0).criterion == 50.0
    assert Plant(PlantConfig(env="Pendulum-v1"), None, 0).criterion is None
    assert Plant(PlantConfig(), Counting(), 0).criterion is None


def test_an_environment_is_known_by_its_id_or_its_class() -> None:
    assert cartpole(0).env_id == "CartPole-v1"
    assert Plant(PlantConfig(env="CartPole-v1"), Counting(), 0).env_id == "Counting"
    assert Plant(PlantConfig(), gymnasium.make("Acrobot-v1"), 0).env_id == "Acrobot-v1"


def test_only_an_environment_made_here_is_closed_here() -> None:
    closed: list[int] = []

    class Closing(Counting):
        def close(self) -> None:
            closed.append(1)

    Plant(PlantConfig(), Closing(), 0).close()
    assert closed == []


@pytest.mark.parametrize(
    ("env_id", "lasts"),
    [
        ("CartPole-v1", 0.02), ("Acrobot-v1", 0.2), ("Pendulum-v1", 0.05), ("MountainCar-v0", None), ("FrozenLake-v1", None),
        ("neuroloop/TwoCues-v0", None),
    ],
)  # fmt: skip
def test_how_long_a_step_lasts_is_known_only_where_the_environment_says_so(env_id: str, lasts: float | None) -> None:
    assert step_time(make_env(PlantConfig(env=env_id))) == lasts


def test_a_time_constant_is_not_taken_for_the_length_of_a_step() -> None:
    env = Counting()
    assert step_time(env) is None
    env.tau = 0.02  # type: ignore[attr-defined]
    assert step_time(env) is None
    env.dt = "soon"  # type: ignore[attr-defined]
    assert step_time(env) is None


def test_arguments_reach_the_environment() -> None:
    config = PlantConfig(env="FrozenLake-v1", arguments={"map_name": "8x8"})
    assert Plant(config, None, 0).env.observation_space == spaces.Discrete(64)


@pytest.mark.parametrize(
    ("env_id", "says"),
    [
        ("CartPol-v1", "did you mean 'CartPole-v1'?"),
        ("cartpole-v1", "did you mean 'CartPole-v1'?"),
        ("CartPole-v9", "did you mean 'CartPole-v"),
        ("neuroloop/PoleBalanc-v0", "did you mean 'neuroloop/PoleBalance-v0'?"),
        ("neurolop/PoleBalance-v0", "`neuroloop`"),
        ("ALE/Pong-v5", "ALE/Pong-v5: Namespace ALE not found"),
        ("qqqqqqq", "`neuroloop envs` lists what is installed"),
        ("a/b/c", "Malformed environment ID"),
        ("nowhere:Thing-v0", "No module named 'nowhere'"),
        ("", "name an environment with --env"),
    ],
)
def test_an_id_that_cannot_be_made_is_bad_input_with_a_hint(env_id: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        make_env(PlantConfig(env=env_id))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_arguments_that_an_environment_does_not_take_are_bad_input() -> None:
    says = (
        r"^plant\.arguments\.wheels: unknown argument of CartPole-v1 'wheels': known: render_mode, sutton_barto_reward$"
    )
    with pytest.raises(BadInput, match=says):
        make_env(PlantConfig(env="CartPole-v1", arguments={"wheels": 4}))
    with pytest.raises(BadInput, match=r"^plant\.arguments\.gravity: .* 'gravity': known: g, render_mode$"):
        make_env(PlantConfig(env="Pendulum-v1", arguments={"gravity": 4}))
    with pytest.raises(BadInput, match=r"^plant\.arguments\.perod: .*: did you mean 'period'\?$"):
        make_env(
            PlantConfig(env="neuroloop.sensors.files.playback:EventPlayback-v0", arguments={"perod": 1, "path": "a"})
        )
    with pytest.raises(BadInput, match=r"^plant\.arguments: .* does not take {}: .*missing 1 required .* 'path'"):
        make_env(PlantConfig(env="neuroloop.sensors.files.playback:EventPlayback-v0"))


def test_without_pybullet_its_worlds_say_so_in_one_sentence() -> None:
    code = "import sys; sys.modules['pybullet'] = None; from neuroloop.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "pole", "--steps", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.11" in done.stderr or "need Python 3.11" in done.stderr
    assert "pip install pybullet" in done.stderr
