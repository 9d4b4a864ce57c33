"""A checkpoint put on another environment: what was learned is kept, what was counted there is not."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import Env, spaces

import neuroloop
from neuroloop import checkpoint
from neuroloop.agent import Agent
from neuroloop.errors import CheckpointError


class Sim(Env[Any, Any]):
    """Episodes of 25 steps that pay what was drawn."""

    observation_space: Any = spaces.Box(-1.0, 1.0, (2,))
    action_space: Any = spaces.Discrete(2)

    def __init__(self) -> None:
        self.seeds: list[int | None] = []
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        self.seeds.append(seed)
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t, self.steps = self.t + 1, self.steps + 1
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), float(action == 1), False, self.t >= 25, {}


class Real(Sim):
    pass


class Wide(Sim):
    observation_space = spaces.Box(-2.0, 2.0, (2,))


class Choosy(Sim):
    action_space = spaces.Discrete(3)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A checkpoint of Sim, from the middle of an episode."""
    agent = neuroloop.load_agent("default", Sim(), seed=2, overrides=["warm_up.decisions=20", "plant.action_repeat=1"])
    agent.learn(140)
    assert agent.progress.actions
    return agent.save(tmp_path / "sim.zip")


def test_what_was_learned_goes_along_and_an_episode_begins(saved: Path) -> None:
    real = Real()
    with pytest.warns(UserWarning, match=r"sim\.zip: was trained on Sim, goes on on Real") as warned:
        moved = Agent.load(saved, real)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    stayed = Agent.load(saved, Sim())
    stayed.loop.abandon()
    there, here = stayed.controller.state(), moved.controller.state()
    assert all(np.array_equal(there[name], here[name]) for name in there)
    assert (moved.progress.steps, moved.progress.returns, moved.progress.actions) == (140, [], [])
    moved.learn(30)
    assert (moved.progress.steps, moved.progress.lengths, real.steps) == (170, [25], 30)


def test_a_moved_agent_is_saved_as_that_of_its_new_environment(saved: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="goes on on Real"):
        moved = Agent.load(saved, Real())
    moved.learn(60)
    path = moved.save(tmp_path / "real.zip")
    assert checkpoint.read(path).facts["env"] == "Real"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Agent.load(path, Real())
    moved.learn(100)
    again.learn(100)
    assert again.progress.returns == moved.progress.returns


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (Wide, r"was trained on Sim, not on Wide: its observation_space was Box\(-1.0.*, and is Box\(-2.0"),
        (Choosy, r"was trained on Sim, not on Choosy: its action_space was Discrete\(2\), and is Discrete\(3\)"),
        (lambda: gymnasium.make("MountainCar-v0"), "was trained on Sim, not on MountainCar-v0: its observation_space"),
    ],
)
def test_other_spaces_are_refused_with_both(env: Any, says: str, saved: Path) -> None:
    with pytest.raises(CheckpointError, match=says):
        Agent.load(saved, env())


def test_a_checkpoint_that_does_not_say_its_spaces_is_not_moved(saved: Path) -> None:
    old = checkpoint.read(saved)
    facts = {name: fact for name, fact in old.facts.items() if not name.endswith("_space")}
    checkpoint.write(saved, old._replace(facts=facts))
    with pytest.raises(CheckpointError, match="not on Real, and does not say what spaces it had"):
        Agent.load(saved, Real())
    assert Agent.load(saved, Sim()).progress.steps == 140


def test_an_id_will_do_and_its_criterion_counts(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("cartpole", seed=3)
    agent.learn(300)
    path = agent.save(tmp_path / "a.zip")
    with pytest.warns(UserWarning, match="was trained on CartPole-v1, goes on on CartPole-v0"):
        moved = Agent.load(path, "CartPole-v0")
    assert (moved.env_id, moved.config.plant.env, moved.progress.criterion) == ("CartPole-v0", "CartPole-v0", 195.0)
    assert Agent.load(moved.save(tmp_path / "b.zip")).env_id == "CartPole-v0"
    same = Agent.load(path, "CartPole-v1")
    same.learn(300)
    agent.learn(300)
    assert same.progress.returns == agent.progress.returns
    with pytest.raises(
        CheckpointError, match="was trained on CartPole-v1, not on Acrobot-v1: its observation_space was"
    ):
        Agent.load(path, "Acrobot-v1")
    with pytest.raises(neuroloop.BadInput, match="did you mean 'CartPole-v"):
        Agent.load(path, "CartPol-v1")


def test_a_solution_elsewhere_is_none_here(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", "CartPole-v1", overrides=["plant.criterion=10"])
    agent.learn(10_000, stop_when_solved=True)
    assert agent.progress.solved_at_step is not None
    with pytest.warns(UserWarning, match="goes on on"):
        moved = Agent.load(agent.save(tmp_path / "a.zip"), gymnasium.make("CartPole-v0"))
    before = moved.progress.steps
    assert moved.progress.solved_at_step is None
    moved.learn(200, stop_when_solved=True)
    assert moved.progress.steps == before + 200
