"""The race of first spikes, against the same in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuroloop.decoders import make
from neuroloop.testing.spikes import of
from neuroloop.types import Spikes

GROUPS, NEURONS, N_STEPS, DECIDE = 4, 3, 12, 8
SPACE = spaces.Discrete(GROUPS)


def winner(fires, silent=0):
    """Whoever fires first; ties go on among those who fired most."""
    left = list(range(GROUPS))
    anybody = False
    for counts in fires[:DECIDE].reshape(DECIDE, GROUPS, NEURONS).sum(2):
        most = max(counts[k] for k in left)
        if most:
            anybody, left = True, [k for k in left if counts[k] == most]
        if anybody and len(left) == 1:
            break
    return left[0] if anybody else silent


@settings(max_examples=150, deadline=None)
@given(arrays.arrays(np.bool_, (N_STEPS, GROUPS * NEURONS)), st.integers(0, 9))
def test_the_first_group_to_be_ahead_wins(fires, silent_steps):
    fires[:silent_steps] = False
    decoder = make({"kind": "first-spike", "decide_after": DECIDE * 1e-3}, SPACE, neurons=NEURONS, n_steps=N_STEPS)
    assert decoder.decode(of(fires)) == winner(fires)


@pytest.mark.parametrize(
    ("space", "expected"),
    [(SPACE, 0), (spaces.Box(-2, 2, (1,)), 0.0), (spaces.Box(1, 5, (1,)), 1.0), (spaces.Box(-7, 1, (1,)), 0.0)],
    ids=str,
)
def test_where_nobody_fires_it_is_the_choice_nearest_to_rest(space, expected):
    assert make("first-spike", space).decode(Spikes.none(20)) == expected


def test_spikes_after_the_decision_change_nothing(even):
    decoder = make({"kind": "first-spike", "decide_after": 0.005}, SPACE, neurons=1)
    late = Spikes.of([6, 7, 8], [2, 2, 2], 20)
    early = Spikes.of([2, 6, 7, 8], [1, 2, 2, 2], 20)
    assert [decoder.decode(late), decoder.decode(early)] == [0, 1]
