"""Agents that are broken on purpose: the doctor names what was broken, and says nothing of the sort of a healthy one."""

from __future__ import annotations

import functools
import re
import shlex
import tomllib
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop import config
from neuroloop.agent import Agent
from neuroloop.diagnosis import Finding, Severity, diagnose
from neuroloop.settings import SpikingConfig

STEPS = 8_000
CARTPOLE, DEFAULT, CAR = ("cartpole", "CartPole-v1"), ("default", "CartPole-v1"), ("mountain-car", "MountainCar-v0")
World = Callable[[str], gymnasium.Env[Any, Any]]


class Case(NamedTuple):
    """How an agent is broken, and what the doctor should call it."""

    finding: str
    where: str
    patient: tuple[str, str]
    settings: tuple[str, ...] = ()
    world: World | None = None
    severity: Severity = Severity.PROBLEM


def observing(change: Callable[[Any], Any], size: int = 4) -> World:
    """CartPole seen through `change`."""

    def make(name: str) -> gymnasium.Env[Any, Any]:
        space = gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float64)
        return gymnasium.wrappers.TransformObservation(gymnasium.make(name), change, space)

    return make


def paying(change: Callable[[Any], float]) -> World:
    return lambda name: gymnasium.wrappers.TransformReward(gymnasium.make(name), change)


def stuck(observation: Any) -> Any:
    return np.where(np.arange(4) == 1, 0.3, observation)


class Glitch:
    """Once in 300 observations, a dimension jumps by a million."""

    n = 0

    def __call__(self, observation: Any) -> Any:
        self.n += 1
        return np.where((np.arange(4) == 2) & (self.n % 300 == 0), 1e6, observation)


class Noisy:
    """Many dimensions that say nothing."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)

    def __call__(self, observation: Any) -> Any:
        return np.concatenate([observation, self.rng.uniform(size=20)])


ACTOR, CRITIC, POLICY, VALUE = "population.actor", "population.critic", "projection.policy", "projection.value"
NARROW = '{kind="fixed",low=[-0.01,-0.01,-0.001,-0.01],high=[0.01,0.01,0.001,0.01]}'
WIDE = '{kind="fixed",low=[-99.0,-99.0,-99.0,-99.0],high=[99.0,99.0,99.0,99.0]}'
WARNING = Severity.WARNING
CASES = {
    "a dimension is constant": Case("observation moves", "[1]", DEFAULT, world=observing(stuck), severity=WARNING),
    "all dimensions are": Case("observation moves", "[0]", DEFAULT, world=observing(np.ones_like)),
    "stray values": Case("observation spreads", "[2]", DEFAULT, world=observing(Glitch()), severity=WARNING),
    "ranges too wide": Case("observation spreads", "[0]", CARTPOLE, (f"encoder.normalise={WIDE}",), severity=WARNING),
    "ranges too narrow": Case("observation in range", "[2]", CARTPOLE, (f"encoder.normalise={NARROW}",)),
    "too many dimensions": Case(
        "cells seen before", "", DEFAULT, ("encoder.dimensions=[0,0,0,1.0]",), observing(Noisy(), 24)
    ),
    "no reward": Case("reward varies", "", DEFAULT, world=paying(lambda reward: 0.0)),
    "the reward is turned round": Case("paid as rewarded", "reward", DEFAULT, ("reward.scale=-1.0",)),
    "actions held too long": Case("decisions an episode", "", DEFAULT, ("plant.action_repeat=10",)),
    "the actor's bias is low": Case("silent neurons", ACTOR, CARTPOLE, ("population.actor.bias=-6",)),
    "the actor's bias is high": Case("saturated neurons", ACTOR, CARTPOLE, ("population.actor.bias=60",)),
    "nothing pairs": Case("eligibility", POLICY, CARTPOLE, ("population.actor.bias=-6",)),
    "the actor does not learn": Case("learning gain", POLICY, CARTPOLE, ("projection.policy.plasticity.gain=0",)),
    "nor do its weights": Case("weights change", POLICY, CARTPOLE, ("projection.policy.plasticity.gain=0",)),
    "the critic does not": Case("learning gain", VALUE, CARTPOLE, ("projection.value.plasticity.gain=0",)),
    "uniform for ever": Case("policy entropy", "", CARTPOLE, ("projection.policy.plasticity.gain=0",), severity=WARNING),
    "certain of everything": Case("policy entropy", "", CARTPOLE, ("decoder.noise=0.001",), severity=WARNING),
    "bounds are tiny": Case("weights at bounds", POLICY, CARTPOLE, ("projection.policy.bounds=[-0.02,0.02]",)),
    "the value range is small": Case("value range", "", CAR, ("learner.value_range=[-5.0,1.0]",)),
    "and so δ keeps its sign": Case("neuromodulator bias", "", CAR, ("learner.value_range=[-5.0,1.0]",)),
    "few critics": Case("count noise in V", CRITIC, CARTPOLE, ("population.critic.n=3",), severity=WARNING),
    "a range far too wide": Case(
        "count noise in V", CRITIC, CARTPOLE, ("learner.value_range=[-100.0,100.0]",), severity=WARNING
    ),
    "only noise": Case("count noise in δ", CRITIC, CAR, ("learner.gamma=0.5",)),
}  # fmt: skip


def run(
    name: str, env: str, settings: tuple[str, ...] = (), world: World | None = None, steps: int = STEPS
) -> list[Finding]:
    agent = neuroloop.load_agent(name, env if world is None else world(env), 0, settings)
    return diagnose(agent, steps)


@functools.cache
def healthy(name: str, env: str) -> list[Finding]:
    return run(name, env)


def told(findings: list[Finding], least: Severity = Severity.WARNING) -> set[str]:
    return {finding.name for finding in findings if finding.severity >= least}


@functools.cache
def broken(name: str) -> list[Finding]:
    case = CASES[name]
    return run(*case.patient, case.settings, case.world)


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_is_named(name: str) -> None:
    case, findings = CASES[name], broken(name)
    named = [f for f in findings if f.name == case.finding and case.where in f.where and f.severity >= case.severity]
    assert named, told(findings)
    assert named[0].why
    assert named[0].change
    assert case.finding not in told(healthy(*case.patient))


@pytest.mark.parametrize("name", CASES)
def test_what_to_change_exists(name: str) -> None:
    for finding in broken(name):
        for command in re.findall(r"`(--set [^`]+)`", finding.change):
            settings = [word for word in shlex.split(command) if word != "--set"]
            neuroloop.load_agent(*CASES[name].patient, 0, settings).close()


@pytest.mark.parametrize("patient", [CARTPOLE, CAR, DEFAULT, ("default", "MountainCarContinuous-v0")])
def test_a_healthy_agent_has_no_problem(patient: tuple[str, str]) -> None:
    assert told(healthy(*patient)) == set()


def test_credit_that_cannot_reach_a_delayed_reward_is_named() -> None:
    names = [told(run("cartpole", "neuroloop/TwoCues-v0", _for_cues(late)), WARNING) for late in (False, True)]
    assert "eligibility lasts" not in names[0]
    assert {"eligibility lasts", "foresight"} <= names[1]


def _for_cues(broken: bool) -> tuple[str, ...]:
    common = (
        "plant.arguments={delay=20}", "reward.scale=1.0", "reward.on_termination=0.0", "learner.value_range=[-3.0,3.0]",
        'encoder.normalise={kind="adaptive"}', "projection.policy.plasticity.lambda=0.8",
    )  # fmt: skip
    return (*common, "projection.policy.plasticity.lambda=0.0", "learner.gamma=0.5") if broken else common


def test_a_policy_and_a_critic_that_nothing_teaches_are_named() -> None:
    data = tomllib.loads(neuroloop.agents()["cartpole"].read_text())
    for table, kept in (("value", "policy"), ("policy", "value")):
        broken = data | {
            "projection": {name: dict(settings) for name, settings in data["projection"].items()},
            "learner": data["learner"] | {"modulates": [kept]},
        }
        del broken["projection"][table]["plasticity"]
        settings = config.from_dict(broken)
        assert isinstance(settings, SpikingConfig)
        named = [finding for finding in diagnose(Agent(settings), 2_000) if finding.name == "modulated projections"]
        assert [finding.where for finding in named] == [f"population.{'critic' if table == 'value' else 'actor'}"]


def test_a_reward_of_the_wrong_sign_shows_in_the_updates_too() -> None:
    turned, healthy_ones = (run("default", "Pendulum-v1", s, steps=6_000) for s in (("reward.scale=-1.0",), ()))
    assert "update follows advantage" in told(turned)
    assert "update follows advantage" not in told(healthy_ones)


def test_an_episode_that_never_ends_is_named(walk: Any) -> None:
    findings = diagnose(neuroloop.load_agent("default", walk(length=None)), STEPS)
    assert "episodes that end" in told(findings, Severity.PROBLEM)
    assert "episodes that end" not in told(diagnose(neuroloop.load_agent("default", walk()), STEPS))


def test_a_sensor_that_fails_is_named_with_the_dimension(walk: Any) -> None:
    findings = diagnose(neuroloop.load_agent("default", walk(bad=3_000)), STEPS)
    assert findings[0].name == "broke down"
    assert "observation[1] is nan" in findings[0].why
    assert findings[0].severity is Severity.PROBLEM


def test_always_the_same_action_is_named(walk: Any) -> None:
    agent = neuroloop.load_agent("default", walk(reward=lambda t, action: 10.0 * action), 0, ["plant.action_repeat=1"])
    agent.learn(6_000)
    assert "action entropy" in told(diagnose(agent, STEPS))


def test_a_watch_shorter_than_the_warm_up_says_so() -> None:
    agent = neuroloop.load_agent("default", "CartPole-v1")
    assert "still warming up" in told(diagnose(agent, 300))


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1", "CarRacing-v3"])
def test_a_random_agent_gets_a_plain_sentence(env: str) -> None:
    findings = diagnose(neuroloop.load_agent("random", env), 100)
    notes = [finding for finding in findings if finding.severity is Severity.NOTE]
    assert [note.why for note in notes if note.name == "what was examined"] == [
        "a random agent draws its actions and learns nothing"
    ]
    assert told(findings) == set()


def test_every_dimension_of_an_action_is_examined(walk: Any) -> None:
    world = walk()
    world.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    world.reward = lambda t, action: 1.0
    world.step = lambda action, step=world.step: step(0)
    findings = diagnose(neuroloop.load_agent("default", world), 4_000)
    places = {finding.where for finding in findings}
    assert {"action[0]", "action[1]", "projection.policy[1]", "population.actor[1]"} <= places


def test_rewards_that_grow_without_end_keep_the_range_moving(walk: Any) -> None:
    world = walk()
    world.reward = lambda t, action: 1.004**world.n * action
    agent = neuroloop.load_agent("default", world, 0, ["plant.action_repeat=1"])
    named = [finding for finding in diagnose(agent, STEPS) if finding.name == "value range"]
    assert [(finding.where, finding.severity) for finding in named] == [("learner.value_range", WARNING)]
    assert "value range" not in told(healthy(*DEFAULT))


def test_an_agent_with_a_gaussian_encoder_is_examined() -> None:
    findings = run("cartpole", "CartPole-v1", ('encoder={kind="gaussian", neurons=12}',))
    assert {"eligibility", "weights change", "weights at bounds"} <= {finding.name for finding in findings}
    assert "cells seen before" not in {finding.name for finding in findings}
