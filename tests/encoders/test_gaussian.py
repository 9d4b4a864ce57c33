"""Rates of the Gaussian code follow its tuning curves, exactly and without noise."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.encoders.gaussian import Tuning, add_gaussian
from neuroloop.encoders.observation import layout_of
from neuroloop.errors import ConfigError
from neuroloop.graph import Mode
from neuroloop.network.engine import Engine
from neuroloop.settings import Fixed, Gaussian

UNIT = Fixed(low=(0.0, 0.0), high=(1.0, 1.0))
SPACE = spaces.Box(0.0, 1.0, (2,))


@pytest.fixture
def make(open_graph):
    """Makes the encoder alone: (network, graph, row)."""

    def make(n_steps=1000, **settings):
        graph = open_graph(n_steps, seed=1)
        add_gaussian(graph, Gaussian(**{"normalise": UNIT} | settings), layout_of(SPACE))
        return Engine(graph), graph, graph.rows_of(Tuning)[0]

    return make


def tuning(observation, neurons, width, max_rate):
    centres = np.linspace(0, 1, neurons)
    return max_rate * np.exp(-0.5 * ((np.array(observation)[:, None] - centres) / width) ** 2)


@pytest.mark.parametrize(("neurons", "width", "max_rate"), [(10, 0.08, 250.0), (5, 0.3, 1000.0), (2, 0.5, 40.0)])
def test_spike_counts_are_rate_times_time_to_one_spike_over_a_hundred_seconds(make, neurons, width, max_rate):
    network, graph, _ = make(neurons=neurons, width=width, max_rate=max_rate)
    network.view("observation")[:] = (0.3, 0.77)
    counts = np.zeros(2 * neurons)
    for _ in range(100):
        network.run(Mode.ACT)
        counts += graph.log("pre").sum(0)
    rates = tuning((0.3, 0.77), neurons, width, max_rate).ravel()
    # The phase is a float32 and takes a step's rounding, 6e-8, a hundred thousand times; 1e-6 is the normaliser's 1e-8 with
    # the slope of a tuning curve. Below 1 Hz a neuron is silent.
    np.testing.assert_allclose(counts, 100 * np.where(rates > 1.0, rates, 0.0), rtol=1e-4, atol=1.0)
    assert network.signal("spikes") == counts.sum()


def test_spikes_are_as_even_as_steps_allow(make):
    network, graph, _ = make(neurons=4, width=0.4, max_rate=300.0)
    network.view("observation")[:] = (0.2, 0.9)
    network.run(Mode.ACT)
    for spikes, rate in zip(graph.log("pre").T, tuning((0.2, 0.9), 4, 0.4, 0.3).ravel(), strict=True):
        intervals = np.diff(np.flatnonzero(spikes))
        assert set(intervals) <= {np.floor(1 / rate), np.ceil(1 / rate)}


def test_the_expected_trace_is_the_rate_times_its_time_constant(make):
    network, graph, row = make(neurons=6, width=0.2, max_rate=200.0, tau_trace=0.02)
    network.view("observation")[:] = (0.5, 0.1)
    network.run(Mode.ACT)
    expected = tuning((0.5, 0.1), 6, 0.2, 200.0).ravel() * 0.02
    np.testing.assert_allclose(graph.array("f4", row.level, 12), np.where(expected > 0.02, expected, 0), rtol=1e-4)


def test_at_the_highest_rate_a_neuron_fires_at_every_step(make):
    network, graph, _ = make(neurons=3, max_rate=1000.0, width=0.1)
    network.view("observation")[:] = (0.5, 0.5)
    network.run(Mode.ACT)
    np.testing.assert_allclose(graph.log("pre").sum(0), [0, 1000, 0, 0, 1000, 0], atol=1)


def test_phases_go_on_over_control_steps(make):
    long, long_graph, _ = make(n_steps=100)
    short, short_graph, _ = make(n_steps=10)
    for network in (long, short):
        network.view("observation")[:] = (0.4, 0.6)
    long.run(Mode.ACT)
    for tick in range(10):
        short.run(Mode.ACT)
        np.testing.assert_array_equal(short_graph.log("pre"), long_graph.log("pre")[10 * tick :][:10])


def test_a_rate_beyond_one_spike_a_step_is_refused(make):
    with pytest.raises(ConfigError, match=r"encoder.max_rate: must be at most 1 / clock.dt = 1000 Hz, got 1500"):
        make(max_rate=1500.0)
