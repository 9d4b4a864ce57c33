"""Spikes arrive when they should: one delay for all synapses or one for each, against a list of what is on its way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import (
    LIF,
    BadInput,
    Convolution,
    Delta,
    DivergedError,
    Network,
    OneToOne,
    Pairs,
    Readout,
    Regular,
    ShortTerm,
    Spikes,
)

ADDS_UP = Readout(tau_mem=1e30)  # forgets nothing: exp(-dt / tau_mem) is 1 exactly
N_PRE, N_POST = 4, 3


def run(net: Network, fires: Any) -> None:
    """Hand in who fires when, shape (n_steps, n), a control step at a time."""
    for part in fires.reshape(-1, net.n_steps, fires.shape[1]):
        net.run(Spikes.of(*np.nonzero(part), net.n_steps))


def arrivals(fires: Any, n_steps: int, weights: Any, delay: Any, dt: float = 1e-3, **options: Any) -> Any:
    """What arrives at the end of each step, shape (steps − 1, N_POST)."""
    net = Network(dt=dt, n_steps=n_steps)
    pre, post = net.input(fires.shape[1]), net.population(ADDS_UP, N_POST)
    net.connect(pre, post, weights, delay=delay, synapse=Delta(), **options)
    monitor = net.record(post, "v")
    run(net, fires)
    return np.diff(monitor.values, axis=0)


def gains(fires: Any, u: float, tau_rec: float, tau_fac: float, dt: float = 1e-3) -> Any:
    """Tsodyks and Markram (2000), a spike at a time: what each spike is passed on with, shaped as `fires`."""
    out = np.zeros(fires.shape)
    for i in range(fires.shape[1]):
        use, x, last = 0.0, 1.0, -np.inf
        for k in np.flatnonzero(fires[:, i]):
            since = (k - last) * dt
            use *= np.exp(-since / tau_fac)
            use += u * (1 - use)
            x = 1 - (1 - x) * np.exp(-since / tau_rec)
            out[k, i], x, last = use * x, x - use * x, k
    return out


def expected(sent: Any, pre: Any, post: Any, weights: Any, delays: Any) -> Any:
    """A list of what is on its way, looked through at every step."""
    on_its_way = [
        (k + d, j, w * sent[k, i])
        for i, j, w, d in zip(pre, post, np.broadcast_to(weights, len(pre)), delays, strict=True)
        for k in np.flatnonzero(sent[:, i])
    ]
    out = np.zeros((len(sent), N_POST))
    for step, j, w in on_its_way:
        if step < len(sent):
            out[step, j] += w
    return out[:-1]


@pytest.mark.parametrize("delay", [0, 1, 2, 31, 32, 50])
@pytest.mark.parametrize("layout", ["all", "pairs", "one to one", "convolution"])
def test_one_delay_for_all_moves_everything_by_so_many_steps(delay, layout):
    fires = np.random.default_rng(delay).random((90, 3)) < 0.3
    made = {
        "all": None,
        "pairs": Pairs(pre=[0, 1, 2, 2], post=[2, 1, 0, 1]),
        "one to one": OneToOne(),
        "convolution": Convolution(shape=(3, 1, 1), kernel=np.arange(9).reshape(3, 3, 1, 1) / 8),
    }[layout]
    now = arrivals(fires, 9, 0.5, 0.0, layout=made)
    later = arrivals(fires, 9, 0.5, delay * 1e-3, layout=made)
    assert now.any()
    np.testing.assert_array_equal(later, np.concatenate([np.zeros((delay, 3)), now])[:89])


@given(
    synapses=st.lists(
        st.tuples(st.integers(0, N_PRE - 1), st.integers(0, N_POST - 1), st.sampled_from([0, 1, 2, 3, 7, 8, 31, 40])),
        max_size=20,
    ),
    own=st.booleans(),
    n_steps=st.sampled_from([1, 6, 60]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_delay_for_each_synapse_is_kept_by_every_spike(synapses, own, n_steps, seed):
    rng = np.random.default_rng(seed)
    fires = rng.random((60, N_PRE)) < rng.choice([0.05, 0.5, 1.0])
    pre, post, delays = (np.array([s[k] for s in synapses], int) for k in range(3))
    weights = rng.integers(1, 9, len(synapses)) / 8 if own else 0.375  # sums of eighths are exact
    arrived = arrivals(fires, n_steps, weights, delays * 1e-3, layout=Pairs(pre=pre, post=post))
    np.testing.assert_array_equal(arrived, expected(fires.astype(float), pre, post, weights, delays))


@pytest.mark.parametrize("delays", [[0, 3, 5, 5, 9], [4, 4, 4, 4, 4]], ids=["wheel", "ring"])
@pytest.mark.parametrize("tau_fac", [1e-9, 0.05])
def test_short_term_plasticity_goes_along_with_every_spike(delays, tau_fac):
    fires = np.random.default_rng(1).random((60, N_PRE)) < 0.3
    pre, post, weights = [3, 0, 0, 1, 2], [0, 1, 2, 2, 0], np.arange(1.0, 6.0)
    short_term = ShortTerm(u=0.4, tau_rec=0.03, tau_fac=0.0 if tau_fac < 1e-3 else tau_fac)
    layout = Pairs(pre=pre, post=post)
    arrived = arrivals(fires, 20, weights, np.array(delays) * 1e-3, layout=layout, short_term=short_term)
    sent = gains(fires, 0.4, 0.03, tau_fac)
    # sums of up to 60 float32 numbers of about 5, 6e-8 of it each
    np.testing.assert_allclose(arrived, expected(sent, pre, post, weights, delays), rtol=0, atol=2e-5)


@pytest.mark.parametrize("delays", [[1.0, 1.0], [0.0, 1.0]], ids=["ring", "wheel"])
def test_a_second_at_a_tenth_of_a_millisecond_is_ten_thousand_steps(delays):
    fires = np.zeros((10_100, 2), bool)
    fires[[0, 17, 40, 60], [0, 1, 0, 1]] = True
    arrived = arrivals(fires, 100, [1.0, 2.0], delays, dt=1e-4, layout=Pairs(pre=[0, 1], post=[0, 2]))
    np.testing.assert_array_equal(
        arrived, expected(fires.astype(float), [0, 1], [0, 2], [1, 2], (np.array(delays) * 10_000).astype(int))
    )
    assert arrived.sum() == 6


def test_a_spike_moves_its_target_from_the_step_after_its_arrival_on():
    net = Network(n_steps=1)
    pre, post = net.input(1), net.population(LIF(), 1)
    net.connect(pre, post, 2.0, delay=2e-3, synapse=Delta())
    fired = [net.run(Spikes.of([0], [0], 1)).n] + [net.run().n for _ in range(5)]
    assert fired == [0, 0, 0, 1, 0, 0]  # sent in step 0, arrived at the end of step 2


def test_input_without_delay_can_be_run_on_without_coming_back():
    net = Network(n_steps=1)
    pre, post = net.input(1), net.population(ADDS_UP, 1)
    net.connect(pre, post, 1.0, synapse=Delta())
    net.run(Spikes.of([0], [0], 1))
    net.simulate(0.05)
    assert post["v"].tolist() == [1.0]


@pytest.mark.parametrize("model", [LIF(bias=100.0), Regular(rate=1000.0)])
def test_more_spikes_than_a_ring_can_hold_are_a_named_fault(model):
    net = Network(n_steps=100)
    # all fire at every step: 5 s hold 10 million spikes, the ring holds 4 million or 200 Hz
    cells, post = net.population(model, 2000, "cells"), net.population(ADDS_UP, 1)
    net.connect(cells, post, 1.0, delay=5.0, layout=Pairs(pre=[0], post=[0]))
    with pytest.raises(DivergedError, match=r"^cells: more spikes on their way than its delay can hold"):
        net.simulate(4.0)
    assert 1.9 < net.time < 2.2


def test_more_input_than_its_delays_can_hold_is_refused_before_it_is_taken_in():
    net = Network(n_steps=100)
    pre, post = net.input(2000, "senses"), net.population(ADDS_UP, 1)
    net.connect(pre, post, 1.0, delay=5.0, layout=Pairs(pre=[0], post=[0]))
    everybody = Spikes.of(*np.nonzero(np.ones((100, 2000))), 100)
    for _ in range(15):  # 3 million; 4 million fit, and what comes next needs twice its room
        net.run(everybody)
    with pytest.raises(BadInput, match=r"^senses: more spikes than its delays can hold"):
        run(net, np.ones((1000, 2000), bool))
    at = net.time
    assert net.run().n == 0  # silence still fits
    assert net.time == pytest.approx(at + 0.1)


def test_all_may_fire_at_every_step_for_ever_if_they_are_few():
    net = Network(n_steps=10)
    pre, post = net.input(50), net.population(ADDS_UP, 1)
    net.connect(pre, post, 1.0, delay=3e-3, synapse=Delta())
    run(net, np.ones((300, 50), bool))
    assert post["v"].tolist() == [(300 - 3 - 1) * 50]


def test_more_spikes_than_a_wheel_can_hold_are_a_named_fault():
    net = Network(n_steps=100)
    pre, post = net.input(1000), net.population(ADDS_UP, 1)
    layout = Pairs(pre=np.repeat(np.arange(1000), 2), post=np.zeros(2000, int))
    net.connect(pre, post, 1.0, delay=np.tile([0.0, 2.0], 1000), layout=layout, name="slow")
    everybody = Spikes.of(*np.nonzero(np.ones((100, 1000))), 100)
    for _ in range(10):  # a million; 2^20 fit
        net.run(everybody)
    with pytest.raises(DivergedError, match=r"^slow: more spikes on their way than its delay can hold"):
        net.run(everybody)
