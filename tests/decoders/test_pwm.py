"""Switches: on for as large a share of the time as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.decoders import make
from neuroloop.errors import ConfigError, UnsupportedSpace

BOX = spaces.Box(-3.0, 1.0, (1,), np.float64)
NEURONS = 8
ASKED = st.lists(st.integers(-80, 80), min_size=1, max_size=60)  # spikes of difference; 80 is all


def of_difference(even, difference):
    counts = np.zeros(2 * NEURONS, int)
    first = 0 if difference > 0 else NEURONS
    counts[first : first + NEURONS] = abs(difference) // NEURONS
    counts[first : first + abs(difference) % NEURONS] += 1
    return even(counts)


def switch(space, **table):
    return make({"kind": "pwm", "full_rate": 500.0, **table}, space, neurons=NEURONS)


@settings(max_examples=40, deadline=None)
@given(ASKED)
def test_over_any_time_a_box_gets_what_was_asked_for_to_within_half_a_pulse(even, asked):
    decoder, given_sum, asked_sum = switch(BOX), 0.0, 0.0
    for difference in asked:
        action = decoder.decode(of_difference(even, difference))[0]
        assert action in (-3.0, 0.0, 1.0)
        given_sum += np.sign(action)
        asked_sum += difference / 80
        assert abs(given_sum - asked_sum) <= 0.5 + 1e-9


@settings(max_examples=40, deadline=None)
@given(ASKED)
def test_over_any_time_a_choice_is_on_for_the_share_asked_for_to_within_a_pulse(even, asked):
    decoder, on, share = switch(spaces.Discrete(2, start=4)), 0, 0.0
    for difference in asked:
        on += decoder.decode(of_difference(even, difference)) - 4
        share += 0.5 * (1 + difference / 80)
        assert abs(on - share) <= 0.5 + 1e-9


@pytest.mark.parametrize(("difference", "on"), [(80, 5), (48, 3), (-48, 3), (16, 1), (0, 0)])
def test_a_carrier_holds_what_it_read_for_a_period(even, difference, on):
    decoder = switch(BOX, modulation="carrier", cycle=5)
    for _ in range(2):
        first = decoder.decode(of_difference(even, difference))
        rest = [decoder.decode(of_difference(even, -difference)) for _ in range(4)]  # not read
        pulses = np.ravel([first, *rest])
        end = 1.0 if difference > 0 else -3.0
        np.testing.assert_array_equal(pulses, [end] * on + [0.0] * (5 - on))


def test_three_choices_are_refused_with_what_to_take_instead():
    with pytest.raises(UnsupportedSpace, match="choices of two; more take 'winner-take-all' or 'first-spike'"):
        switch(spaces.Discrete(3))


def test_a_cycle_without_a_carrier_is_refused():
    with pytest.raises(ConfigError, match=r"decoder\.cycle: does nothing"):
        switch(BOX, cycle=4)
