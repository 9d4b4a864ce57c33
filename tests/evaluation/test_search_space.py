"""Ranges and choices of a sweep: what they propose, and as what it is written."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroloop import config
from neuroloop.agent import read_config
from neuroloop.evaluation.search_space import Choice, Range, Searched, SearchSpace, overrides, toml

GAIN, GAMMA, MODULES, ERROR = (
    "projection.policy.plasticity.gain", "learner.gamma", "encoder.modules", "learner.error"
)  # fmt: skip
SEARCH = {
    GAIN: Searched(low=0.1, high=10.0, log=True),
    GAMMA: Searched(low=0.9, high=1),
    MODULES: Searched(low=3, high=6),
    ERROR: Searched(choices=("normalised", "raw")),
}


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace(SEARCH, read_config("default")[1])


def test_a_range_is_whole_where_the_setting_is(space: SearchSpace) -> None:
    assert space.dimensions == {
        GAIN: Range(0.1, 10.0, True, False, None), GAMMA: Range(0.9, 1, False, False, None),
        MODULES: Range(3, 6, False, True, None), ERROR: Choice(('"normalised"', '"raw"')),
    }  # fmt: skip


@pytest.mark.parametrize("method", ["random", "quasi_random"])
def test_points_fill_ranges_evenly_in_their_measure_and_choices_equally(space: SearchSpace, method: str) -> None:
    points = [getattr(space, method)(n, 0) for n in range(4000)]
    assert np.quantile([p[GAIN] for p in points], [0.25, 0.5, 0.75]) == pytest.approx([10**-0.5, 1, 10**0.5], rel=0.1)
    assert np.mean([p[GAMMA] for p in points]) == pytest.approx(0.95, abs=0.002)
    for path, n in ((MODULES, 4), (ERROR, 2)):
        _, counts = np.unique([p[path] for p in points], return_counts=True)
        assert counts == pytest.approx([4000 / n] * n, rel=0.1)  # 3 standard deviations of 1000 draws in 4


def test_quasi_random_points_leave_smaller_holes_than_random_ones() -> None:
    space = SearchSpace({GAMMA: Searched(low=0.0, high=1.0)}, read_config("default")[1])
    gaps = {}
    for method in ("random", "quasi_random"):
        values = sorted(getattr(space, method)(n, 3)[GAMMA] for n in range(100))
        gaps[method] = np.diff([0.0, *values, 1.0]).max()
    assert gaps["quasi_random"] < 0.017  # the golden ratio's three gaps: at most φ / 100
    assert gaps["random"] > gaps["quasi_random"]


@given(u=st.floats(0, 1, exclude_max=True), low=st.integers(1, 50), width=st.integers(1, 500), log=st.booleans())
def test_whole_values_stay_within_their_bounds(u: float, low: int, width: int, log: bool) -> None:
    value = Range(low, low + width, log, True, None).at(u)
    assert isinstance(value, int)
    assert low <= value <= low + width


def test_a_grid_has_every_combination_once() -> None:
    search = SEARCH | {
        GAIN: Searched(low=0.1, high=10.0, log=True, points=3),
        GAMMA: Searched(low=0.9, high=1, points=2),
    }
    space = SearchSpace(search, read_config("default")[1])
    assert space.n_points == 3 * 2 * 4 * 2
    points = [tuple(space.grid(n).values()) for n in range(space.n_points)]
    assert len(set(points)) == space.n_points
    assert points[0] == pytest.approx((0.1, 0.9, 3, '"normalised"'))
    assert points[-1] == pytest.approx((10.0, 1.0, 6, '"raw"'))
    assert sorted({gain for gain, *_ in points}) == pytest.approx([0.1, 1.0, 10.0])


def test_whole_points_of_a_grid_are_rounded_and_not_repeated() -> None:
    assert Range(1, 3, False, True, 9).grid() == [1, 2, 3]
    assert Range(1, 100, True, True, 3).grid() == [1, 10, 100]


def test_the_agent_as_it_is_lies_in_the_space_or_it_is_said_where_not() -> None:
    agent = read_config("default")[1]
    own = agent.projection["policy"].plasticity.gain
    assert SearchSpace({GAIN: SEARCH[GAIN], ERROR: SEARCH[ERROR]}, agent).own == {GAIN: own, ERROR: '"normalised"'}
    outside = SearchSpace(SEARCH, agent)
    assert (outside.own, outside.outside) == (None, [MODULES])


def test_a_setting_that_the_agent_leaves_out_may_be_searched_by_choices_of_its_whole_table() -> None:
    search = {"encoder": Searched(choices=({"kind": "gaussian", "neurons": 12}, {"kind": "conjunctive"}))}
    space = SearchSpace(search, read_config("cartpole")[1])
    (first, second), data = (
        space.dimensions["encoder"].extremes(),
        tomllib.loads(config.to_toml(read_config("cartpole")[1])),
    )
    assert (first, second) == ('{kind = "gaussian", neurons = 12}', '{kind = "conjunctive"}')
    config.apply(data, f"encoder={first}")
    assert data["encoder"] == {"kind": "gaussian", "neurons": 12}


def test_numbers_are_written_with_six_digits() -> None:
    assert overrides({"a.b": 0.123456789, "c": 5, "d": '"raw"', "e": 1e-7}) == [
        "a.b=0.123457",
        "c=5",
        'd="raw"',
        "e=1e-07",
    ]


values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(value=values)
def test_what_is_written_as_toml_on_one_line_is_read_back(value: Any) -> None:
    text = toml(value)
    assert tomllib.loads(f"value = {text}")["value"] == value
