"""Learners from rewards alone: the neuromodulator against its formula, what it pays for, and the delayed-reward probe."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.agent import Agent
from neuroloop.plasticity import rstdp
from neuroloop.plasticity.rstdp import GAIN

SPACES = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)
FIXED = {"kind": "fixed", "low": [-1.0, -1.0], "high": [1.0, 1.0]}
DENSE = {"kind": "gaussian", "neurons": 5, "normalise": FIXED}
KINDS = ("r-max", "r-stdp")


@pytest.fixture
def agent(small_agent):
    """Makes a small agent that has no critic."""

    def make(learner, encoder=DENSE, policy=(), **changes):
        rule = {"gain": 0.5, "lambda": 0.8, "predictive": True} | dict(policy)
        return small_agent(
            encoder=encoder,
            projection={
                "value": {"plasticity": None},  # the critic learns nothing, and nobody asks it
                "policy": {"plasticity": {"kind": "r-stdp", **rule}},
            },
            learner={"modulates": ["policy"], **learner},
            **changes,
        )

    return make


def live(controller, rewards, seed=0):
    """An episode on random observations; returns the modulator after each control step."""
    rng, sent = np.random.default_rng(seed), []
    for tick, reward in enumerate(rewards):
        controller.act(rng.uniform(-1, 1, 2).astype(np.float32), reward, first=tick == 0)
        sent.append(controller.network.signal("modulator.others"))
    return np.array(sent)


def test_r_stdp_hands_the_reward_on(open_controller, agent):
    controller, _ = open_controller(agent({"kind": "r-stdp"}), *SPACES, seed=0)
    rewards = np.random.default_rng(1).normal(0.3, 1.0, 20)
    np.testing.assert_array_equal(live(controller, rewards), [0.0, *rewards[1:]])


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_r_max_subtracts_the_mean_of_the_rewards_before(open_controller, agent, rate):
    controller, _ = open_controller(agent({"kind": "r-max", "mean_rate": rate}), *SPACES, seed=0)
    rewards, mean, expected = np.random.default_rng(2).normal(-2.0, 1.0, 40), 0.0, [0.0]
    for n, reward in enumerate(rewards[1:], start=1):
        expected.append(reward - mean if n > 1 else 0.0)
        mean += max(rate, 1.0 / n) * (reward - mean)
    np.testing.assert_allclose(live(controller, rewards), expected, rtol=1e-12, atol=1e-12)


def test_a_normalised_modulator_is_in_units_of_its_rms_and_clipped(open_controller, agent):
    learner = {"kind": "r-stdp", "error": "normalised", "error_clip": 1.5, "error_rate": 0.1}
    rewards, square, expected = np.random.default_rng(3).normal(0.0, 5.0, 60), 0.0, [0.0]
    for reward in rewards[1:]:
        square += 0.1 * (reward**2 - square) if square else reward**2
        expected.append(np.clip(reward / np.sqrt(square), -1.5, 1.5))
    controller, _ = open_controller(agent(learner), *SPACES, seed=0)
    sent = live(controller, rewards)
    np.testing.assert_allclose(sent, expected, rtol=1e-6)
    assert (np.abs(sent) == 1.5).any()


def test_the_mean_goes_on_over_ends_and_the_warm_up(open_controller, agent):
    controller, _ = open_controller(agent({"kind": "r-max", "mean_rate": 0.0}, warm_up={"decisions": 30}), *SPACES, 0)
    rewards = [1.0, 2.0, -4.0, 0.5, 3.0, -1.0]
    for reward in rewards:
        live(controller, [0.0, reward])
        controller.finish(np.zeros(2, np.float32), 0.25, terminated=True)
    assert controller.network.signal("return.count") == 2 * len(rewards)
    assert controller.network.signal("awake") == 0.0
    with_rate, _ = open_controller(agent({"kind": "r-max", "mean_rate": 1e-9}, warm_up={"decisions": 30}), *SPACES, 0)
    for reward in rewards:
        live(with_rate, [0.0, reward])
        with_rate.finish(np.zeros(2, np.float32), 0.25, terminated=True)
    everything = [x for reward in rewards for x in (reward, 0.25)]
    assert with_rate.network.signal("reward.mean") == pytest.approx(np.mean(everything), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", [False, True])
def test_a_reward_pays_for_eligibility_as_it_stood_before_its_own_control_step(open_controller, agent, kind, ends):
    made = [open_controller(agent({"kind": kind}), *SPACES, seed=4) for _ in range(2)]
    changed = []
    for (controller, graph), last in zip(made, (0.0, 2.0), strict=True):
        rule = graph.rows_of(rstdp.Rule)[-1]
        shape, gain = (rule.n_pre, rule.n_post), graph.array("f4", rule.parameters, 7)[GAIN]
        live(controller, [0.0, 0.5, -0.5, 0.1])
        eligible = graph.array("f4", rule.eligibility, *shape).copy()
        if ends:
            controller.finish(np.zeros(2, np.float32), last, terminated=True)
        else:
            controller.act(np.zeros(2, np.float32), last, first=False)
        changed.append(graph.array("f4", rule.weights, *shape).copy())
    # the difference of two float32 weights below 2
    np.testing.assert_allclose(changed[1] - changed[0], gain * 2.0 * eligible, rtol=0, atol=3e-7)
    assert np.abs(eligible).max() > 0.1


CELLS = {
    "kind": "conjunctive", "modules": 8, "tiles": [2], "dimensions": [0.0, 0.0, 1.0],  # one cell a module for each cue
    "normalise": {"kind": "fixed", "low": [0.0] * 3, "high": [1.0] * 3},
}  # fmt: skip
OPTIMUM, LAST = 50.0, 20  # return of an episode; episodes that count


@pytest.fixture
def mean_return(agent):
    """Mean return of the last training episodes on TwoCues, exploration included."""

    def train(kind, delay, seed, episodes, decay, gain):
        config = agent({"kind": kind}, CELLS, {"lambda": decay, "gain": gain}, decoder={"decide_after": 0.015})
        env = gymnasium.make("neuroloop_envs:neuroloop/TwoCues-v0", delay=delay)
        return np.mean(Agent(config, env, seed).learn(10**9, episodes=episodes).returns[-LAST:])

    return train


@pytest.mark.parametrize(
    ("kind", "delay", "episodes", "decay", "gain"),
    [
        ("r-stdp", 0, 80, 0.0, 0.02),  # nothing but the last action may be paid for
        ("r-max", 0, 80, 0.0, 0.02),
        ("r-stdp", 1, 80, 0.5, 0.2),
        ("r-max", 1, 80, 0.5, 0.2),
        ("r-stdp", 5, 80, 0.8, 0.1),
        ("r-max", 5, 80, 0.9, 0.03),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_delayed_reward_is_learned_from(mean_return, kind, delay, episodes, decay, gain, seed):
    assert mean_return(kind, delay, seed, episodes, decay, gain) >= 0.9 * OPTIMUM


@pytest.mark.parametrize("seed", range(2))
def test_where_trials_overlap_in_the_trace_the_baseline_is_what_makes_it_learn(mean_return, seed):
    """Once most answers are right, all that is eligible is reinforced, right or wrong, unless a mean is subtracted."""
    assert mean_return("r-max", 1, seed, 100, 0.9, 0.03) >= 0.9 * OPTIMUM
    assert mean_return("r-stdp", 1, seed, 100, 0.9, 0.03) <= 0.6 * OPTIMUM
