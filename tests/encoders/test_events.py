"""Pooled events are those of a plain loop over the packet, dropped and merged as documented, and reach the network's cells."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroloop as nl
from neuroloop.encoders.events import EventEncoder, Pooled
from neuroloop.sensors.space import EventSpace, packet
from neuroloop.settings import ClockConfig, EventPooling
from neuroloop.types import EVENT

from .conftest import SPACE, bound, events_of, pairs


def random_events(rng, n, width=32, height=24, start=0, length=20_000):
    events = np.zeros(n, EVENT)
    events["t_us"] = start + 1 + np.sort(rng.integers(length, size=n))
    events["x"], events["y"], events["p"] = (
        rng.integers(width, size=n),
        rng.integers(height, size=n),
        rng.integers(2, size=n),
    )
    return events


class Plain:
    """The same pooling, an event at a time, in dictionaries."""

    def __init__(self, config, clock, width, height):
        self.config, self.clock, self.counts, self.credit = config, clock, {}, 0.0
        self.regions = config.regions or ((0, 0, width, height),)

    def neurons(self, event):
        """The region, channel, row and column of every bin that takes the event."""
        for r, (left, top, width, height) in enumerate(self.regions):
            x, y, p = int(event["x"]) - left, int(event["y"]) - top, int(event["p"])
            channel = {"both": p, "merged": 0, "on": 0 if p else None, "off": None if p else 0}[self.config.polarity]
            if channel is not None and 0 <= x < width and 0 <= y < height:
                if self.config.bins:
                    yield r, channel, y * self.config.bins[1] // height, x * self.config.bins[0] // width
                else:
                    yield r, channel, y // self.config.cell[1], x // self.config.cell[0]

    def encode(self, events, end):
        period = round(self.clock.period * 1e6)
        wanted = [(event, list(self.neurons(event))) for event in events]
        wanted = [(event, neurons) for event, neurons in wanted if neurons]
        if self.config.max_rate:
            self.credit += self.config.max_rate * self.clock.period
            budget = int(self.credit)
            self.credit -= budget
            n = len(wanted)
            if budget < n:
                wanted = [one for j, one in enumerate(wanted) if (j + 1) * budget // n > j * budget // n]
        spikes = []
        for step in range(self.clock.n_steps):
            touched = set()
            for event, neurons in wanted:
                share = (int(event["t_us"]) - (end - period)) * self.clock.n_steps / period
                if step < share <= step + 1:
                    for neuron in neurons:
                        self.counts[neuron] = self.counts.get(neuron, 0) + 1
                        touched.add(neuron)
            for neuron in sorted(touched):
                if self.counts[neuron] >= self.config.events_per_spike:
                    spikes.append((step, neuron))
                    self.counts[neuron] %= self.config.events_per_spike
        return spikes


CONFIGS = st.builds(
    EventPooling,
    cell=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    bins=st.none() | st.tuples(st.integers(1, 6), st.integers(1, 6)),
    polarity=st.sampled_from(["both", "merged", "on", "off"]),
    regions=st.sampled_from([(), ((4, 2, 13, 11),), ((0, 0, 32, 24), (8, 8, 10, 7))]),
    max_rate=st.none() | st.floats(60.0, 2e4),
    events_per_spike=st.integers(1, 4),
)


@given(config=CONFIGS, seed=st.integers(0, 2**32), n_steps=st.sampled_from([1, 8, 20]))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_it_is_a_plain_loop_over_the_events(config, seed, n_steps):
    clock, rng = ClockConfig(n_steps=n_steps), np.random.default_rng(seed)
    encoder = EventEncoder(config)
    n = encoder.bind(SPACE, clock, seed=0)
    plain, starts = Plain(config, clock, 32, 24), np.cumsum([0, *(np.prod(shape) for shape in encoder.shapes)])
    assert (pairs(encoder.encode(events_of(), 0)), plain.encode(events_of(), 0)) == ([], [])
    for tick in range(4):
        events = random_events(rng, int(rng.integers(200)), start=20_000 * tick)
        spikes = encoder.encode(events, tick + 1)
        expected = [
            (step, int(starts[r] + np.ravel_multi_index(place, encoder.shapes[r])))
            for step, (r, *place) in plain.encode(events, 20_000 * (tick + 1))
        ]
        assert pairs(spikes) == expected
        assert all(neuron < n for _, neuron in expected)


def test_bins_count_along_columns_then_rows_then_polarities():
    encoder, n = bound(cell=(8, 6))
    assert encoder.shapes == ((2, 4, 4),)
    assert n == 32
    encoder.encode(events_of(), 0)
    spikes = encoder.encode(events_of((500, 31, 5, 0), (1500, 0, 6, 0), (2500, 8, 23, 1)), 1)
    assert pairs(spikes) == [(0, 3), (1, 4), (2, 16 + 12 + 1)]


def test_cells_at_the_edge_may_be_smaller_and_bins_are_cut_evenly():
    assert bound(cell=(10, 10))[0].shapes == ((2, 3, 4),)
    encoder, _ = bound(EventSpace(10, 1), bins=(4, 1), polarity="merged")
    columns = [pairs(encoder.encode(events_of((1000, x, 0, 0)), 0))[0][1] for x in range(10)]
    assert columns == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


def test_events_of_a_bin_in_one_step_are_one_spike_and_a_threshold_carries_over_steps_and_ticks():
    encoder, _ = bound()
    encoder.encode(events_of(), 0)
    assert pairs(encoder.encode(events_of((100, 0, 0, 1), (200, 1, 1, 1), (1200, 0, 0, 1)), 1)) == [(0, 12), (1, 12)]
    encoder, _ = bound(events_per_spike=3)
    encoder.encode(events_of(), 0)
    assert pairs(encoder.encode(events_of((100, 0, 0, 1), (5200, 0, 0, 1)), 1)) == []
    assert pairs(encoder.encode(events_of((21_500, 0, 0, 1)), 2)) == [(1, 12)]
    assert encoder.counters == Pooled(events=3, outside=0, dropped=0, spikes=1)
    encoder.encode(events_of((40_500, 0, 0, 1), (40_600, 0, 0, 1)), 3)
    encoder.reset(1)
    encoder.encode(events_of(), 0)
    assert pairs(encoder.encode(events_of((100, 0, 0, 1)), 1)) == []  # two of the episode before were forgotten


def test_overlapping_regions_each_get_the_event_and_what_no_region_takes_is_counted():
    encoder, n = bound(regions=((0, 0, 8, 8), (4, 4, 8, 8)), polarity="on")
    assert (n, encoder.shapes) == (2, ((1, 1, 1), (1, 1, 1)))
    encoder.encode(events_of(), 0)
    events = events_of((1, 0, 0, 1), (2000, 5, 5, 1), (4000, 20, 20, 1), (5000, 5, 5, 0))
    assert pairs(encoder.encode(events, 1)) == [(0, 0), (1, 0), (1, 1)]
    assert encoder.counters == Pooled(events=4, outside=2, dropped=0, spikes=3)


def test_a_rate_above_the_limit_is_thinned_evenly_and_counted():
    encoder, _ = bound(max_rate=5000.0, cell=(1, 1))  # 100 events a control step
    rng = np.random.default_rng(1)
    encoder.encode(events_of(), 0)
    events = random_events(rng, 700)
    encoder.encode(events, 1)
    assert encoder.counters.dropped == 600
    per_step = np.diff(encoder._spikes.offsets)
    among = np.diff(np.searchsorted(events["t_us"], np.arange(21) * 1000 + 1))
    assert np.abs(per_step - among / 7).max() <= 1.0  # every seventh event, so no step is off by more than one
    encoder.encode(random_events(rng, 100, start=20_000), 2)
    assert encoder.counters.dropped == 600


def test_a_limit_that_is_no_whole_number_of_events_holds_in_the_mean():
    encoder, _ = bound(max_rate=125.0, cell=(1, 1), clock=ClockConfig(n_steps=20))  # 2.5 events a control step
    encoder.encode(events_of(), 0)
    for tick in range(40):
        encoder.encode(random_events(np.random.default_rng(tick), 50, start=20_000 * tick), tick + 1)
    assert encoder.counters.dropped == 40 * 50 - 100


@pytest.mark.parametrize("t", [1, 1000, 1001, 19_001, 20_000])
def test_an_event_belongs_to_the_step_that_its_time_falls_into(t):
    encoder, _ = bound()
    encoder.encode(events_of(), 0)
    assert pairs(encoder.encode(events_of((t, 0, 0, 0)), 1)) == [((t - 1) // 1000, 0)]


def test_the_window_follows_time_stamps_that_tell_another_story():
    encoder, _ = bound()
    start = 10**12  # a recording begins anywhere
    assert pairs(encoder.encode(events_of((start - 19_999, 0, 0, 0), (start, 0, 0, 0)), 0)) == [(0, 0), (19, 0)]
    after = start + 50_000  # two packets were lost
    assert pairs(encoder.encode(events_of((after - 9500, 0, 0, 0), (after, 0, 0, 0)), 1)) == [(10, 0), (19, 0)]
    long = events_of((after + 1, 0, 0, 0), (after + 50_000, 8, 0, 0))  # the plant's period is longer
    assert pairs(encoder.encode(long, 2)) == [(0, 0), (19, 1)]
    again = events_of((5000, 0, 0, 0), (10_000, 0, 0, 0))  # a recording that begins anew
    assert pairs(encoder.encode(again, 3)) == [(14, 0), (19, 0)]


def test_an_event_at_the_very_end_of_the_packet_before_belongs_to_the_first_step_and_moves_nothing():
    encoder, _ = bound()
    encoder.encode(events_of(), 0)
    encoder.encode(events_of((20_000, 0, 0, 0)), 1)
    assert pairs(encoder.encode(events_of((20_000, 0, 0, 0), (21_000, 8, 0, 0), (21_001, 0, 0, 0)), 2)) == [
        (0, 0), (0, 1), (1, 0),
    ]  # fmt: skip


def test_a_plant_faster_than_the_clock_does_not_drift_away():
    encoder, _ = bound()
    for tick in range(20):
        times = np.arange(1, 11) * 1000 + 10_000 * tick
        steps = [step for step, _ in pairs(encoder.encode(events_of(*((t, 0, 0, 0) for t in times)), tick))]
        assert len(steps) == 10


def test_packets_are_found_in_dictionaries_and_tuples():
    nested = spaces.Dict({"camera": spaces.Dict({"events": SPACE}), "speed": spaces.Box(-1.0, 1.0)})
    encoder, _ = bound(nested)
    encoder.encode({"camera": {"events": events_of()}, "speed": 0}, 0)
    assert pairs(encoder.encode({"camera": {"events": packet(events_of((1, 0, 0, 0)))}}, 1)) == [(0, 0)]
    with pytest.raises(nl.PlantError, match=r"^observation\['camera'\]\['events'\]: is missing"):
        encoder.encode({"camera": {}}, 0)
    two = spaces.Dict({"left": SPACE, "right": EventSpace(8, 8), "eye": spaces.Dict({"events": EventSpace(16, 8)})})
    assert bound(two, on=("right",))[1] == 2
    assert bound(two, on=("eye.events",))[1] == 4
    with pytest.raises(nl.ConfigError, match=r"^encoder\.on: is needed.* eye\.events, left, right"):
        bound(two)
    with pytest.raises(
        nl.ConfigError, match=r"^encoder\.on: unknown key of event packets 'rihgt': did you mean 'right'"
    ):
        bound(two, on=("rihgt",))
    with pytest.raises(nl.ConfigError, match=r"^encoder\.on: must be one key, got \['left', 'right'\]"):
        bound(two, on=("left", "right"))
    assert bound(spaces.Tuple([spaces.Discrete(2), SPACE]))[1] == 24
    with pytest.raises(nl.UnsupportedSpace, match="holds no event packets; wrap the environment"):
        bound(spaces.Box(0.0, 1.0))


def test_its_state_goes_on_bit_for_bit():
    changes = {"max_rate": 777.0, "events_per_spike": 2}
    one, two = bound(**changes)[0], bound(**changes)[0]
    rng = np.random.default_rng(3)
    one.encode(events_of(), 0)
    one.encode(random_events(rng, 40), 1)
    two.restore(one.state())
    events = random_events(rng, 60, start=20_000)
    assert pairs(one.encode(events, 2)) == pairs(two.encode(events, 2))
    assert one.counters == two.counters
    broken = {
        "counts": one.state()["counts"] + 2,
        "credit": np.array([1.5]),
        "end_us": np.array([0.0]),
        "tally": np.zeros(3),
    }
    for name, array in broken.items():
        with pytest.raises(nl.CheckpointError):
            two.restore(one.state() | {name: array})
    with pytest.raises(nl.CheckpointError, match="array 'counts'"):
        two.restore({})
