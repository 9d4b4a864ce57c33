"""The space of event packets holds what a camera can give, and vector environments batch it."""

from __future__ import annotations

import copy
import json
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import utils as flattening
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import BadInput, UnsupportedSpace
from neuroloop.sensors.space import EventSpace, packet
from neuroloop.sensors.wrapper import EventCameraWrapper
from neuroloop.types import EVENT

SPACE = EventSpace(20, 10, most_events=500, seed=0)


class Blinks(gymnasium.Env):
    """One random packet a step, for vector environments."""

    observation_space = gymnasium.spaces.Dict(
        {"events": EventSpace(8, 6), "speed": gymnasium.spaces.Box(-1.0, 1.0, (2,))}
    )
    action_space = gymnasium.spaces.Discrete(2)

    def _look(self):
        events = np.zeros(int(self.np_random.integers(5)), EVENT)
        events["x"] = self.np_random.integers(8, size=events.size)
        return {"events": packet(events), "speed": np.zeros(2, np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._look(), {}

    def step(self, action):
        return self._look(), 0.0, False, False, {}


@given(width=st.integers(1, 300), height=st.integers(1, 300), most=st.integers(0, 2000), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_what_is_sampled_is_contained_and_survives_json(width, height, most, seed):
    space = EventSpace(width, height, most, seed=seed)
    events = space.sample()
    assert events in space
    assert EventSpace(width, height, most, seed=seed).sample().tolist() == events.tolist()
    (back,) = space.from_jsonable(json.loads(json.dumps(space.to_jsonable([events]))))
    assert back.dtype == EVENT
    assert back.tolist() == events.tolist()


def test_samples_cover_the_picture_both_polarities_and_the_time():
    events = np.concatenate([SPACE.sample() for _ in range(30)])
    assert events.size > 3000
    assert {(x, y) for x, y in zip(events["x"], events["y"], strict=True)} == {
        (x, y) for x in range(20) for y in range(10)
    }
    assert 0.45 < events["p"].mean() < 0.55
    assert events["t_us"].max() > 15_000


def test_a_mask_and_probabilities_say_where_events_lie():
    mask = np.zeros((10, 20), np.int8)
    mask[3, 7] = mask[9, 19] = 1
    events = np.concatenate([SPACE.sample(mask=mask) for _ in range(5)])
    assert {(7, 3), (19, 9)} == {(x, y) for x, y in zip(events["x"].tolist(), events["y"].tolist(), strict=True)}
    assert SPACE.sample(mask=np.zeros((10, 20), np.int8)).size == 0
    probability = np.zeros((10, 20))
    probability[0, 0], probability[5, 5] = 0.9, 0.1
    events = np.concatenate([SPACE.sample(probability=probability) for _ in range(20)])
    assert np.mean(events["x"] == 0) == pytest.approx(0.9, abs=0.03)  # of some 5000 events: seven standard errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask": np.ones((20, 10))}, r"^mask: must be of shape \(10, 20\), got \(20, 10\)"),
        ({"mask": np.full((10, 20), 2)}, "^mask: must be 0 or 1"),
        ({"probability": np.ones((10, 20))}, r"^probability: .*sum to 1, got a sum of 200"),
        ({"mask": np.ones((10, 20)), "probability": np.ones((10, 20))}, "^sample: either mask or probability"),
    ],
)
def test_masks_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(BadInput, match=message):
        SPACE.sample(**arguments)


def one(**fields):
    events = np.zeros(2, EVENT)
    for name, values in fields.items():
        events[name] = values
    return events


@pytest.mark.parametrize(
    ("events", "fits"),
    [
        (one(), True),
        (np.zeros(0, EVENT), True),
        (one(t_us=[5, 5]), True),
        (one(x=[19, 0], y=[9, 0], p=[1, 0]), True),
        (one(t_us=[5, 4]), False),
        (one(x=20), False),
        (one(y=10), False),
        (one(p=2), False),
        (np.zeros((1, 2), EVENT), False),
        (np.zeros(501, EVENT), False),
        (np.zeros(2, [("t_us", "<i8"), ("x", "<u2"), ("y", "<u2")]), False),
        ([], False),
        (None, False),
    ],
)
def test_it_contains_sorted_events_inside_the_picture_and_nothing_else(events, fits):
    assert (events in SPACE) is fits


def test_equality_repr_and_copies():
    assert EventSpace(20, 10, most_events=500) == SPACE
    assert EventSpace(20, 10) != SPACE
    assert EventSpace(10, 20, most_events=500) != SPACE
    assert SPACE != "events"
    assert repr(SPACE) == "EventSpace(20, 10, most_events=500)"
    assert eval(repr(EventSpace(3, 4))) == EventSpace(3, 4)
    for twin in (copy.deepcopy(SPACE), pickle.loads(pickle.dumps(SPACE))):
        assert twin == SPACE
        assert twin.sample().tolist() == copy.deepcopy(SPACE).sample().tolist()


@pytest.mark.parametrize("lists", [{"t_us": [1]}, {"t_us": [1], "x": [-1], "y": [0], "p": [0]},
                                   {"t_us": [1, 2], "x": [1], "y": [0], "p": [0]},
                                   {"t_us": [2, 1], "x": [1, 1], "y": [0, 0], "p": [0, 0]}, 7])  # fmt: skip
def test_json_that_holds_no_packet_of_this_space_is_refused(lists):
    with pytest.raises(BadInput, match=r"^packet 0: "):
        SPACE.from_jsonable([lists])


@pytest.mark.parametrize("size", [(0, 3), (3, 70_000), (2.5, 3)])
def test_sizes_that_cannot_be_are_refused(size):
    with pytest.raises(BadInput, match=r"^width|^height"):
        EventSpace(*size)


def test_flattening_is_refused_with_the_way_out():
    dictionary = gymnasium.spaces.Dict({"events": SPACE})
    for flatten in (lambda: flattening.flatten_space(dictionary), lambda: flattening.flatten(SPACE, SPACE.sample())):
        with pytest.raises(UnsupportedSpace, match="EventFrames makes a Box of it"):
            flatten()
    assert not dictionary.is_np_flattenable


def test_batching_makes_a_tuple_of_packets_that_is_iterated_by_environment():
    batch = batch_space(SPACE, 3)
    assert batch == gymnasium.spaces.Tuple([SPACE] * 3)
    packets = batch.sample()
    assert packets in batch
    assert packets[0].tolist() != packets[1].tolist()
    assert create_empty_array(SPACE, 3) in batch
    assert concatenate(SPACE, packets, create_empty_array(SPACE, 3)) == packets
    assert [events.tolist() for events in iterate(batch, packets)] == [events.tolist() for events in packets]


@pytest.mark.parametrize("padding", ["reset", "zero"])
@pytest.mark.parametrize("only", [True, False])
def test_packets_can_be_stacked_and_delayed_by_gymnasiums_wrappers(bars, padding, only):
    single = EventCameraWrapper(bars(), "ideal", size=(16, 10), only=only)
    stacked = gymnasium.wrappers.FrameStackObservation(
        EventCameraWrapper(bars(), "ideal", size=(16, 10), only=only), 3, padding_type=padding
    )
    late = gymnasium.wrappers.DelayObservation(EventCameraWrapper(bars(), "ideal", size=(16, 10), only=only), delay=1)
    assert stacked.reset(seed=5)[0] in stacked.observation_space
    single.reset(seed=5)
    late.reset(seed=5)
    seen = []
    for _ in range(4):
        seen.append(single.step(0)[0])
        observation, before = stacked.step(0)[0], late.step(0)[0]
        assert observation in stacked.observation_space
        assert before in late.observation_space
    packets = [one if only else one["events"] for one in seen]
    stack, delayed = (observation, before) if only else (observation["events"], before["events"])
    assert [events.tolist() for events in stack] == [events.tolist() for events in packets[1:]]
    assert delayed.tolist() == packets[2].tolist()
    assert all(events.size > 0 for events in stack)


@pytest.mark.parametrize("mode", ["same", "different"])
def test_vector_environments_step_packets(mode):
    vector = gymnasium.vector.SyncVectorEnv([Blinks, Blinks], observation_mode=mode)
    alone = [Blinks(), Blinks()]
    observations, _ = vector.reset(seed=[4, 5])
    for _ in range(3):
        assert observations in vector.observation_space
        observations, *_ = vector.step(np.zeros(2, int))
    twins = [env.reset(seed=seed)[0] for env, seed in zip(alone, (4, 5), strict=True)]
    for _ in range(3):
        twins = [env.step(0)[0] for env in alone]
    assert [events.tolist() for events in observations["events"]] == [twin["events"].tolist() for twin in twins]


def test_processes_send_packets_without_shared_memory():
    vector = gymnasium.vector.AsyncVectorEnv([Blinks, Blinks], shared_memory=False, context="spawn")
    try:
        vector.reset(seed=1)
        observations, *_ = vector.step(np.zeros(2, int))
        assert observations in vector.observation_space
    finally:
        vector.close()
