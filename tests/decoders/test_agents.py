"""Agents with each decoder: they learn, go on exactly where they stopped, and are what they would be alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop.agent import Agent
from neuroloop.diagnosis import Severity

KINDS = ["first-spike", "population-vector", "rate", "leaky-integrator", "pwm", "linear"]
LIMITS = "{deadband=0.1, amplitude=1.8, step=0.7}"
WARM_UP = "warm_up.decisions=60"


def overrides(kind: str, limits: str = LIMITS) -> list[str]:
    limited = f", limits={limits}" if limits else ""
    return [f'decoder={{kind="{kind}", population="actor", persistence=0.9, cooling=0.6{limited}}}', WARM_UP]


def state_of(agent: Agent) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in agent.controller.state().items()}


def pendulum(kind: str, seed: int = 7, limits: str = LIMITS) -> Agent:
    return neuroloop.load_agent("default", "Pendulum-v1", seed=seed, overrides=overrides(kind, limits))


@pytest.mark.parametrize("kind", [*KINDS, "winner-take-all"])
def test_a_run_stopped_anywhere_and_loaded_equals_the_run_that_never_stopped(kind: str, tmp_path: Path) -> None:
    straight = pendulum(kind)
    straight.learn(700)
    for stop in (51, 123, 401):  # in the warm-up, at its end, later; never at an episode's end
        stopped = pendulum(kind)
        stopped.learn(stop)
        stopped.predict(np.zeros(3, np.float32))  # disturbs nothing
        resumed = Agent.load(stopped.save(tmp_path / "a.zip"))
        resumed.learn(700 - resumed.progress.steps)
        assert state_of(resumed) == state_of(straight)
        assert np.array_equal(resumed.progress.actions, straight.progress.actions)


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_side_by_side_are_what_they_are_alone(kind: str) -> None:
    together = neuroloop.load_agents("default", "Pendulum-v1", seeds=(7, 8), overrides=overrides(kind))
    together.learn(500)
    for agent, seed in zip(together, (7, 8), strict=True):
        alone = pendulum(kind, seed)
        alone.learn(500)
        assert state_of(agent) == state_of(alone)


@pytest.mark.parametrize("kind", [*KINDS, "winner-take-all"])
def test_every_action_keeps_to_the_limits_in_warm_up_learning_and_prediction(kind: str) -> None:
    agent = pendulum(kind)
    agent.learn(300)  # an episode has 200 steps, 100 decisions; the warm-up ends with the first
    for actions in (np.ravel(agent.progress.actions), _predicted(agent, 40)):
        assert len(actions) >= 40
        assert np.abs(actions).max() <= 1.8 + 1e-6
        assert np.abs(np.diff(actions, prepend=0.0)).max() <= 0.7 + 1e-6
        assert actions.std() > 0.0


def _predicted(agent: Agent, n: int) -> Any:
    state, made = None, []
    for seen in np.random.default_rng(1).uniform(-1, 1, (n, 3)).astype(np.float32):
        action, state = agent.predict(seen, state)
        made.append(action[0])
    return np.array(made)


@pytest.mark.parametrize("kind", KINDS)
def test_the_doctor_examines_it(kind: str) -> None:
    findings = neuroloop.diagnose(pendulum(kind, limits=""), 900)
    assert findings
    assert not any(finding.severity > Severity.PROBLEM for finding in findings)


class Anything(gymnasium.Env[Any, Any]):
    """A plant for any action space; pays at random."""

    def __init__(self, actions: spaces.Space[Any]) -> None:
        self.action_space, self.observation_space = actions, spaces.Box(-1.0, 1.0, (2,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._left = 30
        return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self._left -= 1
        seen = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return seen, float(self.np_random.random()), self._left == 0, False, {}


@pytest.mark.parametrize(
    ("kind", "space"),
    [
        ("first-spike", spaces.MultiDiscrete([2, 3])), ("first-spike", spaces.Box(0, 9, (2,), np.uint8)),
        ("pwm", spaces.MultiBinary(3)), ("pwm", spaces.Discrete(2, start=5)), ("pwm", spaces.Box(-1, 3, (2,))),
        ("rate", spaces.Box(-5, 9, (2, 2), np.int32)), ("linear", spaces.Box(0.0, 1.0, (3,), np.float64)),
        ("population-vector", spaces.Box(-1, 1, ())), ("leaky-integrator", spaces.Box(-1, 1, (3,))),
    ],
    ids=str,
)  # fmt: skip
def test_it_drives_every_space_that_it_serves(kind: str, space: Any) -> None:
    agent = neuroloop.load_agent("default", Anything(space), overrides=overrides(kind, ""))
    agent.learn(400)
    assert space.contains(agent.predict(np.zeros(2, np.float32))[0])


# -- learning: margins are a quarter of what was measured on three other seeds (docs/decoders.md)

RANDOM = {"Pendulum-v1": -1220.0, "CartPole-v1": 22.0}  # mean returns of a random policy


@pytest.mark.parametrize(
    ("kind", "env", "steps", "at_least"),
    [
        ("rate", "Pendulum-v1", 14_000, -800.0),
        ("linear", "Pendulum-v1", 14_000, -800.0),
        ("leaky-integrator", "Pendulum-v1", 14_000, -850.0),
        ("population-vector", "Pendulum-v1", 18_000, -950.0),
        ("pwm", "CartPole-v1", 16_000, 120.0),
        ("first-spike", "CartPole-v1", 16_000, 120.0),
    ],
)
def test_it_learns(kind: str, env: str, steps: int, at_least: float) -> None:
    decoder = f'decoder={{kind="{kind}", population="actor", persistence=0.9, cooling=0.6}}'
    progress = neuroloop.load_agent("default", env, seed=31, overrides=[decoder]).learn(steps)
    assert np.mean(progress.returns[-20:]) > at_least
    assert np.mean(progress.returns[:8]) < at_least, "it had something to learn"
    assert at_least > RANDOM[env]


@pytest.mark.parametrize("learner", ["r-max", "r-stdp"])
def test_rewards_alone_teach_it_too(learner: str) -> None:
    """To push right is paid, so without a critic it comes to push right."""

    class Right(Anything):
        def step(self, action: Any) -> Any:
            seen, _, *rest = super().step(action)
            return seen, float(action[0]), *rest

    changes = [
        'decoder={kind="rate", population="actor"}',
        f'learner={{kind="{learner}", modulates=["policy"]}}', 'encoder={kind="conjunctive"}',
    ]  # fmt: skip
    agent = neuroloop.load_agent("r-max", Right(spaces.Box(-1.0, 1.0, (1,))), overrides=[*changes, "reward.scale=1"])
    returns = agent.learn(3_000).returns
    assert np.mean(returns[-10:]) > 0.5 * 30
    assert abs(returns[0]) < 0.3 * 30
