"""What monitors hold is what happened: all of it, however long, whoever looks when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroloop import ALIF, LIF, BadInput, ConfigError, Delta, Network, Poisson, Readout, Regular, Spikes

N_STEPS = 5


def network() -> tuple[Network, Any]:
    """Noise onto cells, which `run` returns the spikes of."""
    net = Network(seed=1, n_steps=N_STEPS)
    noise, cells = net.population(Poisson(rate=300.0), 20, "noise"), net.population(LIF(tau_mem=0.005), 8, "cells")
    net.connect(noise, cells, 0.3, synapse=Delta())
    return net, cells


def returned(net: Network, n_ticks: int, begin: int = 0) -> tuple[list[int], list[int]]:
    """Steps and neurons of the spikes that `run` returns."""
    steps: list[int] = []
    ids: list[int] = []
    for tick in range(begin, begin + n_ticks):
        out = net.run()
        for k in range(N_STEPS):
            steps += [tick * N_STEPS + k] * out.at(k).size
            ids += out.at(k).tolist()
    return steps, ids


def test_recorded_spikes_are_those_that_run_returns():
    net, cells = network()
    monitor = net.record(cells)
    steps, ids = returned(net, 100)
    assert len(ids) > 100
    assert monitor.steps.tolist() == steps
    assert monitor.ids.tolist() == ids
    assert monitor.counts().tolist() == np.bincount(ids, minlength=8).tolist()
    np.testing.assert_allclose(monitor.times, np.array(steps) * 1e-3, rtol=1e-12)


def test_reading_in_the_middle_takes_nothing_away():
    net, cells = network()
    spikes, membranes = net.record(cells), net.record(cells, "v")
    steps: list[int] = []
    for tick in range(0, 60, 10):
        steps += returned(net, 10, tick)[0]
        assert spikes.steps.tolist() == steps
        assert spikes.steps.tolist() == steps  # twice
        assert membranes.values.shape == ((tick + 10) * N_STEPS, 8)


def test_recorded_states_are_those_at_the_end_of_each_step():
    net = Network(n_steps=1)
    cells = net.population(ALIF(bias=2.0, v_rest=0.0), 4, "cells", current=[0.0, 1.0, 2.0, 3.0])
    all_of_them, two = net.record(cells, "v"), net.record(cells, "theta", [3, 1])
    seen_v, seen_theta = [], []
    for _ in range(50):
        net.run()
        seen_v.append(cells["v"].copy())
        seen_theta.append(cells["theta"][[3, 1]])
    np.testing.assert_array_equal(all_of_them.values, seen_v)
    np.testing.assert_array_equal(two.values, seen_theta)
    assert two.values.max() > 0
    np.testing.assert_allclose(two.times, np.arange(1, 51) * 1e-3, rtol=1e-12)


@pytest.mark.parametrize("simulated", [False, True])
def test_more_is_recorded_than_fits_into_a_buffer(simulated):
    net = Network(n_steps=10)
    cells = net.population(Regular(rate=1000.0), 700, "cells")
    silent = net.population(Readout(bias=1.0), 300)
    spikes, states = net.record(cells), net.record(silent, "v")
    if simulated:
        net.simulate(1.0)
    else:
        for _ in range(100):
            net.run()
    # 700 000 spikes and 300 000 numbers; buffers hold 262 144 of each
    np.testing.assert_array_equal(spikes.ids, np.tile(np.arange(700), 1000))
    np.testing.assert_array_equal(spikes.steps, np.repeat(np.arange(1000), 700))
    assert states.values.shape == (1000, 300)
    assert np.all(states.values == 1.0)


def test_input_can_be_recorded_as_well():
    net = Network(n_steps=4)
    monitor = net.record(net.input(5))
    net.run(Spikes.of([0, 3], [4, 2], 4))
    net.run()
    net.run(Spikes.of([1], [0], 4))
    net.simulate(0.4)
    assert monitor.steps.tolist() == [0, 3, 9]
    assert monitor.ids.tolist() == [4, 2, 0]


def test_recording_changes_nothing():
    recorded, cells = network()
    recorded.record(cells)
    recorded.record(cells, "v", 3)
    alone, _ = network()
    assert returned(recorded, 50) == returned(alone, 50)


def test_nothing_is_recorded_before_the_first_run():
    net, cells = network()
    spikes, states = net.record(cells), net.record(cells, "v", [2, 0, 2])
    assert spikes.ids.size == spikes.times.size == 0
    assert states.values.shape == (0, 3)


def test_only_what_there_is_can_be_recorded():
    net, cells = network()
    critic = net.population(Readout(), 3, "critic")
    with pytest.raises(ConfigError, match=r"^critic: never fires; name a variable to record"):
        net.record(critic)
    with pytest.raises(ConfigError, match=r"^cells: unknown variable 'V': known: v|did you mean 'v'"):
        net.record(cells, "V")
    for variable in (5, True, ["v"], np.ones(2)):
        with pytest.raises(ConfigError, match=r"^cells: unknown variable "):
            net.record(cells, variable)
    for neurons in ([8], [-1], [], 8, "x", [0.5], [[0]], [True], [[0], [1, 2]], {}, np.nan, [2**40]):
        with pytest.raises(BadInput, match=r"^cells: neurons must be whole numbers from 0 to 7"):
            net.record(cells, "v", neurons)
    for population in (None, "cells", 5, Network().input(1)):
        with pytest.raises(ConfigError, match=r"^record: needs a population of this network"):
            net.record(population)
