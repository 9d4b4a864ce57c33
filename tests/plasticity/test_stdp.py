"""STDP has the window it should have, keeps its traces over any time, and follows Brian2 and NEST spike for spike."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.network.layouts import AllToAll, OneToOne
from neuroloop.plasticity.stdp import STDP, TripletSTDP

ROUNDING = 1e-7  # a float32 weight below 1 is rounded by 6e-8 at most, and a change of 0.01 by much less
BOTH = pytest.mark.parametrize("layout", [AllToAll(), OneToOne()], ids=["dense", "sparse"])


@BOTH
def test_the_window_is_two_exponentials_and_nothing_at_zero(scripted, layout):
    rule = STDP(a_plus=0.012, a_minus=0.010, tau_plus=0.015, tau_minus=0.030)
    lag = np.arange(-45, 46)
    post = np.zeros((120, lag.size), bool)
    post[60 + lag, np.arange(lag.size)] = True
    pre = np.zeros((120, 1 if layout == AllToAll() else lag.size), bool)
    pre[60] = True
    network = scripted(pre, post)
    plastic = network.connect(0.5, layout=layout, plasticity=rule)
    network.net.simulate(0.120)
    expected = np.where(lag > 0, 0.012 * np.exp(-lag / 15.0), -0.010 * np.exp(lag / 30.0)) * (lag != 0)
    np.testing.assert_allclose(plastic.weights.ravel() - 0.5, expected, rtol=0, atol=ROUNDING)


@BOTH
def test_a_delay_shifts_the_window_by_the_time_a_spike_travels(scripted, fires, layout):
    network = scripted(fires(60, 10, 40), fires(60, 15, 52))
    plastic = network.connect(0.5, layout=layout, plasticity=STDP(a_plus=0.02, a_minus=0.01), delay=8)
    network.net.simulate(0.060)  # arrivals in steps 18 and 48
    change = -0.01 * np.exp(-3 / 20) - 0.01 * np.exp(-33 / 20) + 0.02 * (np.exp(-34 / 20) + np.exp(-4 / 20))
    assert plastic.weights.item() - 0.5 == pytest.approx(change, abs=2 * ROUNDING)


@BOTH
def test_a_trace_fades_as_it_should_however_long_it_takes_and_wherever_the_log_begins_anew(scripted, fires, layout):
    # with 20 ms frames begin anew every 5 or 40 time constants, so in steps 800 and 1600
    network = scripted(fires(1700, 20, 790, 1590), fires(1700, 180, 810, 1601))
    plastic = network.connect(0.5, layout=layout, plasticity=STDP(a_plus=0.1, a_minus=0.0))
    network.net.simulate(1.700)
    expected = 0.1 * np.exp(-np.array([160, 20, 11]) / 20).sum()  # of other pairs e^-39 is left at most
    assert plastic.weights.item() - 0.5 == pytest.approx(expected, abs=3 * ROUNDING)


@BOTH
def test_more_postsynaptic_spikes_than_the_log_holds_are_all_paired(scripted, fires, layout):
    network = scripted(fires(3000, 4), fires(3000, *range(5, 3000)))
    rule = STDP(a_plus=1e-3, a_minus=0.0, tau_plus=1.0)
    plastic = network.connect(0.5, layout=layout, plasticity=rule)
    network.net.simulate(3.0)
    expected = 1e-3 * np.exp(-np.arange(1, 2996) / 1000).sum()
    assert plastic.weights.item() - 0.5 == pytest.approx(expected, rel=3000 * 2**-24)  # one rounding for each spike


@BOTH
@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_traces_add_up_or_count_the_latest_spike_only(scripted, fires, layout, pairs):
    network = scripted(fires(60, 10, 14, 40), fires(60, 20, 27))
    plastic = network.connect(0.5, layout=layout, plasticity=STDP(a_plus=0.02, a_minus=0.01, pairs=pairs))
    network.net.simulate(0.060)
    plus = [6, 13] if pairs == "nearest" else [10, 6, 17, 13]
    minus = [13] if pairs == "nearest" else [20, 13]
    expected = 0.02 * np.exp(-np.divide(plus, 20)).sum() - 0.01 * np.exp(-np.divide(minus, 20)).sum()
    assert plastic.weights.item() - 0.5 == pytest.approx(expected, abs=2 * ROUNDING)


@BOTH
def test_a_spike_is_sent_with_the_weight_as_it_was_before_its_own_arrival(scripted, fires, layout):
    network = scripted(fires(40, 10, 20), fires(40, 5, 20))
    plastic = network.connect(0.5, layout=layout, plasticity=STDP(a_plus=0.2, a_minus=0.1))
    membrane = network.net.record(network.post, "v")
    network.net.simulate(0.040)
    sent = membrane.values[[11, 21], 0] * np.exp(1 / 20)  # the membrane has decayed by one step
    first = 0.5
    second = 0.5 - 0.1 * np.exp(-5 / 20) + 0.2 * np.exp(-10 / 20)  # the neuron fired in step 20, before the arrival
    np.testing.assert_allclose(sent, [first, second], rtol=1e-6)
    # then the arrival pairs with the spike of step 5 alone: the one of its own step is not older
    assert plastic.weights.item() == pytest.approx(second - 0.1 * np.exp(-15 / 20), abs=2 * ROUNDING)


def rule_of(name, given):
    """A rule of the reference files."""
    times = {"tau_plus": given["tau_plus"], "tau_minus": given["tau_minus"]}
    if name.startswith("triplet"):
        return TripletSTDP(**times, **given[name])
    kind = {"dependence": "multiplicative"} if name == "multiplicative" else {}
    kind |= {"pairs": "nearest"} if name == "nearest" else {}
    return STDP(a_plus=given["a_plus"], a_minus=given["a_minus"], **times, **kind)


RULES = ["additive", "multiplicative", "nearest", "triplet_hippocampal", "triplet_visual"]


@pytest.fixture
def trajectories(scripted, from_table):
    """The weights of a reference file's four synapses after every step, `late` being the side whose spikes are."""

    def make(file, name, late):
        given = file["parameters"]
        pre, post = from_table(file["pre"], 2010, 4), from_table(file["post"], 2010, 4, 3 * (late == "post"))
        network = scripted(pre, post)
        plastic = network.connect(
            given["w_start"], layout=OneToOne(), plasticity=rule_of(name, given), bounds=(0.0, given["w_max"]),
            delay=3 * (late == "pre"),
        )  # fmt: skip
        return np.array([plastic.weights.copy() for _ in network.steps(2010)])

    return make


FLOAT32 = 2e-6  # a hundred changes, each rounded by up to 6e-8, of traces that are off by some 1e-7 of a change


@pytest.mark.parametrize("late", ["none", "pre", "post"])
@pytest.mark.parametrize("name", RULES)
def test_weights_are_those_of_brian2_after_every_spike(trajectories, reference, name, late):
    file = reference(f"stdp_{late}_brian2")
    steps, synapses = file["events"][:, 0], file["events"][:, 1]
    weights = trajectories(file, name, late)
    np.testing.assert_allclose(weights[steps, synapses], file[name], rtol=0, atol=FLOAT32)


@pytest.mark.parametrize("late", ["none", "post"])
@pytest.mark.parametrize("name", RULES)
def test_weights_are_those_of_nest_after_every_presynaptic_spike(trajectories, reference, name, late):
    file = reference(f"stdp_{late}_nest")
    steps, synapses = file["pre"].T
    # NEST starts `nearest` as if there had been a presynaptic spike; that one is forgotten in synapses 2 and 3
    compared = synapses >= (2 if name == "nearest" else 0)
    weights = trajectories(file, name, late)
    np.testing.assert_allclose(
        weights[steps, synapses][compared], file[name][compared], rtol=0, atol=FLOAT32, err_msg=name
    )
