"""What a spike does to its target has a closed form, arrives when it should, adds up and fades to exactly nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroloop.network.layouts import OneToOne
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.neurons.sources import Poisson, Regular, SpikeTrain
from neuroloop.network.synapses import Alpha, Delta, Exponential, response
from neuroloop.types import Spikes

TAU_MEM = np.array([0.005, 0.010, 0.020])  # s; the first is that of the synapses below


def spike_at(net, step):
    return net.population(SpikeTrain(times=[step * net.dt], ids=[0]), 1)


def exponential(t, weight, tau, tau_mem):
    """(w/τm) ∫ e^(−s/τ) e^(−(t−s)/τm) ds from 0 to t."""
    rate = 1 / tau - 1 / tau_mem
    grown = t if rate == 0 else -np.expm1(-rate * t) / rate
    return weight / tau_mem * grown * np.exp(-t / tau_mem)


def alpha(t, weight, tau, tau_mem):
    """(w/τm) ∫ (s/τ) e^(1−s/τ) e^(−(t−s)/τm) ds from 0 to t."""
    rate = 1 / tau - 1 / tau_mem
    grown = t**2 / 2 if rate == 0 else (1 - (1 + rate * t) * np.exp(-rate * t)) / rate**2
    return weight * math.e / (tau * tau_mem) * grown * np.exp(-t / tau_mem)


def delta(t, weight, tau, tau_mem):
    return np.where(
        t > 0, weight * np.exp(-t / tau_mem), 0.0
    )  # the membrane shows the jump from the step after arrival on


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
@pytest.mark.parametrize(
    ("synapse", "shape"),
    [(Exponential(tau=0.005), exponential), (Alpha(tau=0.005), alpha), (Delta(), delta)],
    ids=["exponential", "alpha", "delta"],
)
def test_postsynaptic_potentials_are_exact_whatever_the_step(synapse, shape, dt):
    net = Network(dt=dt, n_steps=10)
    cells = net.population(LIF(tau_mem=TAU_MEM), 3)
    net.connect(spike_at(net, 20), cells, 0.8, synapse=synapse)
    v = net.record(cells, "v")
    net.simulate(0.1)
    t = np.maximum((v.times - 21 * dt)[:, None], 0.0)  # the spike of step 20 arrives at its end
    expected = np.stack([shape(t[:, 0], 0.8, 0.005, tau) for tau in TAU_MEM], 1)
    # float32: 6e-8 of at most 0.8 a step, remembered for τ/dt steps
    np.testing.assert_allclose(v.values, expected, rtol=0, atol=5e-8 * 0.02 / dt)


def test_a_decaying_current_that_meets_no_leak_counts_with_its_mean():
    flat, ramp = response(1e-3, 0.005, np.inf)
    s = (np.arange(100_000) + 0.5) * 1e-8
    assert flat == pytest.approx(np.exp(-s / 0.005).mean(), rel=1e-9)
    assert ramp == pytest.approx((s * np.exp(-s / 0.005)).mean(), rel=1e-9)


def accurate(t_end, weight, tau, reversal, rising, n=200_000):
    """A membrane of 20 ms with one conductance, by steps so small that holding the conductance does not matter."""
    h = t_end / n
    s = (np.arange(n) + 0.5) * h
    g = weight * (s / tau * np.exp(1 - s / tau) if rising else np.exp(-s / tau))
    v = 0.0
    for kept, level in zip(np.exp(-(1 + g) * h / 0.02), g * reversal / (1 + g), strict=True):
        v = level + (v - level) * kept
    return v


@pytest.mark.parametrize("kind", [Exponential, Alpha])
def test_conductances_are_right_to_second_order_in_the_step(kind):
    errors = []
    for dt in (2e-3, 1e-3):
        net = Network(dt=dt, n_steps=1)
        cell = net.population(LIF(tau_mem=0.02, v_th=10.0), 1)
        net.connect(spike_at(net, 0), cell, 5.0, synapse=kind(tau=0.005, reversal=4.0))
        net.simulate(dt + 0.012)
        errors.append(abs(cell["v"][0] - accurate(0.012, 5.0, 0.005, 4.0, kind is Alpha)))
    # half the step, a quarter of the error; a first-order scheme would give a half
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)
    assert errors[1] < 0.002


def test_no_conductance_drives_a_membrane_past_its_reversal():
    net = Network(dt=1e-3, n_steps=10)
    cell = net.population(LIF(v_th=10.0), 1)
    net.connect(spike_at(net, 3), cell, 1e4, synapse=Exponential(reversal=4.0))
    v = net.record(cell, "v")
    net.simulate(0.05)
    assert v.values.max() == pytest.approx(4.0, abs=1e-3)
    assert v.values.max() <= 4.0


def test_a_model_that_knows_no_conductances_is_driven_by_g_times_distance_to_the_reversal():
    net = Network(dt=1e-3, n_steps=10)
    cell = net.population(Readout(tau_mem=0.02), 1)
    net.connect(spike_at(net, 0), cell, 2.0, synapse=Exponential(tau=0.005, reversal=4.0))
    v = net.record(cell, "v")
    net.simulate(0.05)
    expected, level, mean, kept = [0.0], 0.0, -np.expm1(-0.2) / 0.2, np.exp(-1 / 20)
    for g in 2.0 * np.exp(-np.arange(49) / 5):
        drive = mean * g * (4.0 - level)
        level = drive + (level - drive) * kept
        expected.append(level)
    np.testing.assert_allclose(v.values[:, 0], expected, rtol=0, atol=2e-6)  # float32, 20 steps remembered


@pytest.mark.parametrize("n_steps", [1, 10])
def test_a_spike_takes_its_delay_and_moves_its_target_in_the_step_after(n_steps):
    delays = [0, 1, 15, 10_000]  # steps of 0.1 ms: up to 1 s
    net = Network(dt=1e-4, n_steps=n_steps)
    fired = np.array([0, 3, 47, 1200, 9999])
    inputs = net.population(SpikeTrain(times=fired * net.dt, ids=np.arange(5)), 5)
    seen = []
    for delay in delays:
        cell = net.population(LIF(), 1)
        net.connect(inputs, cell, 2.0, delay=delay * net.dt, synapse=Delta())
        seen.append(net.record(cell))
    net.simulate(2.1)
    for delay, monitor in zip(delays, seen, strict=True):
        np.testing.assert_array_equal(monitor.steps, fired + delay + 1)


def test_spikes_from_outside_and_of_neurons_take_their_delays_too():
    net = Network(dt=1e-4, n_steps=10)
    inputs, relay, cell = net.input(3), net.population(LIF(), 3), net.population(LIF(), 3)
    net.connect(inputs, relay, 2.0, delay=1.0, layout=OneToOne(), synapse=Delta())
    net.connect(relay, cell, 2.0, delay=0.5, layout=OneToOne(), synapse=Delta())
    at_relay, at_cell = net.record(relay), net.record(cell)
    net.run(Spikes.of([2, 2, 9], [0, 1, 2], 10))
    for _ in range(1600):
        net.run()
    np.testing.assert_array_equal(at_relay.steps, [10_003, 10_003, 10_010])
    np.testing.assert_array_equal(at_cell.steps, [15_004, 15_004, 15_011])
    np.testing.assert_array_equal(at_cell.ids, [0, 1, 2])


@pytest.mark.parametrize("synapse", [Exponential(tau=0.005), Alpha(tau=0.005), Delta()], ids=["exp", "alpha", "delta"])
def test_effects_of_many_spikes_add_up(synapse):
    rng = np.random.default_rng(0)
    net = Network(dt=1e-3, n_steps=10)
    rates = rng.uniform(20.0, 200.0, 30)
    inputs = net.population(Regular(rate=rates, phase=rng.random(30)), 30)
    alone, together = net.population(Readout(), 30), net.population(Readout(), 1)
    weights = rng.normal(0.0, 0.1, 30)
    net.connect(inputs, alone, weights, delay=0.003, layout=OneToOne(), synapse=synapse)
    net.connect(inputs, together, weights[:, None], delay=0.003, synapse=synapse)
    each, total = net.record(alone, "v"), net.record(together, "v")
    net.simulate(1.0)
    assert total.values.std() > 0.02
    # thirty numbers of up to 0.5, each right to 6e-8 a step for 20 steps
    np.testing.assert_allclose(total.values[:, 0], each.values.astype(np.float64).sum(axis=1), rtol=0, atol=1e-5)


def test_synapses_of_several_kinds_onto_one_cell_add_up():
    net = Network(dt=1e-3, n_steps=10)
    inputs = net.population(Poisson(rate=50.0), 20)
    kinds = [Exponential(tau=0.005), Exponential(tau=0.010), Alpha(tau=0.005)]
    alone, together = [net.population(Readout(), 1) for _ in kinds], net.population(Readout(), 1)
    for cell, kind in zip(alone, kinds, strict=True):
        net.connect(inputs, cell, 0.1, synapse=kind)
        net.connect(inputs, together, 0.1, synapse=kind)
    each, total = [net.record(cell, "v") for cell in alone], net.record(together, "v")
    net.simulate(0.5)
    assert total.values.max() > 0.5
    np.testing.assert_allclose(total.values, sum(one.values for one in each), rtol=0, atol=1e-5)  # float32 of about 2


@pytest.mark.parametrize("n_steps", [1, 100])
def test_what_a_spike_leaves_fades_to_exactly_nothing_and_never_to_denormal_numbers(n_steps):
    net = Network(dt=1e-3, n_steps=n_steps)
    cells = net.population(LIF(tau_mem=0.02), 5000)
    for kind in (Exponential(tau=0.002), Alpha(tau=0.002), Exponential(tau=0.002, reversal=4.0)):
        net.connect(spike_at(net, 10), cells, 0.1, synapse=kind)
    assert not cells["v"].any()
    smallest = np.finfo(np.float32).tiny
    for _ in range(15):
        net.simulate(0.1)
        values = np.abs(net.state()["f4"])
        assert ((values == 0.0) | (values >= smallest)).all()
    # e^−75 is below 1e-20, where numbers are taken for nothing
    assert not cells["v"].any()
