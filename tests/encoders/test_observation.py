"""Every supported observation space, nested as it may be, becomes a vector of the right size."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from neuroloop.encoders.observation import layout_of
from neuroloop.errors import UnsupportedSpace

shapes = st.sampled_from([(), (1,), (3,), (2, 2)])
leaves = st.one_of(
    shapes.map(lambda shape: spaces.Box(-1.0, 2.0, shape)),
    shapes.map(lambda shape: spaces.Box(0, 255, shape, np.uint8)),
    st.tuples(st.integers(1, 50), st.integers(-9, 9)).map(lambda p: spaces.Discrete(p[0], start=p[1])),
    st.lists(st.integers(1, 9), min_size=1, max_size=4).map(spaces.MultiDiscrete),
    st.sampled_from([spaces.MultiDiscrete([[2, 3], [4, 5]]), spaces.MultiDiscrete([3, 4], start=[-1, 7])]),
    st.sampled_from([spaces.MultiBinary(4), spaces.MultiBinary((2, 3))]),
)
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3).map(spaces.Dict),
    ),
    max_leaves=6,
)


@given(nested, st.integers(0, 2**31 - 1))
def test_any_supported_space_flattens_to_its_layout(space, seed):
    layout = layout_of(space)
    space.seed(seed)
    flat = np.asarray(layout.flatten(space.sample()), np.float64)
    assert flat.shape == (layout.size,) == layout.levels.shape
    assert len(set(layout.names)) == layout.size
    discrete = layout.levels > 0
    assert np.all(flat[discrete] >= 0)
    assert np.all(flat[discrete] < layout.levels[discrete])
    assert np.all(flat[discrete] % 1 == 0)


@given(nested, st.integers(0, 2**31 - 1))
def test_flattening_loses_nothing(space, seed):
    layout = layout_of(space)
    space.seed(seed)
    one, other = space.sample(), space.sample()
    same = spaces.flatten(space, one).tolist() == spaces.flatten(space, other).tolist()
    assert (list(layout.flatten(one)) == list(layout.flatten(other))) == same


def test_discrete_levels_count_from_zero():
    layout = layout_of(spaces.Discrete(3, start=5))
    assert [list(layout.flatten(value)) for value in (5, 6, 7)] == [[0], [1], [2]]
    assert list(layout_of(spaces.MultiDiscrete([3, 4], start=[-1, 7])).flatten(np.array([1, 7]))) == [2, 0]


def test_names_say_where_a_number_is_found():
    space = spaces.Dict({"arm": spaces.Box(0, 1, (2,)), "grip": spaces.Tuple((spaces.Discrete(2),))})
    assert layout_of(space).names == ("observation['arm'][0]", "observation['arm'][1]", "observation['grip'][0]")


@pytest.mark.parametrize(
    "space",
    [spaces.Text(5), spaces.Sequence(spaces.Discrete(2)), spaces.Tuple((spaces.Discrete(2), spaces.Text(3)))],
)
def test_other_spaces_are_refused_with_what_is_supported(space):
    with pytest.raises(UnsupportedSpace, match=r"Text|Sequence") as caught:
        layout_of(space)
    assert "supported are Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of these" in str(caught.value)


def test_images_and_empty_spaces_are_refused():
    with pytest.raises(UnsupportedSpace, match="27648 dimensions, more than 1024; images need an encoder"):
        layout_of(spaces.Box(0, 255, (96, 96, 3), np.uint8))
    with pytest.raises(UnsupportedSpace, match="is empty"):
        layout_of(spaces.Tuple(()))
