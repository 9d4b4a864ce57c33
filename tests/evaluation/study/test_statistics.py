"""Interquartile means, bootstrap and Wilson's intervals, against what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroloop.evaluation.statistics import RESAMPLES, iqm, stratified_bootstrap, wilson

floats = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([3.0], 3.0),
        ([1.0, 5.0], 3.0),
        ([1.0, 2.0, 6.0], 3.0),  # a quarter of three is no whole value: the mean
        ([9.0, -100.0, 2.0, 4.0], 3.0),  # the middle two of four
        ([1, 2, 3, 4, 5, 6, 7, 1000], 4.5),  # the middle four of eight
        (range(20), 9.5),
        ([1.0, 2.0, 3.0, math.inf], 2.5),  # one of four may be infinite
        ([1.0, 2.0, math.inf, math.inf], math.inf),
    ],
)
def test_the_iqm_is_the_mean_of_the_middle_half(values: list[float], middle: float) -> None:
    assert iqm(values) == middle


@given(st.lists(floats, min_size=1, max_size=40))
def test_the_iqm_lies_within_the_values_and_does_not_care_for_their_order(values: list[float]) -> None:
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= iqm(values) <= max(values) + slack
    assert iqm(values) == iqm(values[::-1])


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_the_iqm_of_nothing_or_of_nan_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value, and no NaN"):
        iqm(values)


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1)


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error() -> None:
    values = np.random.default_rng(3).normal(10.0, 2.0, 400)
    low, high = stratified_bootstrap([values], mean)
    half = 1.96 * values.std() / math.sqrt(values.size)
    # A percentile of 2000 resamples has a standard error of 3 % of the half width: 10 % is three of them.
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_two_values_have_the_interval_of_a_binomial() -> None:
    # A mean of two draws from {0, 1} is 0 with chance 1/4 and 1 with 1/4: both lie inside 95 %.
    assert stratified_bootstrap([[0.0, 1.0]], mean) == (0.0, 1.0)
    # Of six draws all are 0 with chance 1/64 < 2.5 %, at most one is 1 with chance 7/64 > 2.5 %.
    assert stratified_bootstrap([[0.0, 1.0] * 3], mean) == (pytest.approx(1 / 6), pytest.approx(5 / 6))


def test_strata_keep_their_sizes_so_that_what_differs_between_tasks_only_does_not_widen_the_interval() -> None:
    tasks = [[0.0] * 10, [1.0] * 10]
    assert stratified_bootstrap(tasks, mean) == (0.5, 0.5)
    low, high = stratified_bootstrap([tasks[0] + tasks[1]], mean)
    assert low < 0.4 < 0.6 < high


def test_the_bootstrap_is_seeded() -> None:
    values = [[1.0, 2.0, 4.0, 8.0, 16.0]]
    assert stratified_bootstrap(values, seed=1) == stratified_bootstrap(values, seed=1)
    assert RESAMPLES == 2000


def test_one_value_says_nothing_about_its_spread() -> None:
    assert stratified_bootstrap([[1.0]]) is None
    assert stratified_bootstrap([[1.0], [2.0]]) is None
    assert stratified_bootstrap([[1.0], [2.0, 3.0]]) is not None


def test_infinite_values_give_an_infinite_end_and_no_nan() -> None:
    low, high = stratified_bootstrap([[1.0, 2.0, 3.0, math.inf]])
    assert low < 3.0
    assert high == math.inf


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # 0 and n have closed forms: z² / (n + z²) and n / (n + z²), z² = 3.8415.
        (0, 20, 0.0, 3.8415 / 23.8415),
        (20, 20, 20 / 23.8415, 1.0),
        (1, 1, 1 / 4.8415, 1.0),
        (10, 20, 0.29930, 0.70070),  # 0.5 ± z / (2 sqrt(n + z²))
    ],
)
def test_wilsons_interval(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))
