"""Each model of neurons does what its equations say: closed forms where there are any, plain float64 loops where not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroloop.network.network import Network
from neuroloop.network.neurons.adex import AdEx
from neuroloop.network.neurons.alif import ALIF
from neuroloop.network.neurons.izhikevich import Izhikevich
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.neurons.sources import Poisson, SpikeTrain
from neuroloop.network.neurons.stochastic import StochasticLIF
from neuroloop.network.synapses import Alpha, Delta, Exponential

STEPS = np.arange(1, 201)[:, None]


def assert_binomial(counts, n, p):
    """Each row of `counts` comes from `n` independent trials of probability `p`: 5 standard errors of mean and variance."""
    each, variance = counts.shape[1], n * p * (1 - p)
    assert np.all(np.abs(counts.mean(1) - n * p) < 5 * np.sqrt(variance / each))
    np.testing.assert_allclose(counts.var(1) / variance, 1.0, rtol=0, atol=5 * math.sqrt(2 / each))


def trains(monitor, n):
    """The steps in which each neuron fired."""
    return [monitor.steps[monitor.ids == i] for i in range(n)]


@pytest.mark.parametrize("model", [LIF, ALIF, StochasticLIF])
def test_a_membrane_charges_exponentially(model):
    drives = np.array([-0.9, -0.3, 0.2, 0.6, 0.95])
    net = Network(dt=1e-3, n_steps=10)
    cells = net.population(model(tau_mem=0.02, v_rest=0.1, bias=0.2, v_th=100.0), 5, current=drives)
    v = net.record(cells, "v")
    net.simulate(0.2)
    expected = 0.1 + (0.2 + drives) * (1 - np.exp(-STEPS / 20))
    np.testing.assert_allclose(v.values, expected, rtol=0, atol=2e-6)  # float32: 1e-7 a step, remembered for 20 steps


@pytest.mark.parametrize("t_ref", [0.0, 0.002])
def test_lif_intervals_are_those_of_the_rate_current_curve(t_ref):
    drives = np.array([1.001, 1.05, 1.2, 1.5, 2.5, 4.0, 6.0, 15.0])
    net = Network(dt=1e-3, n_steps=10)
    spikes = net.record(net.population(LIF(tau_mem=0.02, t_ref=t_ref), 8, current=drives))
    net.simulate(5.0)
    # 1 / (t_ref + τ ln(I / (I − 1))), the time to the threshold being rounded up to whole steps
    to_threshold = np.ceil(20 * np.log(drives / (drives - 1)))
    for steps, rise in zip(trains(spikes, 8), to_threshold, strict=True):
        assert steps[0] == rise - 1
        assert set(np.diff(steps)) == {rise + t_ref / net.dt}


def test_a_refractory_neuron_stays_at_its_reset_and_hears_no_jumps():
    net = Network(dt=1e-3, n_steps=10)
    inputs = net.population(SpikeTrain(times=np.arange(20) * 1e-3, ids=np.zeros(20, int)), 1)
    cell = net.population(LIF(t_ref=0.003, v_reset=-0.5), 1)
    net.connect(inputs, cell, 2.0, synapse=Delta())
    v, spikes = net.record(cell, "v"), net.record(cell)
    net.simulate(0.01)
    # a jump of 2 from −0.5 leads past the threshold: spikes in steps 1, 5 and 9, with three silent steps between
    np.testing.assert_array_equal(spikes.steps, [1, 5, 9])
    np.testing.assert_array_equal(v.values[:, 0], [0.0] + [-0.5] * 9)


def test_reset_by_subtraction_keeps_what_is_beyond_the_threshold():
    drives = np.array([1.1, 2.0, 7.0, 30.0])
    net = Network(dt=1e-3, n_steps=10)
    cells = net.population(LIF(reset="subtract", v_reset=-0.25), 4, current=drives)
    v, spikes = net.record(cells, "v"), net.record(cells)
    net.simulate(0.2)
    level, expected, counts = np.zeros(4), [], np.zeros(4, int)
    for _ in range(200):
        level = drives + (level - drives) * math.exp(-1 / 20)
        fired = level >= 1.0
        level, counts = np.where(fired, level - 1.25, level), counts + fired
        expected.append(level)
    np.testing.assert_array_equal(spikes.counts(), counts)
    np.testing.assert_allclose(v.values, expected, rtol=0, atol=1e-4)  # float32 of up to 30: 2e-6 a step, for 20 steps


def test_a_refractory_neuron_beyond_its_threshold_waits():
    net = Network(dt=1e-3, n_steps=10)
    spikes = net.record(net.population(LIF(reset="subtract", t_ref=0.005, bias=70.0), 1))
    net.simulate(0.03)
    np.testing.assert_array_equal(spikes.steps, [0, 6, 12, 18, 24])


def test_threshold_noise_fires_as_often_as_a_normal_distribution_says():
    levels, each, sigma = np.array([0.6, 0.8, 0.9]), 500, 0.2
    v = np.repeat(levels, each)
    net = Network(dt=1e-3, n_steps=20)
    spikes = net.record(net.population(LIF(v_rest=v, v_reset=v, noise=sigma), v.size))  # a spike changes nothing
    net.simulate(0.4)
    p = np.array([0.5 * math.erfc((1.0 - level) / sigma / math.sqrt(2)) for level in levels])
    assert_binomial(spikes.counts().reshape(3, each), 400, p)


def test_a_stochastic_neuron_fires_with_its_escape_rate():
    levels, each = np.array([0.5, 0.8, 1.0, 1.1, 1.3]), 400
    v = np.repeat(levels, each)
    net = Network(dt=1e-3, n_steps=20)
    model = StochasticLIF(v_rest=v, v_reset=v, rate=100.0, width=0.1)  # a spike leaves the membrane where it was
    spikes = net.record(net.population(model, v.size))
    net.simulate(1.0)
    p = 1 - np.exp(-100.0 * np.exp((levels - 1.0) / 0.1) * net.dt)
    assert_binomial(spikes.counts().reshape(5, each), 1000, p)


def test_a_stochastic_neuron_is_refractory_too():
    net = Network(dt=1e-3, n_steps=20)
    spikes = net.record(net.population(StochasticLIF(v_rest=1.3, v_reset=1.3, t_ref=0.004), 50))
    net.simulate(0.4)
    intervals = np.concatenate([np.diff(steps) for steps in trains(spikes, 50)])
    assert intervals.min() == 5
    assert (intervals == 5).mean() == pytest.approx(1 - math.exp(-0.1 * math.exp(3)), abs=0.03)


def test_an_adaptive_threshold_is_a_sum_of_what_spikes_left():
    net = Network(dt=1e-3, n_steps=10)
    cells = net.population(ALIF(tau_adapt=0.1, jump=0.3), 2, current=[2.0, 5.0])
    theta, v, spikes = net.record(cells, "theta"), net.record(cells, "v"), net.record(cells)
    net.simulate(0.5)
    k = np.arange(500)
    for i, steps in enumerate(trains(spikes, 2)):
        since = k[:, None] - steps
        expected = 0.3 * np.where(since >= 0, np.exp(-since / 100), 0.0).sum(axis=1)
        np.testing.assert_allclose(theta.values[:, i], expected, rtol=0, atol=1e-5)  # float32, 100 steps remembered
        assert 5 < steps.size < 200
        quiet = np.setdiff1d(k, steps)
        assert np.all(v.values[quiet, i] < 1.0 + theta.values[quiet, i])
        assert np.all(
            np.diff(np.diff(steps)) >= -1
        )  # every interval is longer than the one before, but for whole steps


def test_an_adaptation_current_is_integrated_exactly():
    tau_adapt = np.array([0.02, 0.05, 0.3])  # the first as the membrane's
    net = Network(dt=1e-3, n_steps=10)
    cells = net.population(ALIF(tau_mem=0.02, tau_adapt=tau_adapt, acts_on="current"), 3)
    v = net.record(cells, "v")
    cells["theta"] = 0.5
    net.simulate(0.2)
    t = STEPS * 1e-3
    rate = 1 / tau_adapt - 1 / 0.02
    grown = np.where(rate == 0.0, t, -np.expm1(-rate * t) / np.where(rate == 0.0, 1.0, rate))
    np.testing.assert_allclose(v.values, -0.5 / 0.02 * grown * np.exp(-t / 0.02), rtol=0, atol=2e-6)


def test_a_readout_filters_spikes_and_never_fires():
    net = Network(dt=1e-3, n_steps=10)
    inputs = net.population(Poisson(rate=100.0), 10)
    readout = net.population(Readout(tau_mem=0.03, bias=0.5), 1)
    net.connect(inputs, readout, 3.0, synapse=Delta())
    v, spikes = net.record(readout, "v"), net.record(inputs)
    net.simulate(0.3)
    since = np.arange(300)[:, None] - spikes.steps
    expected = 0.5 + 3.0 * np.where(since > 0, np.exp(-since / 30), 0.0).sum(axis=1)
    np.testing.assert_allclose(v.values[:, 0], expected, rtol=1e-5)  # float32, 30 steps remembered
    assert v.values.max() > 50.0


def test_izhikevich_cells_are_a_plain_euler_loop():
    a, b, c, d = np.array([[0.02, 0.2, -65.0, 8.0], [0.02, 0.2, -50.0, 2.0], [0.02, 0.25, -55.0, 0.05]]).T
    currents = np.random.default_rng(0).normal(10.0, 3.0, (30, 3))
    net = Network(dt=5e-4, n_steps=10)
    cells = net.population(Izhikevich(a=a, b=b, c=c, d=d, bias=0.5), 3, current=0.0)
    v, u, spikes = net.record(cells, "v"), net.record(cells, "u"), net.record(cells)
    my_v, my_u, counts = np.full(3, -65.0), np.full(3, -13.0), np.zeros(3, int)
    for k in range(300):
        if k % 10 == 0:
            cells["current"] = currents[k // 10]
            net.run()
        change = 0.04 * my_v**2 + 5 * my_v + 140 - my_u + 0.5 + currents[k // 10]
        my_v, my_u = my_v + 0.5 * change, my_u + 0.5 * a * (b * my_v - my_u)
        fired = my_v >= 30.0
        my_v, my_u, counts = np.where(fired, c, my_v), np.where(fired, my_u + d, my_u), counts + fired
        # float32 rounds v by 2e-5 mV a step, and an upstroke makes that 100 times as much and more
        np.testing.assert_allclose(v.values[k], my_v, rtol=0, atol=0.05)
        np.testing.assert_allclose(u.values[k], my_u, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(spikes.counts(), counts)
    assert counts.min() >= 3


def test_adex_cells_are_a_plain_euler_loop_and_adapt_while_refractory():
    currents = np.random.default_rng(1).uniform(0.3e-9, 1.5e-9, (40, 3))
    net = Network(dt=1e-4, n_steps=50)
    cells = net.population(AdEx(t_ref=0.002, bias=0.1e-9), 3, current=0.0)
    v, w, spikes = net.record(cells, "v"), net.record(cells, "w"), net.record(cells)
    my_v, my_w, rest, counts, expected = np.full(3, -70.6e-3), np.zeros(3), np.zeros(3, int), np.zeros(3, int), []
    for current in currents:
        cells["current"] = current
        net.run()
        for _ in range(50):
            rise = 2e-3 * np.exp(np.minimum((my_v + 50.4e-3) / 2e-3, 40.0))
            new = my_v + 1e-4 / 281e-12 * (30e-9 * (-70.6e-3 - my_v + rise) - my_w + 0.1e-9 + current)
            my_w = my_w + 1e-4 / 0.144 * (4e-9 * (my_v + 70.6e-3) - my_w)
            my_v = np.where(rest == 0, new, my_v)
            fired = my_v >= 20e-3
            my_v, my_w, counts = np.where(fired, -70.6e-3, my_v), my_w + 80.5e-12 * fired, counts + fired
            rest = np.where(fired, 20, np.maximum(rest - 1, 0))
            expected.append((my_v, my_w))
    np.testing.assert_array_equal(spikes.counts(), counts)
    assert counts.min() >= 3
    expected = np.array(expected).transpose(1, 0, 2)
    # float32 rounds v by 4e-9 V a step; an upstroke, 1e5 times as much, is 0.02 V a step itself
    np.testing.assert_allclose(v.values, expected[0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(w.values, expected[1], rtol=1e-4, atol=1e-14)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (LIF, {"v_th": [0.6, 0.8, 1.0], "t_ref": [0.0, 0.002, 0.005]}),  # one time constant for all
        (LIF, {"tau_mem": [0.01, 0.02, 0.04], "bias": [0.0, 0.3, 0.5]}),
        (ALIF, {"tau_adapt": [0.05, 0.1, 0.2], "jump": [0.0, 0.1, 0.4]}),
    ],
)
def test_neurons_with_parameters_of_their_own_equal_populations_of_one(model, parameters):
    net = Network(dt=1e-3, n_steps=10)
    inputs = net.population(Poisson(rate=60.0), 40)
    together = net.population(model(**{key: np.array(value) for key, value in parameters.items()}), 3)
    alone = [net.population(model(**{key: value[i] for key, value in parameters.items()}), 1) for i in range(3)]
    for cells in (together, *alone):
        for synapse in (Exponential(tau=0.005), Alpha(tau=0.003)):
            net.connect(inputs, cells, 0.25, synapse=synapse)
    v, spikes = net.record(together, "v"), net.record(together)
    each = [(net.record(cell, "v"), net.record(cell)) for cell in alone]
    net.simulate(0.5)
    assert spikes.counts().min() > 5
    for i, (my_v, my_spikes) in enumerate(each):
        np.testing.assert_array_equal(v.values[:, i], my_v.values[:, 0])
        np.testing.assert_array_equal(spikes.steps[spikes.ids == i], my_spikes.steps)
