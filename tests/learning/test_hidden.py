"""A hidden layer learns from delayed reward: where all that can change lies in it, what it learns is its own doing."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from neuroloop import config
from neuroloop.agent import Agent


def returns(gain: float, delay: int, seed: int, broadcast: str = "symmetric") -> list[float]:
    """Of training on two cues, with a readout that is random and frozen."""
    rule = {"kind": "e-prop", "gain": gain, "lambda": 0.9, "value": 0.0, "broadcast": broadcast}
    agent = config.from_dict(
        {
            "clock": {"n_steps": 40},
            "encoder": {
                "kind": "gaussian", "neurons": 3, "width": 0.3,
                "normalise": {"kind": "fixed", "low": [0.0] * 3, "high": [1.0] * 3},
            },
            "population": {
                "hidden": {"n": 30, "tau_mem": 0.010, "t_ref": 0.002},
                "critic": {"n": 40, "bias_spread": 0.12},
                "actor": {"n_per_action": 8, "tau_mem": 0.005, "bias": 2.0, "bias_spread": 0.12, "reset": "decision"},
            },
            "projection": {
                "in": {
                    "pre": "encoder", "post": "hidden", "weights": 1.0, "weights_spread": 2.0, "bounds": [-12.0, 12.0],
                    "plasticity": rule,
                },
                "value": {
                    "pre": "hidden", "post": "critic", "bounds": [-6.0, 6.0], "weights_spread": 0.3,
                    "plasticity": {"gain": 0.1, "lambda": 0.9, "pre_only": 0.1},
                },
                "policy": {"pre": "hidden", "post": "actor", "bounds": [-3.0, 3.0], "weights_spread": 1.0},
            },
            "decoder": {"population": "actor", "decide_after": 0.020},
            "learner": {
                "critic": "critic", "modulates": ["in", "value"], "gamma": 0.95, "value_range": [-2.0, 2.0], "error": "raw",
            },
        }
    )  # fmt: skip
    env = gymnasium.make("neuroloop_envs:neuroloop/TwoCues-v0", delay=delay)
    return Agent(agent, env, seed).learn(10**9, episodes=40).returns


@pytest.mark.parametrize(("delay", "seed"), [(1, 0), (1, 1), (5, 1)])
def test_e_prop_finds_what_a_frozen_readout_can_be_told(delay, seed):
    """50 is the most; how much of it random output weights let through depends on their draw."""
    learned, frozen = (np.mean(returns(gain, delay, seed)[-20:]) for gain in (0.1, 0.0))
    assert abs(frozen) <= 5.0
    assert learned >= 10.0


def test_it_is_the_feedback_along_the_weights_that_tells_it():
    """Fixed random feedback says nothing true about output weights that cannot come to agree with it."""
    along, random = (np.mean(returns(0.1, 1, 1, way)[-20:]) for way in ("symmetric", "random"))
    assert along >= random + 10.0
