"""A rhythm keeps time by itself, and rings that are driven by the observation fire as much as they are told."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.encoders import make
from neuroloop.errors import ConfigError

ONE = spaces.Box(-1.0, 1.0, (1,), np.float64)
RANGE = {"kind": "fixed", "low": [-1.0], "high": [1.0]}


def counts(encoder, x, n_ticks):
    """Spikes of each neuron in each control step."""
    return np.array([np.bincount(encoder.encode([x]).used, minlength=encoder.n) for _ in range(n_ticks)])


def phase_of(spikes):
    """The phase in cycles that the spikes of a ring stand for: their circular mean."""
    n = spikes.size
    return np.angle((spikes * np.exp(2j * np.pi * np.arange(n) / n)).sum()) / (2 * np.pi)


def test_the_ring_tells_the_time_by_the_plants_clock_whatever_is_observed():
    encoder = make({"kind": "rhythm", "neurons": 16, "frequency": 2.0, "max_rate": 500.0}, ONE, period=0.025)
    rng = np.random.default_rng(0)
    for tick in range(60):
        fired = np.bincount(encoder.encode(rng.uniform(-1, 1, 1)).used, minlength=16)
        off = (phase_of(fired) - tick * 2.0 * 0.025 + 0.5) % 1.0 - 0.5
        assert abs(off) < 0.02  # counts of whole spikes, twenty steps a control step


def test_rates_are_those_of_the_equation():
    encoder = make(
        {"kind": "rhythm", "neurons": 8, "frequency": 1.0, "width": 0.1, "max_rate": 200.0},
        ONE,
        n_steps=1000,
        period=0.02,
    )
    spikes = counts(encoder, 0.0, 1)[0]  # a second at phase 0
    expected = 200.0 * np.exp((np.cos(2 * np.pi * np.arange(8) / 8) - 1.0) / (2 * np.pi * 0.1) ** 2)
    assert np.abs(spikes - expected).max() <= 1.0


def test_an_episode_begins_at_phase_0():
    encoder = make({"kind": "rhythm", "neurons": 4, "frequency": 3.0}, ONE)
    first = counts(encoder, 0.0, 1)[0]
    counts(encoder, 0.0, 7)
    encoder.reset(1)
    assert np.abs(counts(encoder, 0.0, 1)[0] - first).max() <= 1  # spikes come at phases of their own
    assert first.argmax() == 0


def test_rings_of_a_dimension_share_the_spikes_as_it_says():
    table = {"kind": "rhythm", "on": ["[0:1]"], "neurons": 6, "frequency": 2.5, "max_rate": 400.0, "normalise": RANGE}
    for x, share in ((-1.0, 0.0), (0.0, 0.5), (0.5, 0.75)):
        encoder = make(table, ONE)
        assert encoder.n == 12
        much, little = counts(encoder, x, 40).reshape(40, 2, 6).sum(axis=(0, 2))  # five cycles
        assert much / (much + little) == pytest.approx(share, abs=0.02)


def test_a_rhythm_beside_other_senses_looks_at_nothing_of_its_own():
    space = spaces.Dict({"image": spaces.Box(0, 255, (64, 64, 3), np.uint8), "tilt": ONE})
    parts = {"clock": {"kind": "rhythm"}, "tilt": {"kind": "rate", "on": ["tilt"], "normalise": RANGE}}
    encoder = make({"kind": "parts", "part": parts}, space)
    assert encoder.n == 12 + 2
    assert encoder.encode({"image": None, "tilt": [0.3]}).n > 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"frequency": 30.0}, r"encoder.frequency: must be at most 1 / \(2 clock.period\) = 25 Hz, got 30"),
        ({"max_rate": 1200.0}, r"encoder.max_rate: must be at most 1 / clock.dt = 1000 Hz"),
        ({"neurons": 0}, r"encoder.neurons: Expected `int` >= 1"),
        ({"on": ["[5]"]}, r"encoder.on"),
        ({"channels": "value"}, r"encoder.channels: does nothing in a rhythm without encoder.on; leave it out"),
        ({"normalise": RANGE}, r"encoder.normalise: does nothing"),
    ],
)
def test_what_cannot_be_is_refused(table, said):
    with pytest.raises(ConfigError, match=said):
        make({"kind": "rhythm"} | table, ONE)
