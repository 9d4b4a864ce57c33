"""The Python interface, as it is documented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import Env, spaces

import neuroloop

SHORT_WARM_UP = ["warm_up.decisions=20"]


class Tiny(Env[Any, Any]):
    """Observations and rewards drawn from its seed; episodes of 25 steps. It insists on actions of its space."""

    def __init__(self, observation_space: Any = None, action_space: Any = None) -> None:
        self.observation_space = observation_space or spaces.Box(-1.0, 1.0, (2,))
        self.action_space = action_space or spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.t = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.t += 1
        return self.observation_space.sample(), float(self.np_random.random()), False, self.t >= 25, {}


def test_it_works_as_the_readme_says(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("cartpole")
    agent.learn(total_steps=500)
    observation = gymnasium.make("CartPole-v1").reset(seed=1)[0]
    action, state = agent.predict(observation)
    agent.save(tmp_path / "agent.zip")
    again, _ = neuroloop.Agent.load(tmp_path / "agent.zip").predict(observation)
    assert again == action
    assert action in (0, 1)
    second, _ = agent.predict(observation, state)
    assert second in (0, 1)


def test_importing_it_loads_nothing_else() -> None:
    code = (
        "import sys, neuroloop; "
        "print([m for m in ('numpy', 'numba', 'gymnasium', 'pybullet', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in neuroloop.__all__:
        assert getattr(neuroloop, name) is not None
        assert name in dir(neuroloop)
    with pytest.raises(AttributeError, match="has no attribute 'agnet'"):
        neuroloop.agnet  # noqa: B018


def test_learning_goes_on_where_it_stopped() -> None:
    once, twice = (neuroloop.load_agent("cartpole", seed=21) for _ in range(2))
    once.learn(700)
    twice.learn(300)
    twice.learn(400)
    assert twice.progress.steps == 700
    assert twice.progress.returns == once.progress.returns


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, same, other = (neuroloop.load_agent("cartpole", seed=seed).learn(600).returns for seed in (21, 21, 22))
    assert first == same
    assert first != other


def test_learning_stops_after_so_many_episodes_in_all() -> None:
    agent = neuroloop.load_agent("cartpole", seed=21)
    agent.learn(10_000, episodes=3)
    assert len(agent.progress.returns) == 3
    agent.learn(10_000, episodes=3)
    assert len(agent.progress.returns) == 3
    agent.learn(10_000, episodes=5)
    assert len(agent.progress.returns) == 5


def test_a_callback_that_returns_false_stops_learning() -> None:
    agent = neuroloop.load_agent("cartpole", seed=21)
    agent.learn(10**9, callback=lambda progress: progress.steps < 2_000)
    assert 2_000 <= agent.progress.steps < 10**6


def test_evaluating_gives_one_return_an_episode_and_the_same_every_time() -> None:
    agent = neuroloop.load_agent("cartpole", seed=21)
    agent.learn(1_000)
    first, second = agent.evaluate(4), agent.evaluate(4)
    assert first.shape == (4,)
    np.testing.assert_array_equal(first, second)


def test_predicting_an_episode_by_hand_gives_the_return_that_evaluating_gives() -> None:
    agent = neuroloop.load_agent("cartpole", seed=21)
    agent.learn(2_000)
    evaluated = agent.evaluate(1)[0]
    plant = agent._plant  # its seed for the first episode of an evaluation is the only thing not public
    observation, state, total, ended = plant.reset(1 << 32), None, 0.0, False
    while not ended:
        action, state = agent.predict(observation, state)
        observation, reward, terminated, truncated, _ = plant.env.step(action)
        total, ended = total + float(reward), terminated or truncated
    assert total == evaluated


ACTIONS = {
    "Discrete": spaces.Discrete(3, start=5),
    "one choice": spaces.Discrete(1),
    "MultiDiscrete": spaces.MultiDiscrete([2, 3]),
    "MultiBinary": spaces.MultiBinary(2),
    "Box": spaces.Box(-2.0, 1.0, (2, 2)),
    "scalar Box": spaces.Box(-1.0, 1.0, ()),
    "whole numbers": spaces.Box(0, 5, (1,), np.int64),
}
OBSERVATIONS = {
    "Discrete": spaces.Discrete(4, start=-1),
    "MultiDiscrete": spaces.MultiDiscrete([2, 3]),
    "MultiBinary": spaces.MultiBinary((2, 2)),
    "picture": spaces.Box(0, 255, (4, 4), np.uint8),
    "scalar Box": spaces.Box(-1.0, 1.0, ()),
    "unbounded Box": spaces.Box(-np.inf, np.inf, (3,)),
    "Tuple": spaces.Tuple([spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,))]),
    "Dict": spaces.Dict(a=spaces.Discrete(3), b=spaces.Dict(c=spaces.MultiBinary(2))),
}
COMPOSITE = {
    "Tuple": spaces.Tuple([spaces.Discrete(2), spaces.Box(-1.0, 1.0, (2,))]),
    "Dict": spaces.Dict(a=spaces.Discrete(2), b=spaces.MultiBinary(2)),
}


def assert_goes_on_bit_for_bit(name: str, env: Any, other: Any, path: Path) -> None:
    """The agent learns, also after being saved and loaded in the middle of an episode."""
    overrides = [] if name == "random" else SHORT_WARM_UP
    straight = neuroloop.load_agent(name, env, seed=3, overrides=overrides)
    straight.learn(140)
    straight.save(path)
    resumed = neuroloop.Agent.load(path, other)
    straight.learn(100)
    resumed.learn(100)
    assert resumed.progress.returns == straight.progress.returns
    assert len(resumed.progress.returns) == 9
    assert [np.asarray(a).tolist() for a in flattened(resumed)] == [np.asarray(a).tolist() for a in flattened(straight)]


def flattened(agent: neuroloop.Agent) -> list[Any]:
    space = agent._plant.env.action_space
    return [spaces.flatten(space, action) for action in agent.progress.actions]


@pytest.mark.parametrize("name", ["default", "random"])
@pytest.mark.parametrize("action_space", ACTIONS.values(), ids=ACTIONS)
def test_an_agent_acts_in_a_space_it_has_never_seen(action_space: Any, name: str, tmp_path: Path) -> None:
    assert_goes_on_bit_for_bit(
        name, Tiny(action_space=action_space), Tiny(action_space=action_space), tmp_path / "a.zip"
    )


@pytest.mark.parametrize("name", ["default", "random"])
@pytest.mark.parametrize("observation_space", OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_an_agent_observes_a_space_it_has_never_seen(observation_space: Any, name: str, tmp_path: Path) -> None:
    assert_goes_on_bit_for_bit(name, Tiny(observation_space), Tiny(observation_space), tmp_path / "a.zip")


@pytest.mark.parametrize("action_space", COMPOSITE.values(), ids=COMPOSITE)
def test_the_random_agent_acts_in_composite_spaces_too(action_space: Any, tmp_path: Path) -> None:
    assert_goes_on_bit_for_bit(
        "random", Tiny(action_space=action_space), Tiny(action_space=action_space), tmp_path / "a.zip"
    )


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (Tiny(action_space=COMPOSITE["Tuple"]), "supported are Discrete, MultiDiscrete, MultiBinary and bounded Box"),
        (Tiny(action_space=spaces.Box(-np.inf, np.inf, (1,))), "finite bounds"),
        (Tiny(spaces.Text(3)), "supported are Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of these"),
        (Tiny(spaces.Box(0, 255, (96, 96, 3), np.uint8)), "27648 dimensions, more than 1024"),
    ],
)
def test_an_unsupported_space_is_refused_with_what_is_supported(env: Any, says: str) -> None:
    with pytest.raises(neuroloop.UnsupportedSpace, match=says):
        neuroloop.load_agent("default", env)


def test_a_vector_environment_is_refused() -> None:
    with pytest.raises(neuroloop.UnsupportedSpace, match="vector environment"):
        neuroloop.load_agent("default", gymnasium.make_vec("CartPole-v1", num_envs=2))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**53])
def test_a_seed_that_no_checkpoint_could_hold_is_refused(seed: int) -> None:
    with pytest.raises(neuroloop.BadInput, match="seed: must be from 0"):
        neuroloop.load_agent("cartpole", seed=seed)


def test_one_error_catches_them_all() -> None:
    with pytest.raises(neuroloop.NeuroloopError):
        neuroloop.load_agent("carpole")
    with pytest.raises(neuroloop.NeuroloopError):
        neuroloop.load_agent("cartpole", "CarPole-v1")


def test_asking_the_random_agent_does_not_disturb_its_training() -> None:
    straight, asked = (neuroloop.load_agent("random", "CartPole-v1", seed=3) for _ in range(2))
    straight.learn(300)
    asked.learn(150)
    asked.evaluate(2)
    asked.learn(150)
    assert asked.progress.returns == straight.progress.returns
