"""Spikes of each code where its equation says they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.encoders import make
from neuroloop.errors import ConfigError

UNIT = {"kind": "fixed", "low": [0.0], "high": [1.0]}
ONE = spaces.Box(0.0, 1.0, (1,), np.float64)


def steps_of(spikes, neuron):
    return [step for step in range(spikes.offsets.size - 1) if neuron in spikes.at(step)]


def code(space=ONE, **table):
    return make({"normalise": UNIT} | table, space)


def test_a_ramp_crosses_levels_at_the_steps_of_its_line():
    encoder = code(kind="send-on-delta", delta=0.1, levels=[1])
    encoder.encode([0.0])
    spikes = encoder.encode([0.5])  # 0.025 a step: 0.1, 0.2 … are reached at the end of steps 3, 7 …
    assert steps_of(spikes, 0) == [3, 7, 11, 15, 19]
    assert steps_of(spikes, 1) == []
    falling = encoder.encode([0.36])  # sent is 0.5; −0.007 a step: 0.4 is reached at 14.3 steps, so in step 14
    assert (steps_of(falling, 0), steps_of(falling, 1)) == ([], [14])


def test_a_slow_ramp_spikes_though_no_sample_moves_by_a_level():
    """Comparing with the sample before, as others do, would stay silent: each moves by 0.004 only."""
    encoder = code(kind="send-on-delta", delta=0.02, levels=[1])
    ups = sum(len(steps_of(encoder.encode([0.004 * k]), 0)) for k in range(101))
    assert ups == 20


def test_what_moves_too_fast_is_caught_up_with_later_and_nothing_is_lost():
    encoder = code(kind="send-on-delta", delta=0.01, levels=[1])
    encoder.encode([0.0])
    sent = [len(steps_of(encoder.encode([1.0]), 0)) for _ in range(7)]
    assert sent == [20, 20, 20, 20, 20, 0, 0]


def test_coarse_levels_send_the_most_first():
    encoder = code(kind="send-on-delta", delta=0.01, levels=[1, 2, 4])
    encoder.encode([0.0])
    sent = np.zeros(20, int)
    spikes = encoder.encode([1.0])  # five deltas a step
    for level, size in enumerate((1, 2, 4)):
        sent[steps_of(spikes, 2 * level)] += size
    assert sent.tolist() == [5] * 20


def test_noise_within_a_level_sends_nothing():
    encoder, rng = code(kind="send-on-delta", delta=0.05), np.random.default_rng(0)
    encoder.encode([0.5])
    assert sum(encoder.encode([0.5 + rng.uniform(-0.049, 0.049)]).n for _ in range(200)) == 0


def test_a_range_that_grows_moves_nothing_that_was_sent():
    """Levels are in units of the range, what was sent is in the observation's own."""
    encoder = make(
        {"kind": "send-on-delta", "delta": 0.1, "levels": [1]}, spaces.Box(-np.inf, np.inf, (2,), np.float64)
    )
    for x in (0.0, 1.0, 0.5, 0.2, 0.9):
        encoder.encode([x, 0.5])
    silent = [encoder.encode([x, 0.5]) for x in (10.0, -30.0, 80.0)]
    assert not any(steps_of(spikes, neuron) for spikes in silent for neuron in (2, 3))


@pytest.mark.parametrize("law", ["linear", "logarithmic"])
def test_latencies_are_those_of_the_equations(law):
    encoder = code(kind="latency", law=law, channels="value", threshold=0.2, tau=0.005)
    for x in np.linspace(0.013, 0.997, 50):
        late = 20.0 * (1.0 - x) / 0.8 if law == "linear" else (5.0 * math.log(x / (x - 0.2)) if x > 0.2 else math.inf)
        expected = [int(late)] if x > 0.2 and late < 20.0 else []
        assert steps_of(encoder.encode([x]), 0) == expected


def test_bursts_have_the_spikes_and_intervals_of_the_equations():
    encoder = code(kind="burst", channels="value", spikes=5, shortest=0.002, longest=0.008)
    for x in np.linspace(0.011, 0.989, 40):
        many, apart = math.ceil(5 * x), math.ceil(8.0 - 6.0 * x)
        assert steps_of(encoder.encode([x]), 0) == [apart * k for k in range(many)]
    assert encoder.encode([0.0]).n == 0


def test_phases_hold_over_control_steps_that_are_no_whole_cycles():
    encoder = code(kind="phase", channels="value", frequency=30.0, share=0.8)  # 33.3 steps a cycle
    fired = [20 * k + step for k in range(50) for step in steps_of(encoder.encode([0.61]), 0)]
    expected = [math.floor((cycle + 0.8 * 0.39) / 0.03) for cycle in range(30)]
    assert fired == expected


def test_a_discrete_dimension_has_a_neuron_for_each_level_and_only_its_own_fires():
    encoder = make({"kind": "rate", "max_rate": 1000.0}, spaces.Discrete(5, start=3))
    assert encoder.n == 5
    for level in range(5):
        spikes = encoder.encode(3 + level)
        assert set(spikes.ids[: spikes.n]) == {level}
    assert make({"kind": "rate"}, spaces.Discrete(1000)).n == 2


def test_velocity_is_found_from_positions_at_the_period_of_the_plant():
    space = spaces.Box(-1.0, 1.0, (1,), np.float64)
    ranges = {"kind": "fixed", "low": [-1.0, -4.0], "high": [1.0, 4.0]}
    table = {"kind": "spindle", "senses": ["velocity"], "max_rate": 1000.0, "exponent": 0.5, "normalise": ranges}
    encoder = make(table, space, n_steps=1000, period=0.05)
    assert encoder.encode([0.9]).n == 0  # an episode begins at rest
    spikes = encoder.encode([0.85])  # −1 of 4 units a second
    assert len(steps_of(spikes, 1)) == 0
    assert abs(len(steps_of(spikes, 0)) - 500) <= 1  # (1/4)^0.5
    encoder.reset()
    assert encoder.encode([-0.9]).n == 0


def test_limits_are_those_given_those_of_the_space_or_the_range_seen():
    def at_end(space, x, **table):
        encoder = make(
            {"kind": "spindle", "senses": ["limit"], "margin": 0.2, "max_rate": 1000.0} | table, space, n_steps=100
        )
        for one in (0.0, *x):
            spikes = encoder.encode([one])
        return [len(steps_of(spikes, k)) for k in (1, 0)]  # upper, lower

    unbounded, bounded = spaces.Box(-np.inf, np.inf, (1,), np.float64), spaces.Box(-2.0, 2.0, (1,), np.float64)
    assert at_end(bounded, [1.0]) == [0, 0]
    assert at_end(bounded, [2.0])[0] >= 99
    assert at_end(bounded, [1.0], low=[-1.0], high=[1.0])[0] >= 99
    assert at_end(unbounded, [-7.0])[1] >= 99
    most = np.finfo(np.float32).max
    assert at_end(spaces.Box(-most, most, (1,), np.float32), [-7.0])[1] >= 99


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "rate", "max_rate": 2000.0}, r"encoder.max_rate: must be at most 1 / clock.dt = 1000 Hz, got 2000"),
        ({"kind": "rate", "min_rate": 300.0}, r"encoder.min_rate: must be at most max_rate = 200, got 300"),
        ({"kind": "burst", "spikes": 9}, r"encoder.longest: bursts last up to \d+ steps, more than clock.n_steps = 20"),
        ({"kind": "burst", "shortest": 1e-4}, r"encoder.shortest: must be at least clock.dt"),
        ({"kind": "burst", "shortest": 0.01}, r"encoder.longest: must be at least shortest = 0.01"),
        ({"kind": "phase", "frequency": 700.0}, r"encoder.frequency: must be at most 1 / \(2 clock.dt\) = 500 Hz"),
        ({"kind": "send-on-delta", "levels": [2, 4]}, r"encoder.levels: must begin with 1 and rise, got \[2, 4\]"),
        (
            {"kind": "send-on-delta", "levels": [1, 2, 5]},
            r"encoder.levels: 5 must be at most 1 \+ the sum of those before, 4",
        ),
        ({"kind": "send-on-delta", "levels": []}, r"encoder.levels: must begin with 1"),
        ({"kind": "spindle", "senses": ["load"]}, r"encoder.senses: must name some of"),
        ({"kind": "spindle", "low": [0.0], "high": []}, r"encoder.high: needs one for each of low, which are 1, got 0"),
        (
            {"kind": "spindle", "low": [0.0, 0.0], "high": [1.0, 1.0]},
            r"encoder.low: needs 1 limits below those of high",
        ),
        (
            {"kind": "spindle", "velocity": ["[0]", "[0]"]},
            r"encoder.velocity: needs one dimension for each joint, got 2 for 1",
        ),
        (
            {"kind": "spindle", "normalise": UNIT},
            r"encoder.normalise: needs 2 values for 1 joints, positions, then velocities",
        ),
        ({"kind": "ratte"}, r"encoder.kind: unknown kind 'ratte': did you mean 'rate'"),
        ({"kind": "rate", "max_rat": 1.0}, r"encoder.max_rat: unknown key 'max_rat': did you mean 'max_rate'"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(table, message):
    with pytest.raises(ConfigError, match=message):
        make(table, ONE)


def test_freezing_keeps_the_range_as_it_was():
    def ranges(**normalise):
        encoder = make(
            {"kind": "rate", "normalise": {"kind": "adaptive"} | normalise}, spaces.Box(-np.inf, np.inf, (1,))
        )
        for x in (0.0, 1.0, 0.5, 9.0):
            encoder.encode([x])
        return [float(encoder._engine.view(f"observation.{end}")[0]) for end in ("low", "high")]

    assert ranges(freeze_after=3) == [0.0, 1.0]
    assert ranges()[1] > 5.0
