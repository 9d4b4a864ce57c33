"""Percentiles of any number of numbers, in fixed room."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroloop.loop.buckets import FINE, LONGEST, Buckets, _middle, _place

numbers = st.integers(0, (1 << LONGEST) - 1)


@given(numbers)
def test_a_bucket_is_no_wider_than_a_128th_of_what_it_holds(value: int) -> None:
    assert abs(_middle(_place(value)) - value) <= value / 128


@given(numbers, numbers)
def test_greater_numbers_lie_in_no_earlier_bucket(a: int, b: int) -> None:
    assert (_place(a) <= _place(b)) or a > b


def test_numbers_of_few_bits_have_a_bucket_each() -> None:
    assert [_place(value) for value in range(1 << FINE)] == list(range(1 << FINE))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.sampled_from([1, 50, 99, 99.9, 100]))
def test_percentiles_are_those_of_all_numbers_but_for_the_width_of_a_bucket(values: list[int], percent: float) -> None:
    buckets = Buckets()
    for value in values:
        buckets.add(value)
    exact = np.percentile(values, percent, method="inverted_cdf")
    assert buckets.percentile(percent) == pytest.approx(exact, rel=1 / 128)
    assert (buckets.n, buckets.most) == (len(values), max(values))


def test_less_than_nothing_counts_as_nothing() -> None:
    buckets = Buckets()
    buckets.add(-5)
    assert (buckets.n, buckets.most, buckets.percentile(50)) == (1, 0, 0.0)
    assert Buckets().percentile(50) == 0.0
