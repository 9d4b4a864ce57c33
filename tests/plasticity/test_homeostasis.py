"""Homeostasis: sums, rates and thresholds are brought to where they should be, and equal a slow reference on the way."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.errors import ConfigError
from neuroloop.network.layouts import AllToAll, FixedProbability, OneToOne
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.sources import Poisson
from neuroloop.network.synapses import Delta
from neuroloop.plasticity.homeostasis import Normalise, Scaling, ThresholdAdaptation
from neuroloop.plasticity.pes import PES
from neuroloop.plasticity.rewarded import RSTDP
from neuroloop.plasticity.stdp import STDP

LAYOUTS = pytest.mark.parametrize(
    "layout", [AllToAll(), FixedProbability(probability=0.5), OneToOne()], ids=["dense", "sparse", "one to one"]
)
STILL = STDP(a_plus=0.0, a_minus=0.0)
N = 12


@pytest.fixture
def busy(scripted):
    """Makes a scripted network of 12 + 12 neurons, of which some fire more than others, and their spikes."""

    def make(duration, n_steps):
        rng = np.random.default_rng(1)
        pre = rng.random((duration, N)) < np.linspace(0.0, 0.1, N)
        post = rng.random((duration, N)) < np.linspace(0.0, 0.1, N)
        post[0] = False
        return scripted(pre, post, n_steps=n_steps), post

    return make


def sums_of(plastic):
    """The sum of the weights onto each neuron."""
    return np.bincount(plastic.pairs[1], plastic.weights.ravel().astype(float), N)


@LAYOUTS
@pytest.mark.parametrize("rule", [STDP(a_plus=0.1, a_minus=0.05), RSTDP(rate=0.05)], ids=["stdp", "rstdp"])
def test_normalised_weights_add_up_to_the_total_while_they_learn(busy, layout, rule):
    network, _ = busy(300, 10)
    plastic = network.connect(0.2, layout=layout, plasticity=rule, bounds=(0.0, np.inf))
    network.net.adjust(Normalise(total=1.5, every=0.020), plastic)
    last = None
    for tick in range(30):
        network.net.run(reward=1.0)
        sums = sums_of(plastic)
        if tick % 2:
            np.testing.assert_allclose(sums[sums > 0.0], 1.5, rtol=1e-6)
            assert (sums > 0.0).sum() > 5
        elif last is not None:
            assert np.abs(sums - last).max() > 1e-4  # in between they were free
        last = sums


@LAYOUTS
def test_normalising_keeps_proportions_bounds_and_sums_that_are_not_positive(busy, layout):
    network, _ = busy(20, 10)
    plastic = network.connect(0.5, layout=layout, plasticity=STILL, bounds=(-1.0, 0.8))
    network.net.adjust(Normalise(total=3.0, every=0.010), plastic)
    start = np.random.default_rng(2).uniform(0.1, 0.8, plastic.weights.shape)
    start[plastic.weights.shape[0] // 2 :] *= 0.5
    first = plastic.pairs[1].reshape(plastic.weights.shape) == 0
    start[first] = -0.3
    plastic.weights = start
    sums = np.bincount(plastic.pairs[1], start.ravel(), N)
    network.net.run()
    factors = np.where(sums > 0.0, 3.0 / np.where(sums > 0.0, sums, 1.0), 1.0)
    expected = np.minimum(start.ravel() * factors[plastic.pairs[1]], 0.8)
    np.testing.assert_allclose(plastic.weights.ravel(), expected, rtol=1e-6)
    assert np.all(plastic.weights[first] == np.float32(-0.3))


@LAYOUTS
@pytest.mark.parametrize("n_steps", [1, 20])
def test_scaling_follows_the_mean_rate_of_each_neuron(busy, layout, n_steps):
    network, post = busy(400, n_steps)
    plastic = network.connect(0.5, layout=layout, plasticity=STILL, bounds=(0.0, 0.6))
    network.net.adjust(Scaling(target=50.0, rate=0.002, tau=0.1, every=0.040), plastic)
    w, rates, tick = np.full(plastic.weights.size, 0.5), np.zeros(N), n_steps * 1e-3
    for t in network.steps(400 // n_steps):
        rates = rates * np.exp(-tick / 0.1) + post[t * n_steps : (t + 1) * n_steps].sum(0) / 0.1
        if (t + 1) * n_steps % 40 == 0:
            w = np.clip(w * np.maximum(1.0 + 0.002 * (50.0 - rates[plastic.pairs[1]]), 0.0), 0.0, 0.6)
    np.testing.assert_allclose(plastic.weights.ravel(), w, rtol=400 * 2**-23)  # rates are float32 that decay 400 times
    assert w.min() < 0.45
    assert w.max() == 0.6


def test_scaling_brings_neurons_to_their_target_rate():
    net = Network(n_steps=20, seed=3)
    pre, post = net.population(Poisson(rate=40.0), 100), net.population(LIF(tau_mem=0.010), 10)
    plastic = net.connect(pre, post, 0.02, synapse=Delta(), plasticity=STILL, bounds=(0.0, 1.0))
    net.adjust(Scaling(target=30.0, rate=2e-3, tau=2.0, every=0.100), plastic)
    spikes = net.record(post)
    net.simulate(60.0)
    late = np.bincount(spikes.ids[spikes.steps >= 40_000], minlength=10) / 20.0
    # 600 spikes in 20 s would scatter by 4 % if they were as irregular as a Poisson process; they are more regular
    assert late == pytest.approx(30.0, rel=0.1)


@pytest.mark.parametrize("n_steps", [1, 20])
def test_thresholds_rise_by_the_spikes_above_the_target(n_steps):
    net = Network(n_steps=n_steps, seed=4)
    pre, post = net.population(Poisson(rate=np.linspace(0.0, 200.0, N)), N), net.population(LIF(), N)
    net.connect(pre, post, 100.0, layout=OneToOne(), synapse=Delta())  # every spike in makes a spike out
    net.adjust(ThresholdAdaptation(target=80.0, rate=0.02), post)
    spikes = net.record(post)
    net.simulate(0.400)
    expected = 1.0 + 0.02 * (spikes.counts() - 80.0 * 0.400)
    np.testing.assert_allclose(post["v_th"], expected, rtol=0, atol=400 * 2**-23)
    assert np.ptp(expected) > 0.5


def test_adapted_thresholds_give_all_neurons_the_same_rate():
    net = Network(n_steps=10)
    post = net.population(LIF(tau_mem=0.010, bias=np.linspace(1.5, 4.0, N)), N)
    net.adjust(ThresholdAdaptation(target=50.0, rate=0.01), post)
    spikes = net.record(post)
    net.simulate(20.0)
    late = np.bincount(spikes.ids[spikes.steps >= 10_000], minlength=N) / 10.0
    assert late == pytest.approx(50.0, rel=0.02)


@pytest.mark.parametrize(
    "rule", [Normalise(total=1.0, every=0.015), Scaling(target=5.0, every=1e-9)], ids=["15 ms", "1 ns"]
)
def test_the_time_between_two_adjustments_is_a_multiple_of_the_control_step(busy, rule):
    network, _ = busy(20, 10)
    plastic = network.connect(0.5, plasticity=STILL)
    with pytest.raises(ConfigError, match=r"^plastic\.\w+\.every: must be"):
        network.net.adjust(rule, plastic)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Normalise(total=0.0), r"plastic\.normalise\.total: must be > 0"),
        (Normalise(total=np.nan), r"plastic\.normalise\.total: must be > 0"),
        (Scaling(target=-1.0), r"plastic\.scaling\.target: must be ≥ 0 Hz"),
        (Scaling(target=1.0, tau=0.0), r"plastic\.scaling\.tau: must be > 0 s"),
        (ThresholdAdaptation(target=1.0), "ThresholdAdaptation: needs a population with a threshold v_th"),
    ],
)
def test_what_cannot_be_adjusted_is_refused_with_its_path(busy, rule, message):
    network, _ = busy(20, 10)
    plastic = network.connect(0.5, plasticity=STILL)
    with pytest.raises(ConfigError, match=message):
        network.net.adjust(rule, plastic)


def test_homeostasis_goes_with_error_driven_learning(busy):
    network, _ = busy(20, 10)
    rule = PES(error=network.net.modulator("error", N))
    plastic = network.connect(0.5, plasticity=rule)
    network.net.adjust(Normalise(total=2.0, every=0.010), plastic)
    network.net.run()
    np.testing.assert_allclose(sums_of(plastic), 2.0, rtol=1e-6)
