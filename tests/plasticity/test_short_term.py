"""Synapses that tire and facilitate: Brian2's and NEST's efficacies, and the steady state of regular trains."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.network.layouts import AllToAll, AllToOthers, Convolution, FixedProbability, OneToOne, Pairs
from neuroloop.network.network import Network
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.neurons.sources import Regular, SpikeTrain
from neuroloop.network.short_term import ShortTerm
from neuroloop.network.synapses import Delta

DT = 1e-3
FAST = Readout(tau_mem=DT)  # e^-1 of what arrives is left a step later
KINDS = {
    "depressing": ShortTerm(u=0.5, tau_rec=0.8, tau_fac=0.0), "facilitating": ShortTerm(u=0.04, tau_rec=0.1, tau_fac=1.0),
    "mixed": ShortTerm(u=0.25, tau_rec=0.3, tau_fac=0.3),
}  # fmt: skip


def jumps(values):
    """What arrived at the end of each step, from the membranes of fast readouts: the last step's is not seen yet."""
    return np.diff(values * np.e, axis=0, prepend=0.0)[1:] + (1.0 - 1.0 / np.e) * values[:-1] * np.e


@pytest.mark.parametrize("simulator", ["brian2", "nest"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delay", [0, 4])
def test_efficacies_are_those_of_brian2_and_nest(reference, simulator, kind, delay):
    file = reference(f"stp_{simulator}")
    assert file["parameters"][kind] == {name: getattr(KINDS[kind], name) for name in ("u", "tau_rec", "tau_fac")}
    steps, trains = file["pre"].T
    net = Network(dt=DT)
    pre, post = net.population(SpikeTrain(times=(steps + 0.5) * DT, ids=trains), 2), net.population(FAST, 2)
    net.connect(pre, post, 1.0, layout=OneToOne(), synapse=Delta(), delay=delay * DT, short_term=KINDS[kind])
    membrane = net.record(post, "v")
    net.simulate(2.010)
    arrived = jumps(membrane.values.astype(float))[steps + delay, trains]
    np.testing.assert_allclose(
        arrived, file[kind], rtol=0, atol=3e-7
    )  # float32 u, x, product and membrane, all below 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [5.0, 20.0, 100.0])
def test_a_regular_train_settles_at_the_efficacy_of_the_closed_form(kind, rate):
    """u = U / (1 − (1 − U) F), x = (1 − R) / (1 − (1 − u) R) with F, R what is left after an interval."""
    rule, interval = KINDS[kind], 1.0 / rate
    net = Network(dt=DT)
    pre, post = net.population(Regular(rate=rate), 1), net.population(FAST, 1)
    net.connect(pre, post, 1.0, synapse=Delta(), short_term=rule)
    membrane = net.record(post, "v")
    net.simulate(12.0)
    forgotten = np.exp(-interval / rule.tau_fac) if rule.tau_fac else 0.0
    u = rule.u / (1.0 - (1.0 - rule.u) * forgotten)
    tired = np.exp(-interval / rule.tau_rec)
    x = (1.0 - tired) / (1.0 - (1.0 - u) * tired)
    assert jumps(membrane.values[-1000:].astype(float)).max() == pytest.approx(u * x, rel=2e-5)  # e^-12 of it to go


def test_all_synapses_of_a_neuron_tire_together_on_every_layout():
    """The same train through every layout reaches the first neuron with the same efficacies."""
    steps = np.array([10, 30, 35, 60, 62, 64])
    pairs = Pairs(pre=[0, 0, 1], post=[0, 2, 1])
    picture = Convolution(shape=(1, 1, 3), kernel=np.ones((1, 1, 1, 1)))
    layouts = [AllToAll(), FixedProbability(probability=1.0), OneToOne(), pairs, picture, AllToOthers()]
    found = {}
    for layout in layouts:
        net = Network(dt=DT)
        pre, post = net.population(SpikeTrain(times=(steps + 0.5) * DT, ids=0 * steps), 3), net.population(FAST, 3)
        net.connect(pre, post, 1.0, layout=layout, synapse=Delta(), short_term=KINDS["mixed"])
        membrane = net.record(post, "v")
        net.simulate(0.080)
        reached = 1 if isinstance(layout, AllToOthers) else 0
        found[type(layout).__name__] = membrane.values[:, reached]
    for name, values in found.items():
        np.testing.assert_allclose(values, found["OneToOne"], rtol=0, atol=1e-7, err_msg=name)
    assert np.ptp(found["OneToOne"]) > 0.05


def test_weights_of_one_number_and_of_many_are_scaled_alike():
    """Uniform weights take another way through the kernels."""
    found = []
    for weights in (0.5, np.full((2, 3), 0.5)):
        net = Network(dt=DT)
        pre, post = net.population(Regular(rate=50.0, phase=np.array([0.0, 0.5])), 2), net.population(FAST, 3)
        net.connect(pre, post, weights, synapse=Delta(), short_term=KINDS["facilitating"])
        membrane = net.record(post, "v")
        net.simulate(0.500)
        found.append(membrane.values)
    np.testing.assert_allclose(*found, rtol=0, atol=1e-7)
