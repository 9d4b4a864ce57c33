"""The prescribed error sensitivity rule: one update in closed form, and readouts that learn what they are told to."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.network.layouts import AllToAll, FixedProbability, OneToOne
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.neurons.sources import Poisson, Regular
from neuroloop.network.synapses import Delta, Exponential
from neuroloop.plasticity.pes import PES
from neuroloop.types import Spikes

LAYOUTS = pytest.mark.parametrize(
    "layout", [AllToAll(), FixedProbability(probability=1.0), OneToOne()], ids=["dense", "sparse", "one to one"]
)


@LAYOUTS
def test_one_update_is_rate_times_duration_times_activity_times_error(layout):
    net = Network(n_steps=10)
    pre, post = net.input(2), net.population(Readout(), 2)
    error = net.modulator("error", 2)
    plastic = net.connect(pre, post, 0.5, layout=layout, delay=0.002, plasticity=PES(error=error, rate=0.01, tau=0.005))
    spikes = Spikes.of(steps=[1, 5, 9], ids=[0, 0, 0], n_steps=10)  # the last one arrives in the next control step
    error.value = [3.0, -1.0]
    net.run(spikes)
    assert np.all(plastic.weights == 0.5)  # nothing was active before
    activity = (np.exp(-6 / 5) + np.exp(-2 / 5)) / 0.005  # Hz, at the end of step 9
    error.value = [2.0, -1.0]
    net.run()
    w = np.full((2, 2), 0.5)
    w[0] += 0.01 * 0.010 * activity * np.array([2.0, -1.0])
    expected = np.diagonal(w) if layout == OneToOne() else w.ravel()
    np.testing.assert_allclose(plastic.weights.ravel(), expected, rtol=1e-6)


def test_the_activity_of_a_regular_train_is_its_rate():
    net = Network(n_steps=20)
    pre, post = net.population(Regular(rate=100.0), 1), net.population(Readout(), 1)
    net.connect(pre, post, 0.0, name="plastic", plasticity=PES(error=net.modulator("error"), tau=0.050))
    net.simulate(2.0)
    trace = net.view("plastic.activity").item() / 0.050
    assert trace == pytest.approx(100.0, rel=0.11)  # between two spikes it falls by a fifth


def test_without_error_nothing_is_learned():
    net = Network(n_steps=20)
    pre, post = net.population(Poisson(rate=100.0), 20), net.population(Readout(), 2)
    plastic = net.connect(pre, post, 0.25, plasticity=PES(error=net.modulator("error", 2), rate=1.0))
    net.simulate(1.0)
    assert np.all(plastic.weights == 0.25)


@pytest.mark.parametrize("synapse", [Delta(), Exponential(tau=0.020)], ids=["delta", "exponential"])
def test_a_readout_learns_its_targets_from_the_error_alone(synapse):
    net = Network(n_steps=20, seed=1)
    pre, readout = net.population(Regular(rate=100.0, phase=np.arange(50) / 50), 50), net.population(Readout(), 3)
    error, targets = net.modulator("error", 3), np.array([0.7, -1.2, 0.0])
    net.connect(pre, readout, 0.0, synapse=synapse, plasticity=PES(error=error, rate=1e-3))
    for _ in range(100):
        error.value = targets - readout["v"]
        net.run()
    np.testing.assert_allclose(readout["v"], targets, rtol=0, atol=1e-5)


def test_a_population_learns_a_function_of_what_drives_it():
    """Fifty tuning curves, and a readout that learns sin(πx) from its errors at random places, shown for 0.2 s each."""
    rng, net = np.random.default_rng(2), Network(n_steps=200)
    slopes, offsets = rng.choice([-1.0, 1.0], 50), rng.uniform(-1.0, 1.0, 50)
    cells = net.population(LIF(tau_mem=0.020, t_ref=0.002), 50, current=0.0)
    readout = net.population(Readout(tau_mem=0.050), 1)
    error = net.modulator("error")
    rule = PES(error=error, rate=2e-4, tau=0.050)
    net.connect(cells, readout, 0.0, synapse=Exponential(tau=0.050), plasticity=rule)
    missing = []
    for tick in range(3200):
        x = rng.uniform(-1.0, 1.0)
        cells["current"] = 1.0 + 2.0 * (slopes * x - offsets)
        net.run()
        missing.append(np.sin(np.pi * x) - readout["v"][0])
        error.value = missing[-1] if tick < 3000 else 0.0
    assert np.std(missing[:20]) > 0.5

    assert np.std(missing[3000:]) < 0.15  # spikes of 50 neurons leave some ripple
