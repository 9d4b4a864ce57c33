"""XOR of rate-coded inputs is learned by R-STDP as published, from a reward that follows each output spike by a step."""

from __future__ import annotations

import numpy as np
import pytest

from recordings.reproductions.florian_2007 import RULES, Experiment, learned


@pytest.mark.parametrize("rule", RULES)
def test_xor_is_learned(rule: str) -> None:
    experiment = Experiment(rule, seed=2)
    before = experiment.test(4)
    experiment.train(20)
    after = experiment.test(4)
    assert not learned(before), "it had something to learn: at first, more input makes more output"
    assert learned(after)
    assert min(after["01"], after["10"]) >= 2.0 * after["11"]
    assert after["00"] == 0.0


def test_without_reward_nothing_is_learned() -> None:
    experiment = Experiment("MSTDPET", seed=2)
    weights = {name: p.weights.copy() for name, p in experiment.net.projections.items()}
    experiment.test(2)
    for name, projection in experiment.net.projections.items():
        np.testing.assert_array_equal(projection.weights, weights[name])
