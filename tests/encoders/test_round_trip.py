"""Values read back from spikes: for every encoder on random signals, within the error that its equation allows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.encoders import make
from neuroloop.encoders.conjunctive import deal_modules
from neuroloop.encoders.observation import layout_of
from neuroloop.settings import Conjunctive

DT, N_STEPS = 1e-3, 20
UNIT = {"kind": "fixed", "low": [0.0], "high": [1.0]}
SPACE = spaces.Box(0.0, 1.0, (1,), np.float64)
TINY = 3e-6  # float32 and the normaliser's 1e-8 and 0.999999
value, signal = st.floats(0.0, 1.0), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30)
quick = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def encoder():
    """Makes an encoder of one dimension in [0, 1], once for each table."""
    made = {}

    def get(**table):
        key = str(table)
        if key not in made:
            made[key] = make({"normalise": UNIT} | table, SPACE, dt=DT, n_steps=N_STEPS)
        made[key].reset()
        return made[key]

    return get


def times(spikes):
    """Step and neuron of each spike."""
    return [(step, int(j)) for step in range(N_STEPS) for j in spikes.at(step)]


def counts(encoder, x, n_ticks=1):
    total = np.zeros(encoder.n)
    for _ in range(n_ticks):
        spikes = encoder.encode(np.array([x]))
        total += np.bincount(spikes.ids[: spikes.n], minlength=encoder.n)
    return total


@given(value, st.sampled_from([1, 5]), st.sampled_from([0.0, 20.0]))
@quick
def test_regular_rates_to_one_spike_over_the_time(encoder, x, n_ticks, least):
    code = encoder(kind="rate", max_rate=200.0, min_rate=least)
    much, little = (counts(code, x, n_ticks) / (n_ticks * N_STEPS * DT) - least) / (200.0 - least)
    bound = 1.0 / ((200.0 - least) * n_ticks * N_STEPS * DT) + TINY  # one spike
    assert abs(much - x) <= bound
    assert abs(1.0 - little - x) <= bound


def test_random_rates_to_their_scatter(encoder):
    code, n = encoder(kind="rate", spikes="poisson", channels="value"), 500
    for x in (0.05, 0.3, 0.9):
        expected = x * 200.0 * DT * N_STEPS * n
        assert abs(counts(code, x, n)[0] - expected) < 5.0 * math.sqrt(expected)


@given(value)
@quick
def test_linear_latency_to_one_step(encoder, x):
    ((first, j), *_) = times(encoder(kind="latency", threshold=0.1).encode(np.array([x])))
    a = 1.0 - (first + 0.5) / N_STEPS * 0.9  # the middle of the step
    assert abs((a if j == 0 else 1.0 - a) - x) <= 0.5 / N_STEPS * 0.9 + TINY


@given(value)
@quick
def test_logarithmic_latency_to_one_step(encoder, x):
    spikes = times(encoder(kind="latency", law="logarithmic", threshold=0.1, tau=0.004).encode(np.array([x])))
    for step, j in spikes:
        soonest, latest = (0.1 / (1.0 - math.exp(-(step + k) * DT / 0.004)) if step + k else math.inf for k in (0, 1))
        assert latest - TINY <= (x if j == 0 else 1.0 - x) <= soonest + TINY
    assert len(spikes) == sum(a > 0.1 / (1.0 - math.exp(-N_STEPS * DT / 0.004)) for a in (x, 1.0 - x))


@given(signal, st.sampled_from([(1,), (1, 2), (1, 2, 4)]))
@quick
def test_send_on_delta_to_one_delta(encoder, xs, levels):
    delta = 0.06 if levels == (1,) else 0.02  # so that no jump is too fast: 20 steps × Σ levels × delta > 1
    code = encoder(kind="send-on-delta", delta=delta, levels=levels)
    assert not times(code.encode(np.array([xs[0]])))  # all is sent at an episode's start
    sent = xs[0]
    for x in xs[1:]:
        for _, j in times(code.encode(np.array([x]))):
            sent += delta * levels[j // 2] * (1 - 2 * (j % 2))
        assert abs(sent - x) <= delta * (1.0 + 1e-6) + TINY


@given(signal)
@quick
def test_a_burst_to_one_spike_of_its_greatest_number(encoder, xs):
    code = encoder(kind="burst", spikes=5)
    for x in xs:
        much, little = counts(code, x)
        assert much / 5 - 1 / 5 - TINY <= x <= much / 5 + TINY
        assert little / 5 - 1 / 5 - TINY <= 1.0 - x <= little / 5 + TINY


@given(value)
@quick
def test_a_phase_to_one_step_of_the_cycle(encoder, x):
    code = encoder(kind="phase", frequency=50.0, share=0.9)
    for _ in range(3):  # a cycle is a control step
        for step, j in times(code.encode(np.array([x]))):
            phase = (step + 0.5) / N_STEPS
            assert abs(1.0 - phase / 0.9 - (x if j == 0 else 1.0 - x)) <= 0.5 / N_STEPS / 0.9 + TINY
        assert np.bincount(code.encode(np.array([x])).ids[:2]).tolist() == [1, 1]


@given(value)
@quick
def test_a_population_of_curves_to_the_rounding_of_its_counts(encoder, x):
    code, centres = encoder(kind="gaussian", neurons=11, width=0.1), np.linspace(0, 1, 11)
    inside = 0.3 + 0.4 * x  # away from the ends, where curves are cut off
    seen = counts(code, inside, 5)
    read = seen @ centres / seen.sum()
    bound = np.abs(centres - inside)[np.exp(-0.5 * ((inside - centres) / 0.1) ** 2) > 1e-4].sum() / seen.sum()
    assert abs(read - inside) <= bound + 1e-3  # curves below 1 Hz are silent


@given(value)
@quick
def test_cells_to_the_finest_tile(encoder, x):
    config = Conjunctive(modules=30, tiles=(4, 8), dimensions=(1.0,))
    modules = deal_modules(config, layout_of(SPACE), np.random.default_rng([0, 0x6E6C]))
    code = encoder(kind="conjunctive", modules=30, tiles=[4, 8], dimensions=[1.0])
    low, high = 0.0, 1.0
    spikes = code.encode(np.array([x]))
    active = np.unique(spikes.ids[: spikes.n])
    assert active.size == 30
    for cell, first, tiles, offset in zip(
        active, modules.first_cell, modules.tiles[:, 0], modules.offsets[:, 0], strict=True
    ):
        low, high = max(low, (cell - first - offset) / tiles), min(high, (cell - first + 1 - offset) / tiles)
    assert low - TINY <= x <= high + TINY
    assert high - low <= 1.0 / 16


@given(st.lists(st.tuples(st.floats(-2.0, 2.0), st.floats(-5.0, 5.0), st.floats(-1.0, 1.0)), min_size=1, max_size=10))
@quick
def test_a_joint_from_its_afferents_to_one_spike(joint, states):
    joint.reset()
    for q, v, f in states:
        total = np.zeros(joint.n)
        for _ in range(5):
            spikes = joint.encode({"q": np.array([q]), "v": np.array([v]), "f": np.array([f])})
            total += np.bincount(spikes.ids[: spikes.n], minlength=joint.n)
        a, bound = total / (200.0 * DT * N_STEPS * 5), 1.0 / (200.0 * DT * N_STEPS * 5) + TINY
        u = (q + 2.0) / 4.0
        for read, true in zip(a, [
            1.0 - u, u, max(-v / 5.0, 0.0) ** 0.6, max(v / 5.0, 0.0) ** 0.6, max(f, 0.0), max(-f, 0.0),
            max(1.0 - u / 0.1, 0.0), max(1.0 - (1.0 - u) / 0.1, 0.0),
        ], strict=True):  # fmt: skip
            assert abs(read - true) <= bound + 1e-4  # a slope of v^0.6 near 0 makes more of the normaliser's 1e-8


@pytest.fixture(scope="module")
def joint():
    space = spaces.Dict({
        "q": spaces.Box(-2.0, 2.0, (1,), np.float64), "v": spaces.Box(-np.inf, np.inf, (1,), np.float64),
        "f": spaces.Box(-np.inf, np.inf, (1,), np.float64),
    })  # fmt: skip
    ranges = {"kind": "fixed", "low": [-2.0, -5.0, -1.0], "high": [2.0, 5.0, 1.0]}
    table = {"kind": "spindle", "on": ["q"], "velocity": ["v"], "load": ["f"], "normalise": ranges}
    return make(table, space, dt=DT, n_steps=N_STEPS)
