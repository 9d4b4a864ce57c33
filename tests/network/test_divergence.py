"""Numbers that are no longer finite are noticed within a control step, named, and can be put right."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop import (
    LIF,
    RSTDP,
    STDP,
    ConfigError,
    Delta,
    DivergedError,
    Exponential,
    Network,
    OneToOne,
    Poisson,
    Readout,
    Spikes,
)


@pytest.mark.parametrize("n", [5, 5000])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_membrane_that_is_not_finite_is_named_with_its_neuron(value, n):
    net = Network(n_steps=20)
    cells = net.population(LIF(), n, "cells")
    net.run()
    cells["v"][3] = value
    with pytest.raises(DivergedError, match=r"^cells: v of neuron 3 is no longer finite"):
        net.run()
    cells["v"][3] = 0.0
    net.run()  # the mark is gone with the cause


@pytest.mark.parametrize("synapse", [Delta(), Exponential()])
@pytest.mark.parametrize("plasticity", [None, STDP(), RSTDP()])
def test_a_weight_that_is_not_finite_is_named_when_a_spike_passes_it(synapse, plasticity):
    net = Network(n_steps=5)
    eyes, cells = net.input(2), net.population(LIF(), 2, "cells")
    wire = net.connect(eyes, cells, np.zeros((2, 2)), synapse=synapse, plasticity=plasticity, name="wire")
    wire.weights[1, 0] = np.nan
    net.run(Spikes.of([0], [0], 5))
    with pytest.raises(DivergedError, match=r"^wire: weights are no longer finite"):
        net.run(Spikes.of([0], [1], 5))


def test_weights_that_learning_blew_up_are_named():
    net = Network(n_steps=5)
    eyes, cells = net.input(2), net.population(LIF(), 2, "cells")
    net.connect(eyes, cells, 2.0, synapse=Delta(), plasticity=RSTDP(rate=1e30), layout=OneToOne(), name="wire")
    both = Spikes.of([0, 0, 2, 2], [0, 1, 0, 1], 5)
    net.run(both)
    with pytest.raises(DivergedError, match=r"^wire: weights are no longer finite"):
        net.run(both, reward=1e30)


def test_arrivals_too_many_for_a_float_are_noticed_while_simulating():
    net = Network(n_steps=10)
    noise, cells = net.population(Poisson(rate=500.0), 100), net.population(Readout(), 1, "critic")
    net.connect(noise, cells, 1e38, synapse=Delta())
    with pytest.raises(DivergedError, match=r"^critic: v of neuron 0 is no longer finite"):
        net.simulate(1.0)
    assert net.time < 0.1


def test_a_diverged_network_can_be_put_back():
    net = Network(n_steps=5)
    cells = net.population(LIF(bias=2.0), 3, "cells")
    net.run()
    kept = net.state()
    cells["v"][0] = np.nan
    with pytest.raises(DivergedError):
        net.run()
    net.restore(kept)
    ran = Network(n_steps=5)
    same = ran.population(LIF(bias=2.0), 3, "cells")
    for _ in range(20):
        net.run()
    for _ in range(21):
        ran.run()
    np.testing.assert_array_equal(cells["v"], same["v"])


def test_weights_that_a_float32_cannot_hold_are_refused():
    net = Network()
    with pytest.raises(ConfigError, match=r"^wire\.weights: must be finite, within ±3e\+38, got 1e\+39"):
        net.connect(net.input(1), net.population(LIF(), 1), 1e39, name="wire")
