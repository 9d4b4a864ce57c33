"""What a guard lets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.errors import BadInput
from neuroloop.loop.safety import Guard, fail_safe_of, finite

BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
PARTS = spaces.Dict({"arm": BOX, "grip": spaces.Discrete(3), "base": spaces.Tuple([spaces.Box(0, 4.0, (1,)), BOX])})


class World:
    def __init__(self, space: Any) -> None:
        self.action_space, self.unwrapped = space, self


@given(seed=st.integers(0, 1000), amplitude=st.floats(0.05, 2.0), slew=st.floats(0.1, 100.0))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_limits_hold_for_every_box_within_an_action(seed: int, amplitude: float, slew: float) -> None:
    guard, before = Guard(PARTS, 0.01, amplitude, slew), np.zeros(5)
    PARTS.seed(seed)
    for _ in range(20):
        action = PARTS.sample()
        done = guard(action)
        assert PARTS.contains(done)
        assert done["grip"] == action["grip"]
        now = np.concatenate([done["arm"], *done["base"]]).astype(np.float64)
        assert (abs(now) <= amplitude + 1e-6).all()
        assert (abs(now - before) <= slew * 0.01 + 1e-6).all()
        before = now


def test_a_guard_without_limits_changes_nothing() -> None:
    guard, action = Guard(PARTS, 0.01), PARTS.sample()
    assert guard(action) is action
    assert guard.allows(action)
    assert guard.arrived(action)
    assert guard.limited == 0


@pytest.mark.parametrize("space", [spaces.Discrete(2), spaces.Tuple([spaces.Discrete(2)]), spaces.MultiBinary(3)])
def test_limits_where_nothing_has_a_size_are_refused(space: Any) -> None:
    with pytest.raises(BadInput, match="limits: are for Box"):
        Guard(space, 0.01, slew=1.0)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_found_anywhere(odd: float) -> None:
    box = np.array([0.0, odd], np.float32)
    for value in (box, (1, box), {"a": {"b": [box]}}, np.float64(odd)):
        assert not finite(value)
    for value in (np.zeros(2), 3, "text", {"a": (np.int64(1), None)}, np.zeros(0)):
        assert finite(value)


def test_a_fail_safe_action_is_written_as_plain_numbers_for_every_part() -> None:
    action = fail_safe_of(World(PARTS), {"arm": [0.5, 0], "grip": 2, "base": [[1.0], [0, 0]]})  # type: ignore[arg-type]
    assert PARTS.contains(action)
    assert action["arm"].tolist() == [0.5, 0.0]
    unbounded = World(spaces.Box(-np.inf, np.inf, (1,)))
    for odd in ([np.nan], [np.inf], "fast", None):
        if odd is not None:
            with pytest.raises(BadInput, match="fail-safe: must be an action of"):
                fail_safe_of(unbounded, odd)  # type: ignore[arg-type]


@pytest.mark.parametrize("amplitude", [0.1, 0.3, 0.7])
def test_a_fail_safe_action_that_is_written_as_the_amplitude_lies_within_it(amplitude: float) -> None:
    action = fail_safe_of(World(BOX), [amplitude, -amplitude])  # type: ignore[arg-type]
    guard = Guard(BOX, 0.01, amplitude)
    assert guard.allows(action)
    assert guard(action).tolist() == action.tolist()
    assert guard.arrived(action)
    with pytest.raises(BadInput, match="fail-safe: lies beyond the amplitude"):
        guard.check_fail_safe(np.array([amplitude + 1e-6, 0.0], np.float32))


def test_limits_of_whole_numbers_are_the_whole_numbers_within_them() -> None:
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    for box, lowest, highest in (
        (spaces.Box(-9, 9, (1,), np.int32), -2, 2),
        (spaces.Box(4, 250, (1,), np.uint8), 4, 6),
    ):
        guard = Guard(box, 0.01, amplitude=2.5)
        assert guard(np.array([9], box.dtype)).tolist() == [highest]
        assert guard(np.array([-9 if lowest < 0 else 4], box.dtype)).tolist() == [lowest]
    wide = Guard(spaces.Box(low, high, (1,), np.int64), 0.01, slew=1e30)
    assert wide.allows(np.array([low]))
    assert wide.allows(np.array([high]))
