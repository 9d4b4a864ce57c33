"""Keys of an observation by name, and errors that say what there is."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.encoders import make
from neuroloop.encoders.observation import MOST_DIMENSIONS, misfit
from neuroloop.encoders.selection import find, layout_of_keys
from neuroloop.errors import ConfigError, PlantError, UnsupportedSpace

SPACE = spaces.Dict({
    "arm": spaces.Dict({"angles": spaces.Box(-3.0, 3.0, (2, 3), np.float64), "left.hand": spaces.Discrete(4)}),
    "imu": spaces.Box(-9.0, 9.0, (6,), np.float64),
    "keys": spaces.Tuple((spaces.MultiBinary(3), spaces.Discrete(2, start=1))),
    "image": spaces.Box(0, 255, (64, 64, 3), np.uint8),
})  # fmt: skip
OBSERVATION = {
    "arm": {"angles": np.arange(6.0).reshape(2, 3), "left.hand": 3}, "imu": 10.0 + np.arange(6),
    "keys": (np.array([0, 1, 1]), 2), "image": np.zeros((64, 64, 3), np.uint8),
}  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["imu"], [10, 11, 12, 13, 14, 15]),
        (["imu[1:3]"], [11, 12]),
        (["imu[::2]", "imu[-1]"], [10, 12, 14, 15]),
        (["arm.angles[1, 0]"], [3]),
        (["arm.angles[:, 2]"], [2, 5]),
        (["arm.left.hand"], [3]),
        (["arm"], [0, 1, 2, 3, 4, 5, 3]),
        (["keys.1", "keys.0[1:]"], [1, 1, 1]),
        (["keys", "imu[0]", "arm.angles[0]"], [0, 1, 1, 1, 10, 0, 1, 2]),
    ],
)
def test_keys_name_dimensions(keys, expected):
    layout = layout_of_keys(SPACE, keys, "encoder.on")
    assert np.asarray(layout.flatten(OBSERVATION)).tolist() == expected
    assert len(layout.names) == len(layout.levels) == len(layout.low) == len(expected)


def test_a_box_by_itself_has_an_index_only():
    box = spaces.Box(-1.0, 1.0, (4,), np.float64)
    for key in ("[1:3]", "observation[1:3]"):
        assert layout_of_keys(box, [key], "on").names == ("observation[1]", "observation[2]")
    assert layout_of_keys(box, ["observation"], "on").size == 4


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("imi", r"encoder.on: unknown key 'imi': did you mean 'imu'"),
        ("arm.angle", r"encoder.on: unknown key 'arm.angle': did you mean 'arm.angles'"),
        ("keys.2", r"encoder.on: unknown key 'keys.2'"),
        ("imu.0", r"encoder.on: unknown key 'imu.0'"),
        ("imu[6]", r"encoder.on: 'imu\[6\]' does not fit observation\['imu'\], whose shape is \[6\]"),
        ("imu[0, 0]", r"does not fit"),
        ("imu[3:3]", r"encoder.on: 'imu\[3:3\]' names nothing"),
        ("arm[0]", r"has an index, but observation\['arm'\] is Dict"),
        ("keys.1[0]", r"has an index, but .* is Discrete"),
        ("imu[::0]", r"does not fit"),
        ("imu[1:2:3:4]", r"does not fit"),
        ("", None),
    ],
)
def test_keys_that_do_not_exist_are_refused_with_the_closest(key, message):
    if message is None:
        assert find(SPACE, key, "encoder.on").space is SPACE
        return
    with pytest.raises(ConfigError, match=message):
        layout_of_keys(SPACE, [key], "encoder.on")


def test_an_image_that_no_encoder_looks_at_is_no_obstacle():
    with pytest.raises(UnsupportedSpace, match=f"more than {MOST_DIMENSIONS}"):
        make({"kind": "rate"}, SPACE)
    encoder = make({"kind": "rate", "on": ["imu", "keys"]}, SPACE)
    assert encoder.n == 2 * 6 + 3 * 2 + 2
    encoder.encode({"imu": OBSERVATION["imu"], "keys": OBSERVATION["keys"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imu": np.zeros(5)}, r"observation\['imu'\] has shape \(5,\), expected \(6,\)"),
        ({"imu": "six"}, r"observation\['imu'\] should be numbers, got 'six'"),
        ({"imu": np.full(6, np.nan)}, r"observation\['imu'\]\[0\] is nan"),
        ({"keys": (np.zeros(3),)}, r"observation\['keys'\] should have 2 entries"),
        ({"keys": (np.full(3, 2), 1)}, r"lies outside its space: observation\['keys'\]\[0\]\[0\]"),
        ({"keys": 3}, r"observation\['keys'\] should have 2 entries"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    encoder = make({"kind": "rate", "on": ["imu", "keys"]}, SPACE)
    with pytest.raises(PlantError, match=message):
        encoder.encode(OBSERVATION | change)
    del (less := dict(OBSERVATION))["imu"]
    with pytest.raises(PlantError, match=r"'imu' is missing"):
        encoder.encode(less)
    assert misfit(SPACE, OBSERVATION) is None


leaves = st.sampled_from([
    spaces.Box(-1.0, 1.0, (), np.float64), spaces.Box(-np.inf, np.inf, (2, 1), np.float32), spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 5]), spaces.MultiDiscrete([[2, 3], [4, 5]]), spaces.MultiBinary((2, 2)), spaces.MultiBinary(1),
])  # fmt: skip
nested = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b.c", "d e"]), inner, min_size=1, max_size=3).map(spaces.Dict)
        | st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple)
    ),
    max_leaves=6,
)


@given(nested, st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_any_space_of_numbers_can_be_sensed(space, seed):
    space.seed(seed)
    encoder = make({"kind": "rate"}, space, n_steps=3)
    for _ in range(3):
        spikes = encoder.encode(space.sample())
        assert spikes.offsets.shape == (4,)
        assert not spikes.n or 0 <= spikes.ids[: spikes.n].min() <= spikes.ids[: spikes.n].max() < encoder.n
