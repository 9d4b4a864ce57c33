"""Decoders that give numbers, against the same in plain numpy: population vector, rate pair, twitches, linear read-out."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.decoders import make
from neuroloop.decoders.linear_readout import directions
from neuroloop.errors import ConfigError
from neuroloop.types import Spikes

DT, N_STEPS = 1e-3, 20
BOX = spaces.Box(np.array([-1.0, 0.0, 2.0]), np.array([3.0, 10.0, 6.0]), dtype=np.float64)
LOW, HIGH = BOX.low, BOX.high
REST = np.array([0.0, 0.0, 2.0])


def between(x):
    """x ∈ [−1, 1] between the bounds, 0 being rest."""
    x = np.clip(x, -1.0, 1.0)
    return REST + np.where(x > 0, x * (HIGH - REST), x * (REST - LOW))


def rates(fires, n_groups):
    """Mean rate of each group of each dimension, Hz: shape (n_ticks, 3, n_groups)."""
    n_ticks, n_steps, _ = fires.shape
    return fires.sum(1).reshape(n_ticks, 3, n_groups, -1).mean(3) / (n_steps * DT)


def test_a_population_vector_is_the_mean_of_preferred_values_weighted_by_rates(noise):
    decoder = make({"kind": "population-vector", "levels": 7, "gain": 1.7}, BOX, neurons=5)
    fires, spikes = noise(decoder.n_inputs)
    rate, preferred = rates(fires, 7), np.linspace(0.0, 1.0, 7)
    share = np.clip(0.5 + 1.7 * ((rate * preferred).sum(2) / rate.sum(2) - 0.5), 0.0, 1.0)
    for one, expected in zip(spikes, share, strict=True):
        np.testing.assert_allclose(decoder.decode(one), LOW + expected * (HIGH - LOW), rtol=1e-12)


def test_a_rate_pair_is_the_difference_of_rates_from_rest_to_either_end(noise):
    decoder = make({"kind": "rate", "full_rate": 60.0}, BOX, neurons=5)
    fires, spikes = noise(decoder.n_inputs)
    rate = rates(fires, 2)
    for one, (plus, minus) in zip(spikes, rate.transpose(0, 2, 1), strict=True):
        np.testing.assert_allclose(decoder.decode(one), between((plus - minus) / 60.0), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_a_leaky_integrator_filters_spike_trains_across_control_steps(noise, order):
    decoder = make({"kind": "leaky-integrator", "tau": 0.03, "order": order, "full_rate": 50.0}, BOX, neurons=5)
    fires, spikes = noise(decoder.n_inputs)
    share, level = -np.expm1(-DT / 0.03), np.zeros((2, 3, 2))
    for one, tick in zip(spikes, fires, strict=True):
        for step in tick:
            level[0] += share * (step.reshape(3, 2, 5).mean(2) / DT - level[0])
            level[1] += share * (level[0] - level[1])
        pull = level[order - 1]
        np.testing.assert_allclose(decoder.decode(one), between((pull[:, 0] - pull[:, 1]) / 50.0), atol=1e-9)
    decoder.reset(1)
    np.testing.assert_array_equal(decoder.decode(Spikes.none(N_STEPS)), REST)  # nothing is left of the episode before


def test_a_twitch_of_second_order_rises_and_falls_as_a_critically_damped_muscle_does():
    tau = 0.05
    decoder = make(
        {"kind": "leaky-integrator", "tau": tau, "full_rate": 1e4},
        spaces.Box(-1, 1, (1,), np.float64),
        neurons=1,
        n_steps=1,
    )
    decoder.decode(Spikes.of([0], [0], 1))
    force = np.array([decoder.decode(Spikes.none(1))[0] for _ in range(400)])
    t = DT * (np.arange(400) + 2)  # the spike's own step is the first
    np.testing.assert_allclose(force, t / tau**2 * np.exp(-t / tau) / 1e4, atol=0.01 * force.max())
    assert t[force.argmax()] == pytest.approx(tau, rel=0.05)


def test_a_linear_readout_is_a_weighted_sum_of_all_rates(noise):
    decoder = make({"kind": "linear", "full_rate": 40.0}, BOX, neurons=6)
    weights = decoder.read("decoder.weights")
    fires, spikes = noise(decoder.n_inputs)
    for one, tick in zip(spikes, fires, strict=True):
        x = weights @ (tick.sum(0) / (N_STEPS * DT)) / 40.0
        np.testing.assert_allclose(decoder.decode(one), between(x), rtol=1e-9)


def test_weights_of_a_linear_readout_may_be_given(even):
    given_weights = ((0.5, -0.5, 0.0, 1.0), (0.0, 0.0, 1.0, 0.0))
    decoder = make(
        {"kind": "linear", "weights": given_weights, "full_rate": 1000.0}, spaces.Box(-1, 1, (2,)), neurons=1
    )
    np.testing.assert_allclose(decoder.decode(even([4, 2, 10, 1])), [0.5 * 0.2 - 0.5 * 0.1 + 0.05, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (((1.0, 1.0),), "must be 2 rows of 4"),
        (((1.0,) * 4, (0.0,) * 3), "got 2 of"),
        (((1.0, 1.0, 1.0, 0.0),) * 2, "no dimension reads"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(ConfigError, match=rf"decoder\.weights: .*{message}"):
        make({"kind": "linear", "weights": weights}, spaces.Box(-1, 1, (2,)), neurons=1)


@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 99))
def test_preferred_directions_come_with_their_opposites_so_uniform_rates_say_rest(dims, pairs, seed):
    weights = directions(dims, 2 * pairs, np.random.default_rng(seed))
    np.testing.assert_allclose(weights.sum(1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(weights, axis=0), dims / pairs)


@pytest.mark.parametrize("kind", ["population-vector", "rate", "leaky-integrator", "pwm", "linear"])
def test_silence_is_rest_and_never_an_end_of_the_range(kind):
    np.testing.assert_array_equal(make(kind, BOX).decode(Spikes.none(N_STEPS)), REST)


# -- round trips: a value, ideal spikes for it, and what is decoded

VALUE = st.floats(-2.0, 2.0)
ONE = spaces.Box(-2.0, 2.0, (1,), np.float64)
NEURONS = 16


def pair(value, most):
    """Counts of a pair's neurons for x = value / 2, so that both groups together spread what rounding cannot say."""
    wanted = round(NEURONS * most * abs(value) / 2.0)
    counts = np.full(2 * NEURONS, 2)
    first = 0 if value > 0 else NEURONS
    counts[first : first + NEURONS] += wanted // NEURONS
    counts[first : first + wanted % NEURONS] += 1
    return counts


@settings(max_examples=60, deadline=None)
@given(VALUE)
@pytest.mark.parametrize("kind", ["rate", "linear"])
def test_a_pair_gives_a_value_back_to_within_half_a_spike(kind, even, value):
    decoder = make({"kind": kind, "full_rate": 500.0}, ONE, neurons=NEURONS)
    action = decoder.decode(even(pair(value, 10)))[0]
    assert abs(action - value) <= 0.5 * 2.0 / (NEURONS * 10) + 1e-9


@settings(max_examples=60, deadline=None)
@given(VALUE)
def test_a_population_vector_gives_a_value_back_to_within_a_spike(even, value):
    levels = 9
    decoder = make({"kind": "population-vector", "levels": levels, "gain": 1.0}, ONE, neurons=NEURONS)
    place = (value + 2.0) / 4.0 * (levels - 1)
    k = min(int(place), levels - 2)
    upper = round((place - k) * 10 * NEURONS)  # of 10 × NEURONS spikes, the rest come from the group below
    counts = np.zeros((levels, NEURONS), int)
    for group, total in ((k, 10 * NEURONS - upper), (k + 1, upper)):
        counts[group] = total // NEURONS
        counts[group, : total % NEURONS] += 1
    assert abs(decoder.decode(even(counts.ravel()))[0] - value) <= 0.5 * (4.0 / (levels - 1)) / (10 * NEURONS) + 1e-9


@settings(max_examples=30, deadline=None)
@given(VALUE)
def test_a_leaky_integrator_settles_at_the_value_to_within_its_ripple(even, value):
    decoder = make({"kind": "leaky-integrator", "tau": 0.05, "full_rate": 500.0}, ONE, neurons=NEURONS)
    spikes = even(pair(value, 10))
    settled = np.mean([decoder.decode(spikes)[0] for _ in range(40)][-10:])
    # half a spike of rounding, and the ripple of spikes that come together every second step, dt / tau of the rate at most
    assert abs(settled - value) <= 0.5 * 2.0 / (NEURONS * 10) + 2.0 * (DT / 0.05)
