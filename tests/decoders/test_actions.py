"""Every supported action space: choices become valid actions, and every action of a discrete one can be chosen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuroloop.decoders.actions import code_of
from neuroloop.errors import UnsupportedSpace


@st.composite
def boxes(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int32, np.uint8]))
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    if np.issubdtype(dtype, np.integer):
        least = 0 if dtype == np.uint8 else -100
        pair = arrays.arrays(dtype, shape, elements=st.integers(least, 100)), st.integers(0, 100)
        low = draw(pair[0])
        return spaces.Box(low, (low + draw(pair[1])).astype(dtype), shape, dtype)
    values = st.floats(-1e6, 1e6, width=32 if dtype == np.float32 else 64)
    low, high = (draw(arrays.arrays(dtype, shape, elements=values)) for _ in range(2))
    return spaces.Box(np.minimum(low, high), np.maximum(low, high), shape, dtype)


@given(boxes(), st.integers(2, 15), st.data())
def test_any_choice_of_levels_is_a_valid_action_of_a_box(space, levels, data):
    code = code_of(space, levels)
    assert code.ordered
    assert code.groups == (levels,) * int(np.prod(space.shape))
    action = code.decode([data.draw(st.integers(0, levels - 1)) for _ in code.groups])
    assert space.contains(action)
    assert np.array_equal(code.decode([0] * len(code.groups)), space.low)
    assert np.array_equal(code.decode([levels - 1] * len(code.groups)), space.high)


def test_levels_of_a_box_are_evenly_spaced_ends_included():
    code = code_of(spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 10.0], np.float32)), 5)
    every = np.array([code.decode([k, k]) for k in range(5)])
    np.testing.assert_allclose(every, [[-1, 0], [-0.5, 2.5], [0, 5], [0.5, 7.5], [1, 10]])


def test_a_float64_box_is_never_left_by_rounding():
    space = spaces.Box(-0.1, 0.3, (1,), np.float64)  # -0.1 + (0.3 - -0.1) is above 0.3
    assert space.contains(code_of(space, 9).decode([8]))


@given(st.integers(1, 60), st.integers(-20, 20))
def test_choices_of_a_discrete_space_are_its_actions_one_to_one(n, start):
    space = spaces.Discrete(n, start=start)
    code = code_of(space, 9)
    actions = [code.decode([choice]) for choice in range(n)]
    assert (code.groups, code.ordered) == ((n,), False)
    assert all(space.contains(action) for action in actions)
    assert actions == list(range(start, start + n))


@pytest.mark.parametrize(
    "space",
    [
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiDiscrete([2, 3], start=[-1, 7]),
        spaces.MultiDiscrete([[2, 1], [3, 2]]),
        spaces.MultiDiscrete([2, 3], dtype=np.uint8),
        spaces.MultiBinary(3),
        spaces.MultiBinary((2, 2)),
    ],
    ids=str,
)
def test_choices_of_several_dimensions_are_their_actions_one_to_one(space):
    code = code_of(space, 9)
    actions = [code.decode(list(choice)) for choice in itertools.product(*map(range, code.groups))]
    assert not code.ordered
    assert all(space.contains(action) for action in actions)
    assert len({tuple(np.ravel(action)) for action in actions}) == len(actions) == np.prod(code.groups)


@pytest.mark.parametrize(
    "space", [spaces.Text(3), spaces.Tuple((spaces.Discrete(2),)), spaces.Dict(a=spaces.Discrete(2))]
)
def test_other_spaces_are_refused_with_what_is_supported(space):
    with pytest.raises(UnsupportedSpace, match="supported are Discrete, MultiDiscrete, MultiBinary and bounded Box"):
        code_of(space, 9)


@pytest.mark.parametrize("low", [-np.inf, -1.0])
def test_an_unbounded_box_is_refused_with_what_to_do(low):
    with pytest.raises(UnsupportedSpace, match="needs finite bounds; wrap the environment"):
        code_of(spaces.Box(low, np.inf, (2,)), 9)
