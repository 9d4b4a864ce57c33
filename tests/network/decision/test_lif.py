"""The LIF kernel follows its closed form between spikes, its f-I curve, and a slow reference bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroloop.graph import Mode
from neuroloop.network.decision.lif import add_lif, spikes_of
from neuroloop.network.engine import Engine
from neuroloop.settings import Lif

f32 = np.float32


@pytest.fixture
def make(open_graph):
    """Makes a population with one neuron for each of `drives`, its membranes logged: (network, graph, population)."""

    def make(drives, n_steps, seed=0, **settings):
        graph = open_graph(n_steps, seed)
        population = add_lif(graph, "cells", Lif(**settings), len(drives), 0.0)
        graph.record("membranes", population.v, len(drives))
        network = Engine(graph)
        graph.array("f4", population.bias, len(drives))[:] = drives
        return network, graph, population

    return make


def reference(v, drives, n_steps, decay, t_ref):
    """Membranes and spikes, shape (n_steps, n): one neuron and one operation at a time, in float32."""
    v, rest, gain = v.astype(f32), np.zeros(len(v), f32), f32(1) - f32(decay)
    membranes, spikes = np.zeros((n_steps, len(v)), f32), np.zeros((n_steps, len(v)), f32)
    for t in range(n_steps):
        for i, u in enumerate(np.maximum(drives.astype(f32), f32(-1))):
            v[i] += (f32(1) - min(rest[i], f32(1))) * gain * (u - v[i])
            rest[i] = max(rest[i] - f32(1), f32(0))
            if v[i] >= 1:
                spikes[t, i], rest[i] = 1, t_ref
                v[i] = min(v[i] - f32(1), f32(0.5))
            v[i] = max(v[i], f32(-1))
        membranes[t] = v
    return membranes, spikes


def test_a_membrane_below_threshold_charges_exponentially(make):
    drives = np.array([-0.9, -0.3, 0.2, 0.6, 0.95])
    network, graph, _ = make(drives, n_steps=200, tau_mem=0.02)
    network.run(Mode.ACT)
    t = np.arange(1, 201)[:, None]
    # every step rounds to float32, 6e-8 of at most 1, and 5 % of earlier errors are forgotten: 20 steps of them at worst
    np.testing.assert_allclose(graph.log("membranes"), drives * (1 - np.exp(-t / 20)), rtol=0, atol=2e-6)


@pytest.mark.parametrize("t_ref", [0.0, 0.001, 0.003])
def test_membranes_and_spikes_equal_a_slow_reference_bit_for_bit(make, t_ref):
    drives, start = np.linspace(-3.0, 12.0, 40), np.linspace(0.0, 0.9, 40).astype(f32)
    network, graph, population = make(drives, n_steps=200, tau_mem=0.013, t_ref=t_ref)
    graph.array("f4", population.v, 40)[:] = start
    network.run(Mode.ACT)
    membranes, spikes = reference(start, drives, 200, math.exp(-1 / 13), round(t_ref / 0.001))
    assert 0 < spikes.sum() < spikes.size / 2
    np.testing.assert_array_equal(graph.log("cells"), spikes)
    np.testing.assert_array_equal(graph.log("membranes"), membranes)
    np.testing.assert_array_equal(graph.array("i4", population.counts, 40), spikes.sum(0))
    assert network.signal("spikes") == spikes.sum()


@pytest.mark.parametrize(("tau_mem", "t_ref"), [(0.02, 0.001), (0.02, 0.0), (0.05, 0.004)])
def test_spike_counts_follow_the_f_i_curve(make, tau_mem, t_ref):
    drives = np.array([1.2, 1.5, 2.5, 4.0, 6.0, 8.0])
    network, graph, population = make(drives, n_steps=5000, tau_mem=tau_mem, t_ref=t_ref)
    network.run(Mode.ACT)
    counts = graph.array("i4", population.counts, 6)
    expected = [spikes_of(drive, tau_mem, t_ref, 5.0) for drive in drives]
    # at most half a step is lost with a spike's refractoriness, and the overshoot decays faster than from zero: under 5 %
    np.testing.assert_allclose(counts, expected, rtol=0.05, atol=1)


def test_a_drive_below_threshold_never_fires(make):
    network, graph, _ = make(np.array([0.999, 0.0, -2.0]), n_steps=2000)
    network.run(Mode.ACT, fresh=True)
    assert graph.log("cells").sum() == 0


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_two_spikes_are_more_than_the_refractory_time_apart(make, steps):
    network, graph, _ = make(np.array([500.0]), n_steps=100, tau_mem=0.02, t_ref=steps * 0.001)
    network.run(Mode.ACT)
    assert set(np.diff(np.flatnonzero(graph.log("cells")))) == {steps + 1}  # drive enough to fire at once


def test_reset_keeps_what_is_above_threshold_up_to_a_half(make):
    drives = np.array([1.1, 1.3, 8.0]) / (1 - math.exp(-1))  # the first step reaches 1.1, 1.3 and 8
    network, graph, _ = make(drives, n_steps=1, tau_mem=0.001)
    network.run(Mode.ACT)
    np.testing.assert_allclose(graph.log("membranes")[0], [0.1, 0.3, 0.5], atol=1e-6)  # float32 of 8


def test_membranes_are_bounded_below_however_strong_the_inhibition(make):
    network, graph, _ = make(np.array([-50.0, -1e9]), n_steps=400)
    network.run(Mode.ACT)
    assert np.all(graph.log("membranes") >= -1.0)
    np.testing.assert_allclose(graph.log("membranes")[-1], -1.0, atol=1e-6)


def test_input_counts_for_one_step(make):
    network, graph, population = make(np.array([0.2]), n_steps=50)
    network.run(Mode.ACT)
    assert graph.array("f4", population.input, 1)[0] == 0.0
    assert np.all(np.diff(graph.log("membranes")[:, 0]) > 0)


def test_membranes_reset_at_a_decision_are_drawn_evenly_and_anew(make):
    network, graph, population = make(np.zeros(2000), n_steps=1, tau_mem=1000.0, reset="decision")  # as good as frozen
    v = graph.array("f4", population.v, 2000)
    network.run(Mode.ACT)
    drawn = v.copy()
    assert 0.0 <= drawn.min() < 0.01 < 0.49 < drawn.max() < 0.5
    assert drawn.mean() == pytest.approx(0.25, abs=4 * 0.5 / math.sqrt(12 * 2000))  # four standard errors
    network.run(Mode.ACT)
    assert abs(np.corrcoef(v, drawn)[0, 1]) < 4 / math.sqrt(2000)


def test_membranes_reset_at_an_episode_are_as_if_its_input_had_long_been_there(make):
    quiet, loud = np.linspace(-0.9, 0.9, 10), np.full(100, 5.0)
    network, graph, population = make(np.concatenate([quiet, loud]), n_steps=20, tau_mem=0.02, reset="episode")
    counts = []
    for tick in range(10):
        network.run(Mode.ACT, fresh=tick == 0)
        counts.append(graph.array("i4", population.counts, 110)[10:].mean())
        if tick == 0:  # two time constants of settling and a step leave at most e^-2 of the farthest start
            assert np.abs(graph.log("membranes")[0, :10] - quiet).max() < 2 * math.exp(-2)
    assert counts[0] == pytest.approx(np.mean(counts[1:]), abs=0.4)  # neurons without spread stay a little in step


@pytest.mark.parametrize(("reset", "fresh"), [("episode", False), ("never", False), ("never", True)])
def test_membranes_go_on_until_they_are_reset(make, reset, fresh):
    drives = np.array([0.9, 0.3])
    network, graph, population = make(drives, n_steps=10, tau_mem=0.02, reset=reset)
    network.run(Mode.ACT)
    before = graph.array("f4", population.v, 2).copy()
    network.run(Mode.ACT, fresh=fresh)
    expected = before + (1 - math.exp(-1 / 20)) * (drives - before)
    np.testing.assert_allclose(graph.log("membranes")[0], expected, atol=1e-6)


def test_a_reset_ends_refractoriness(make):
    network, graph, _ = make(np.array([500.0]), n_steps=2, tau_mem=0.02, t_ref=0.1, reset="decision")
    for _ in range(3):
        network.run(Mode.ACT)
        assert graph.log("cells").tolist() == [[1], [0]]


def test_biases_lie_evenly_around_their_mean(open_graph):
    graph = open_graph(seed=3)
    population = add_lif(graph, "cells", Lif(bias_spread=0.2), 11, 2.0)
    Engine(graph)
    biases = graph.array("f4", population.bias, 11)
    np.testing.assert_allclose(np.sort(biases), np.linspace(1.8, 2.2, 11), atol=1e-6)
    assert not np.all(np.diff(biases) > 0)  # in random order
