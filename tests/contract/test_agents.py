"""What every ready-made agent owes its user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.agent import Agent, read_config

ELSEWHERE = {"default": "Acrobot-v1", "linear": "Acrobot-v1", "random": "Acrobot-v1"}  # agents for any environment
SILENT = {"linear", "random"}  # agents without spikes


def make(name: str) -> Agent:
    if read_config(name)[1].plant.env.startswith("neuroloop/"):
        pytest.importorskip("pybullet")
    return neuroloop.load_agent(name, ELSEWHERE.get(name), seed=12)


every_agent: Any = pytest.mark.parametrize("name", neuroloop.agents())


def test_the_ready_made_agents_are_there() -> None:
    assert {"cartpole", "default", "mountain-car", "pole", "random"} <= neuroloop.agents().keys()


@every_agent
def test_it_says_in_a_line_what_it_is(name: str) -> None:
    about = read_config(name)[1].about
    assert 10 < len(about) < 100
    assert "\n" not in about


@every_agent
def test_it_names_its_environment_or_takes_any(name: str) -> None:
    assert bool(read_config(name)[1].plant.env) != (name in ELSEWHERE)


@every_agent
def test_it_acts_within_the_action_space(name: str) -> None:
    agent = make(name)
    space = agent._plant.env.action_space
    observation = agent._plant.reset(0)
    action, state = agent.predict(observation)
    assert space.contains(action)
    for _ in range(5):
        action, state = agent.predict(observation, state)
        assert space.contains(action)
    agent.close()


@every_agent
def test_it_learns_is_saved_and_loaded(name: str, tmp_path: Path) -> None:
    agent = make(name)
    agent.learn(2_300)  # the default agent's warm-up takes 2000
    assert agent.progress.steps >= 2_300
    loaded = Agent.load(agent.save(tmp_path / "agent.zip"))
    assert (loaded.name, loaded.env_id, loaded.seed, loaded.config) == (name, agent.env_id, 12, agent.config)
    for key, array in agent.controller.state().items():
        assert loaded.controller.state()[key].tobytes() == array.tobytes()
        assert np.isfinite(array).all()
    assert (agent.controller.spikes > 0) == (name not in SILENT)
    agent.close()
    loaded.close()


@every_agent
def test_it_costs_less_than_a_control_period(name: str) -> None:
    agent = make(name)
    agent.learn(500)
    assert agent.progress.us_per_tick is not None
    assert agent.progress.us_per_tick < 20_000
    agent.close()
