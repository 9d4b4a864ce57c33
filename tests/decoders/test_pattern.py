"""Weights given by hand: a rhythm with a pattern plays it, and what does not fit is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroloop import config
from neuroloop.agent import Agent
from neuroloop.errors import ConfigError

STILL = {"kind": "r-stdp", "gain": 0.0}
WAVE = np.round(0.8 * np.sin(2 * np.pi * np.arange(12) / 12), 3).tolist()


def table(**changes: Any) -> dict[str, Any]:
    """A pattern generator for Pendulum-v1, whose torque is −2 to 2."""
    return {
        "plant": {"env": "Pendulum-v1"},
        "encoder": {"kind": "rhythm", "neurons": 12, "frequency": 2.0, "max_rate": 500.0},
        "population": {"motor": {"n_per_action": 20, "tau_mem": 0.005, "bias": 2.0, "bias_spread": 0.1, "reset": "never"}},
        "projection": {
            "gait": {"pre": "encoder", "post": "motor", "weights": [[w] for w in WAVE], "plasticity": STILL} | changes
        },
        "decoder": {"kind": "rate", "population": "motor", "full_rate": 200.0},
        "learner": {"kind": "r-stdp", "modulates": ["gait"]},
    }  # fmt: skip


def played(agent: Agent, n: int) -> Any:
    state, torques = None, []
    for _ in range(n):
        action, state = agent.predict(np.zeros(3, np.float32), state)
        torques.append(float(action[0]))
    return np.array(torques)


def test_a_rhythm_plays_its_pattern_over_and_over() -> None:
    torques = played(Agent(config.from_dict(table())), 75)  # 1.5 s, three cycles
    t = 0.02 * np.arange(75)
    wave = 1.6 * np.sin(2 * np.pi * 2.0 * t)
    assert np.corrcoef(torques[5:], np.interp(t - 0.01, t, wave)[5:])[0, 1] > 0.98  # membranes and synapses lag
    assert 0.8 < np.std(torques[25:]) / np.std(wave[25:]) < 1.3


def test_a_column_for_a_pair_is_one_for_each_of_its_groups() -> None:
    pairs = Agent(config.from_dict(table()))
    groups = Agent(config.from_dict(table(weights=[[w, -w] for w in WAVE])))
    mine, theirs = (agent.controller.state() for agent in (pairs, groups))
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert np.array_equal(played(pairs, 30), played(groups, 30))


@pytest.mark.parametrize("weights", [[[w] * 3 for w in WAVE], [[w] for w in WAVE[:5]]])
def test_rows_that_do_not_fit_are_refused(weights: Any) -> None:
    with pytest.raises(ConfigError, match=r"projection.gait.weights: needs 12 rows, one for each neuron of 'encoder'"):
        Agent(config.from_dict(table(weights=weights)))
