"""The normaliser against numpy's statistics of everything seen, and its output for any finite observation."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from neuroloop.encoders.normaliser import Normaliser, add_normaliser
from neuroloop.encoders.observation import layout_of
from neuroloop.errors import ConfigError
from neuroloop.graph import Graph, Mode
from neuroloop.network.engine import Engine
from neuroloop.settings import Adaptive, ClockConfig, Fixed

UNBOUNDED = spaces.Box(-np.inf, np.inf, (3,), np.float64)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


@pytest.fixture(scope="module")
def make():
    """Makes a normaliser: a function from an observation to the scaled one, with its row and graph as attributes."""

    def make(config, space):
        graph, rows = Graph(ClockConfig(), 0), []
        part, graph.part = graph.part, lambda row: rows.append(row) or part(row)
        scaled = add_normaliser(graph, config, layout_of(space)).scaled
        network, n = Engine(graph), layout_of(space).size

        def scale(observation, mode=Mode.ACT):
            network.view("observation")[:] = observation
            network.run(mode)
            return network._pools["f4"][graph.place(scaled) :][:n].copy()

        scale.read = lambda field: network._pools["f8"][graph.place(getattr(rows[0], field)) :][:n].copy()
        scale.wake = lambda: network._pools["f8"].__setitem__(network._linked.signals["awake"], 1.0)
        assert isinstance(rows[0], Normaliser)
        return scale

    return make


def test_statistics_are_those_of_numpy_over_everything_seen(make):
    scale, seen = make(Adaptive(), UNBOUNDED), []
    rng = np.random.default_rng(0)
    for _ in range(300):
        seen.append(rng.normal([0.0, 100.0, -3.0], [1.0, 20.0, 1e-3]))
        scale(seen[-1])
        for field, function in (("mean", np.mean), ("variance", np.var), ("least", np.min), ("most", np.max)):
            np.testing.assert_allclose(scale.read(field), function(seen, axis=0), rtol=1e-9, atol=1e-12)


def test_the_range_is_where_extremes_and_three_deviations_meet(make):
    scale, seen = make(Adaptive(width=2.0), UNBOUNDED), []
    rng = np.random.default_rng(1)
    for _ in range(300):
        seen.append(np.array([rng.normal(), rng.uniform(), float(rng.random() < 0.01)]))
        scaled = scale(seen[-1])
        mean, sd = np.mean(seen, axis=0), np.std(seen, axis=0)
        low = np.maximum(np.min(seen, axis=0), mean - 2.0 * sd)
        high = np.minimum(np.max(seen, axis=0), mean + 2.0 * sd)
        # 1e-8 is added to deviation and width, so that what never changes has a range
        np.testing.assert_allclose(scaled, np.clip((seen[-1] - low) / (high - low + 1e-8), 0, 1), atol=3e-6)


def test_once_learning_began_the_range_never_narrows(make):
    scale, rng = make(Adaptive(width=2.0), UNBOUNDED), np.random.default_rng(2)
    narrowed = []
    for n in range(600):
        if n == 200:
            scale.wake()
        before = scale.read("low"), scale.read("high")
        scale(rng.normal(size=3) * (3.0 if n < 150 or n > 500 else 0.1))
        low, high = scale.read("low"), scale.read("high")
        narrowed.append(bool(((low > before[0]) | (high < before[1])).any()))
    assert any(narrowed[150:200])
    assert not any(narrowed[200:])
    wide = [np.ptp(scale.read(field)) for field in ("low", "high")]
    assert all(width > 0.0 for width in wide), "each dimension has a range of its own"


def test_looking_changes_no_statistics(make):
    scale = make(Adaptive(), UNBOUNDED)
    scale([1.0, 2.0, 3.0])
    scale([2.0, 3.0, 4.0])
    before = scale.read("mean"), scale.read("variance")
    scale([100.0, 100.0, 100.0], Mode.LOOK)
    np.testing.assert_array_equal((scale.read("mean"), scale.read("variance")), before)


def test_the_warm_up_counts(make):
    scale = make(Adaptive(), UNBOUNDED)
    scale([1.0, 2.0, 3.0], Mode.WARM_UP)
    np.testing.assert_array_equal(scale.read("mean"), [1.0, 2.0, 3.0])


def test_fixed_ranges_stay_and_clip(make):
    scale = make(Fixed(low=(-2.0, 0.0, -1.0), high=(2.0, 10.0, 1.0)), UNBOUNDED)
    np.testing.assert_allclose(scale([0.0, 2.5, -7.0]), [0.5, 0.25, 0.0], atol=1e-6)
    np.testing.assert_allclose(scale([9.0, 10.0, 0.5]), [1.0, 1.0, 0.75], atol=2e-6)
    assert scale([9.0, 10.0, 0.5]).max() < 1.0


def test_discrete_levels_keep_their_own_range(make):
    scale = make(Adaptive(), spaces.Tuple((spaces.Discrete(4), spaces.Box(-9, 9, (1,)))))
    for level in range(4):
        assert scale([level, 0.0])[0] == pytest.approx((level + 0.5) / 4, abs=1e-6)


@pytest.mark.parametrize("awake", [False, True])
def test_one_observation_beyond_all_others_counts_but_does_not_blind(make, awake):
    """Ranges never narrow once learning began: taken in full, the outlier would leave all others in one cell."""
    scale, rng = make(Adaptive(), UNBOUNDED), np.random.default_rng(3)
    for _ in range(500):
        scale(rng.uniform(-1.0, 1.0, 3))
    if awake:
        scale.wake()
    low, high = scale.read("low"), scale.read("high")
    span = high - low
    np.testing.assert_array_equal(scale([1e4, -1e4, 1e300]), np.float32([0.999999, 0.0, 0.999999]))
    np.testing.assert_allclose(scale.read("most")[[0, 2]], (high + 10.0 * span)[[0, 2]])
    np.testing.assert_allclose(scale.read("least")[1], (low - 10.0 * span)[1])
    grown = (scale.read("high") - scale.read("low")) / span
    assert (grown > 1.0).all(), "it counts"
    assert (grown < 2.5).all(), "σ² grows by at most (10 spans)² / 500"
    assert np.ptp([scale(rng.uniform(-1.0, 1.0, 3)) for _ in range(50)], axis=0).min() > 0.3


def test_statistics_stay_within_the_bounds_of_the_space(make):
    space = spaces.Tuple((
        spaces.Box(-2.0, 5.0, (1,), np.float64), spaces.Box(0.0, np.inf, (1,), np.float64),
        spaces.Box(-np.inf, np.inf, (1,), np.float64),
    ))  # fmt: skip
    scale = make(Adaptive(), space)
    for outlier in (1e4, -1e4):
        scale([outlier] * 3)
    np.testing.assert_array_equal(scale.read("least"), [-2.0, 0.0, -1e4])
    np.testing.assert_array_equal(scale.read("most"), [5.0, 1e4, 1e4])


def test_what_moves_for_the_first_time_after_learning_began_is_seen(make):
    scale = make(Adaptive(), UNBOUNDED)
    for _ in range(100):
        scale([0.0, 0.0, 7.0])
    scale.wake()
    scale([1.0, 0.0, 7.0])
    np.testing.assert_array_equal(scale.read("most"), [1.0, 0.0, 7.0])


def test_a_range_that_was_far_too_narrow_opens_within_a_thousand_observations(make):
    scale, rng = make(Adaptive(), UNBOUNDED), np.random.default_rng(4)
    for _ in range(1000):
        scale(rng.normal(size=3) * 1e-3)
    scale.wake()
    for _ in range(1000):
        scale(rng.normal(size=3))
    assert (scale.read("high") - scale.read("low") > 2.0).all()


@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=5), st.booleans())
def test_any_finite_observation_lies_in_zero_to_one(make, observations, fixed):
    config = Fixed(low=(-1e300, 0.0, -1.7e308), high=(1e300, 1e-300, 1.7e308)) if fixed else Adaptive()
    scale = make(config, UNBOUNDED)
    for observation in observations:
        scaled = scale(observation)
        assert np.all(scaled >= 0.0)
        assert np.all(scaled < 1.0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Fixed(low=(0.0,), high=(1.0, 1.0, 1.0)), r"normalise.low: the observation has 3 dimensions, got 1"),
        (Fixed(low=(0.0, 0.0, 0.0), high=(1.0,)), r"normalise.high: the observation has 3 dimensions, got 1"),
        (Fixed(low=(0.0, 0.0, 2.0), high=(1.0, 1.0, 1.0)), r"normalise.low: must be below"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(make, config, message):
    with pytest.raises(ConfigError, match=message):
        make(config, UNBOUNDED)
