"""The output stage: deadband, amplitude and slew in the order that is documented, for whatever is commanded."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.decoders import make
from neuroloop.errors import ConfigError

BOX = spaces.Box(np.array([-1.0, 0.5]), np.array([1.0, 4.0]), dtype=np.float64)
REST = np.array([0.0, 0.5])
SMALL = st.floats(0.0, 2.0)


def plain(commands, deadband, amplitude, step):
    """The stage as one would write it in Python."""
    before, made = REST, []
    for command in commands:
        x = np.where(np.abs(command - REST) < deadband, REST, command)
        x = np.clip(x, np.maximum(BOX.low, REST - amplitude), np.minimum(BOX.high, REST + amplitude))
        before = np.clip(x, before - step, before + step)
        made.append(before)
    return np.array(made)


@settings(max_examples=40, deadline=None)
@given(
    SMALL, st.floats(0.01, 2.0), st.floats(0.01, 3.0), st.integers(0, 99), st.sampled_from(["rate", "winner-take-all"])
)
def test_commands_become_actions_as_documented(noise, deadband, amplitude, step, seed, kind):
    deadband = min(deadband, amplitude, 1.0)  # as far as the first dimension goes
    free = make(kind, BOX)
    _, spikes = noise(free.n_inputs, n_ticks=12, seed=seed)
    commands = [free.decode(one) for one in spikes]
    limits = {"deadband": deadband, "amplitude": amplitude, "step": step}
    limited = make({"kind": kind, "limits": limits}, BOX)
    for episode in range(2):  # the second begins at rest again
        limited.reset(episode)
        actions = [limited.decode(one) for one in spikes]
        if kind == "rate":  # winners may be drawn by lot, which differs between episodes
            np.testing.assert_allclose(actions, plain(commands, deadband, amplitude, step), rtol=1e-12, atol=1e-12)
        assert all(BOX.contains(action) for action in actions)


def test_slew_is_measured_by_the_period_of_the_plant(even):
    ends = even(np.repeat([10, 0, 10, 0], 8))
    decoder = make({"kind": "rate", "limits": {"slew": [2.0, 5.0]}}, BOX, period=0.05)
    np.testing.assert_allclose([decoder.decode(ends) for _ in range(3)], [[0.1, 0.75], [0.2, 1.0], [0.3, 1.25]])


@pytest.mark.parametrize("whole", [np.int32, np.uint8])
def test_whole_numbers_keep_their_amplitude_and_may_creep(even, whole):
    low = 0 if whole is np.uint8 else -10
    space = spaces.Box(low, 10, (1,), whole)
    decoder = make({"kind": "rate", "limits": {"amplitude": 3.7, "step": 0.4}}, space)
    actions = [int(decoder.decode(even(np.repeat([10, 0], 8)))[0]) for _ in range(12)]
    assert actions == [round(min(0.4 * (k + 1), 3.0)) for k in range(12)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"slew": 1.0, "step": 1.0}, "either slew"),
        ({"slew": 0.0}, "above 0"),
        ({"amplitude": [1.0, 2.0, 3.0]}, r"limits\.amplitude: must be one number or 2"),
        ({"deadband": -1.0}, r"limits\.deadband"),
        ({"amplitude": 0.0}, r"limits\.amplitude: leaves no action but rest, got 0\.0; make it larger"),
        ({"amplitude": [0.5, 0.0]}, r"limits\.amplitude: leaves no action but rest"),
        (
            {"deadband": 0.6, "amplitude": 0.5},
            r"limits\.deadband: must be at most 0\.5, .* dimension 0 .* got 0\.6; make",
        ),
        ({"deadband": [0.5, 4.0]}, r"limits\.deadband: must be at most 3\.5, .* dimension 1 .* got 4;"),
        ({"jerk": 1.0}, "unknown key"),
    ],
)
def test_limits_that_say_nothing_sensible_are_refused(limits, message):
    with pytest.raises(ConfigError, match=message):
        make({"kind": "rate", "limits": limits}, BOX)


def test_limits_of_choices_are_refused():
    with pytest.raises(ConfigError, match=r"decoder\.limits: does nothing for Discrete\(3\)"):
        make({"kind": "winner-take-all", "limits": {}}, spaces.Discrete(3))
