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
        "projection": {"gait": {"pre": "encoder", "post": "motor", "pattern": [WAVE], "plasticity": STILL} | changes},
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


def test_weights_without_a_pattern_are_as_they_were() -> None:
    flat = Agent(config.from_dict(table(pattern=[], weights=0.1)))
    weights = flat.controller.state()
    given = Agent(config.from_dict(table(pattern=[[0.2] * 12], weights=0.1))).controller.state()
    assert weights.keys() == given.keys()
    assert abs(played(flat, 30)).max() < 0.2  # both groups alike
    assert played(Agent(config.from_dict(table(pattern=[[0.2] * 12], weights=0.1))), 30)[5:].min() > 0.2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"pattern": [WAVE, WAVE]},
            r"projection.gait.pattern: needs a row for each of the 1 dimensions of the action, got 2",
        ),
        (
            {"pattern": [WAVE[:5]]},
            r"projection.gait.pattern\[0\]: needs a number for each of the 12 presynaptic neurons, got 5",
        ),
        ({"pattern": [["a"]]}, r"projection.gait.pattern"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Agent(config.from_dict(table(**changes)))


def test_a_pattern_needs_pairs_to_drive_and_neurons_that_are_there() -> None:
    chosen = table() | {"decoder": {"kind": "winner-take-all", "population": "motor"}}
    with pytest.raises(
        ConfigError, match=r"projection.gait.pattern: needs post = 'motor' and a decoder that reads pairs"
    ):
        config.from_dict(chosen)
    with pytest.raises(
        ConfigError, match=r"projection.gait.pattern: cells of the conjunctive encoder come as they first fire"
    ):
        config.from_dict(table() | {"encoder": {"kind": "conjunctive"}})
