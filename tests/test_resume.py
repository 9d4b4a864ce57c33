"""A run that was stopped, saved and loaded goes on as if it had never stopped, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.agent import Agent

SEED = 11
Members = dict[str, bytes]


def make(name: str, env: str | None = None) -> Agent:
    if name == "pole":
        pytest.importorskip("pybullet")
    return neuroloop.load_agent(name, env, seed=SEED)


def fingerprint(agent: Agent) -> dict[str, Any]:
    """Everything that a run has come to, arrays as their bytes."""
    progress = agent.progress
    arrays = {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in agent.controller.state().items()}
    return arrays | {
        "returns": progress.returns, "lengths": progress.lengths, "steps": progress.steps, "ticks": progress.ticks,
        "solved": progress.solved_at_step, "reward": progress.reward, "episode_return": progress.episode_return,
        "actions": [np.asarray(action).tobytes() for action in progress.actions], "spikes": agent.controller.spikes,
    }  # fmt: skip


def assert_equal(resumed: Agent, straight: Agent) -> None:
    ours, theirs = fingerprint(resumed), fingerprint(straight)
    assert [name for name in theirs if ours.get(name) != theirs[name]] == []
    assert ours.keys() == theirs.keys()


RUNS = [
    ("cartpole", None, 2_000, (1, 7, 501, 1_234)),
    ("default", "Pendulum-v1", 3_000, (1, 501, 1_999, 2_000, 2_001, 2_600)),  # the warm-up ends at 2000
    ("default", "MountainCarContinuous-v0", 3_000, (998, 2_500)),
    ("default", "FrozenLake-v1", 3_000, (1_500, 2_222)),
    ("linear", "Pendulum-v1", 2_600, (1_999, 2_300)),
    ("linear", "CartPole-v1", 2_600, (2_001, 2_222)),
    ("r-max", None, 1_000, (501,)),
    ("e-prop", None, 500, (123,)),
    ("feedback-alignment", None, 500, (123,)),
    ("mountain-car", None, 1_500, (199, 200, 201, 777)),  # its first episode is cut off at 200
    ("pole", None, 1_200, (3, 640)),
    ("random", "CartPole-v1", 600, (1, 333)),
    ("random", "Pendulum-v1", 600, (333,)),
]


@pytest.mark.parametrize(("name", "env", "total", "stops"), RUNS, ids=[f"{run[0]}-{run[1]}" for run in RUNS])
def test_a_run_stopped_anywhere_and_loaded_equals_the_run_that_never_stopped(
    name: str, env: str | None, total: int, stops: tuple[int, ...], tmp_path: Path
) -> None:
    straight = make(name, env)
    straight.learn(total)
    for stop in stops:
        stopped = make(name, env)
        stopped.learn(stop)
        resumed = Agent.load(stopped.save(tmp_path / "a.zip"))
        assert_equal(resumed, stopped)
        resumed.learn(total - resumed.progress.steps)
        assert_equal(resumed, straight)


def test_stopping_exactly_where_an_episode_ends_is_no_different(tmp_path: Path) -> None:
    straight = make("cartpole")
    straight.learn(2_000)
    for episode in (1, 2, 10):
        end = sum(straight.progress.lengths[:episode])
        stopped = make("cartpole")
        stopped.learn(end)
        assert len(stopped.progress.returns) == episode
        assert stopped.progress.actions == []
        resumed = Agent.load(stopped.save(tmp_path / "a.zip"))
        resumed.learn(2_000 - end)
        assert_equal(resumed, straight)


def test_stopping_again_and_again_is_no_different(tmp_path: Path) -> None:
    straight, agent = make("cartpole"), make("cartpole")
    straight.learn(900)
    while agent.progress.steps < 900:
        agent.learn(min(53, 900 - agent.progress.steps))
        agent = Agent.load(agent.save(tmp_path / "a.zip"))
    assert_equal(agent, straight)


def test_a_solved_run_goes_on_like_one_that_never_stopped(tmp_path: Path) -> None:
    easy = ["plant.criterion=15"]
    straight, stopped = (neuroloop.load_agent("default", "CartPole-v1", SEED, easy) for _ in range(2))
    straight.learn(5_000)
    assert straight.progress.solved_at_step is not None
    stopped.learn(5_000, stop_when_solved=True)
    assert stopped.progress.steps == straight.progress.solved_at_step
    resumed = Agent.load(stopped.save(tmp_path / "a.zip"))
    resumed.learn(5_000 - resumed.progress.steps)
    assert_equal(resumed, straight)


@pytest.mark.parametrize(("name", "env"), [("cartpole", None), ("default", "Pendulum-v1"), ("pole", None)])
@pytest.mark.parametrize("stop", [313, 2_150])
def test_evaluating_predicting_and_saving_in_between_change_nothing(
    name: str, env: str | None, stop: int, tmp_path: Path
) -> None:
    straight, asked = make(name, env), make(name, env)
    straight.learn(2_400)
    asked.learn(stop)
    before = fingerprint(asked)
    asked.evaluate(2)
    observation = asked._plant.env.observation_space.sample()
    _, state = asked.predict(observation)
    asked.predict(observation, state)
    asked.save(tmp_path / "a.zip")
    assert fingerprint(asked) == before
    asked.learn(2_400 - asked.progress.steps)
    assert_equal(asked, straight)


def test_predictions_of_a_loaded_agent_are_those_of_the_saved_one(tmp_path: Path) -> None:
    agent = make("cartpole")
    agent.learn(3_000)
    loaded = Agent.load(agent.save(tmp_path / "a.zip"))
    np.testing.assert_array_equal(loaded.evaluate(3), agent.evaluate(3))
