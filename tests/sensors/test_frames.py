"""Frames of events are what their formulas say, and Stable-Baselines3 can learn from them."""

from __future__ import annotations

import math
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import BadInput, UnsupportedSpace
from neuroloop.sensors.event_frames import EventFrames
from neuroloop.sensors.frames import NEVER, event_counts, leaky_counts, time_surface, voxel_grid
from neuroloop.sensors.space import EventSpace
from neuroloop.sensors.wrapper import EventCameraWrapper
from neuroloop.types import EVENT


def random_events(seed, n, width=9, height=7):
    rng, events = np.random.default_rng(seed), np.zeros(n, EVENT)
    events["t_us"] = np.sort(rng.integers(1, 20_000, size=n))
    events["x"], events["y"], events["p"] = (rng.integers(size, size=n) for size in (width, height, 2))
    return events


@given(seed=st.integers(0, 2**32), n=st.integers(0, 300), bins=st.integers(1, 6), tau=st.floats(1e-3, 0.1))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_frames_are_their_formulas(seed, n, bins, tau):
    events = random_events(seed, n)
    counts, surface, grid = np.zeros((2, 7, 9)), np.zeros((2, 7, 9)), np.zeros((bins, 7, 9))
    first, last = (int(events["t_us"][0]), int(events["t_us"][-1])) if n else (0, 0)
    for t, x, y, p in events.tolist():
        counts[p, y, x] += 1
        surface[p, y, x] = math.exp(-(last - t) * 1e-6 / tau)
        moment = (bins - 1) * (t - first) / max(last - first, 1)
        for b in range(bins):
            grid[b, y, x] += (2 * p - 1) * max(0.0, 1.0 - abs(b - moment))
    np.testing.assert_array_equal(event_counts(events, 9, 7), counts)
    np.testing.assert_allclose(time_surface(events, 9, 7, tau=tau), surface, atol=1e-6)
    np.testing.assert_allclose(voxel_grid(events, 9, 7, bins), grid, atol=1e-5)  # float32 sums of some tens
    assert counts.sum() == n


def test_a_voxel_grid_over_a_window_places_events_in_it_and_those_outside_at_its_border():
    events = np.array([(50, 0, 0, 1), (150, 1, 0, 0), (175, 2, 0, 1), (400, 3, 0, 1)], EVENT)
    grid = voxel_grid(events, 4, 1, 3, start_us=100, end_us=200)[:, 0]
    np.testing.assert_allclose(grid, [[1, 0, 0, 0], [0, -1, 0.5, 0], [0, 0, 0.5, 1]])


@given(
    seed=st.integers(0, 2**32),
    cell=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    corner=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_leaky_counts_are_those_of_bins(seed, cell, corner):
    expected, counts = np.zeros((2, 2, 2)), np.zeros((2, 2, 2), np.float32)
    for packet in (random_events(seed, 50), random_events(seed + 1, 50)):
        expected *= 0.5
        for _, x, y, p in packet.tolist():
            column, row = (x - corner[0]) // cell[0], (y - corner[1]) // cell[1]
            if 0 <= column < 2 and 0 <= row < 2:
                expected[p, row, column] += 1
        assert leaky_counts(packet, counts, cell=cell, corner=corner, keep=0.5) is counts
    np.testing.assert_allclose(counts, expected, rtol=1e-6)


def test_traces_leak_by_the_time_of_a_step_and_end_with_the_episode(bars):
    env = EventFrames(
        EventCameraWrapper(bars(), only=True), "traces", tau=0.02, cell=(4, 4), dtype="float32", channels="first"
    )
    camera = EventCameraWrapper(bars(), only=True)
    for seed in (0, 1):
        frame, events = env.reset(seed=seed)[0], camera.reset(seed=seed)[0]
        assert not frame.any()
        assert not events.size
        counts = np.zeros(frame.shape, np.float32)
        for action in (0, 1, 1):
            events, *_, info = camera.step(action)
            seconds = 1e-6 * (info["events"]["end_us"] - info["events"]["start_us"])
            leaky_counts(events, counts, cell=(4, 4), keep=math.exp(-seconds / 0.02))
            np.testing.assert_array_equal(env.step(action)[0], np.log1p(counts))


def test_a_time_surface_goes_on_over_packets():
    events, last = random_events(1, 200), np.full((2, 7, 9), NEVER)
    whole = time_surface(events, 9, 7, tau=0.01, t_us=30_000)
    time_surface(events[:120], 9, 7, tau=0.01, t_us=15_000, last=last)
    out = np.ones((2, 7, 9), np.float32)
    assert time_surface(events[120:], 9, 7, tau=0.01, t_us=30_000, last=last, out=out) is out
    np.testing.assert_array_equal(out, whole)
    assert time_surface(events[:0], 9, 7).max() == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda events: event_counts(events, 8, 7), r"^events\[\d+\]: \{'x': 8, 'y': \d, 'p': \d\} lies outside 8 × 7"),
        (lambda events: time_surface(events, 9, 6), r"^events\[\d+\]: .*'y': 6"),
        (lambda events: voxel_grid(events, 8, 7), r"^events\[\d+\]: "),
        (lambda events: event_counts(events["x"], 9, 7), "^events: must be a one-dimensional array of dtype"),
        (lambda _: voxel_grid([1], 9, 7), "^events: must be a one-dimensional array .* got list"),
        (lambda events: event_counts(events, 9, 0), "^height: must be at least 1"),
        (lambda events: voxel_grid(events, 9, 7, 0), "^bins: must be at least 1"),
        (lambda events: time_surface(events, -1, 7), "^width: must be at least 1, got -1"),
        (lambda events: time_surface(events, 9, 7, tau=0.0), "^tau: must be a number of s above 0"),
        (lambda events: time_surface(events, 9, 7, t_us=math.nan), "^t_us: must be a whole number, got nan"),
        (lambda events: time_surface(events, 9, 7, t_us="a"), "^t_us: must be a whole number, got 'a'"),
        (lambda events: time_surface(events, 9, 7, t_us=10**30), "^t_us: must be at most"),
        (lambda events: voxel_grid(events, 9, 7, start_us=1.5), "^start_us: must be a whole number"),
        (lambda events: voxel_grid(events, 9, 7, start_us=100, end_us=0), "^end_us: must be at least start_us = 100"),
        (lambda events: voxel_grid(events[:0], 9, 7, start_us=100, end_us=0), "^end_us: must be at least start_us"),
        (
            lambda events: event_counts(events, 9, 7, out=np.zeros((2, 7, 9))),
            "^out: must be a contiguous array float32",
        ),
        (lambda events: time_surface(events, 9, 7, last=np.zeros((2, 9, 7), int)), "^last: must be .* int64 of shape"),
    ],
)
def test_what_makes_no_frame_is_refused(call, message):
    with pytest.raises(BadInput, match=message):
        call(random_events(0, 300))


KINDS = {
    "counts": ({"limit": 3.0}, lambda f: np.minimum(f, 3.0), lambda f: np.rint(85.0 * f)),
    "time-surface": ({"tau": 0.01}, lambda f: f, lambda f: np.rint(255.0 * f)),
    "voxels": ({"bins": 3, "limit": 2.0}, lambda f: np.clip(f, -2.0, 2.0), lambda f: np.rint(63.5 * f + 128.0)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", ["last", "first"])
def test_observations_are_the_frames_of_their_packets(bars, kind, dtype, channels):
    changes, limited, coded = KINDS[kind]
    camera = EventCameraWrapper(bars(), "noisy", size=(16, 10))
    env = EventFrames(
        EventCameraWrapper(bars(), "noisy", size=(16, 10)), kind, dtype=dtype, channels=channels, **changes
    )
    box = env.observation_space["events"]
    n = 3 if kind == "voxels" else 2
    assert box.shape == ((10, 16, n) if channels == "last" else (n, 10, 16))
    assert box.dtype == np.dtype(dtype)
    assert env.reset(seed=4)[0] in env.observation_space
    camera.reset(seed=4)
    so_far = np.zeros(0, EVENT)
    for _ in range(4):
        observation, *_ = env.step(1)
        seen, *_, info = camera.step(1)
        assert observation in env.observation_space
        events, facts = seen["events"], info["events"]
        so_far = np.concatenate([so_far, events])
        start, end = facts["start_us"], facts["end_us"]
        raw = {
            "counts": event_counts(events, 16, 10),
            "time-surface": time_surface(so_far, 16, 10, tau=0.01, t_us=end),
            "voxels": voxel_grid(events, 16, 10, 3, start_us=start, end_us=end),
        }[kind]
        expected = limited(raw)
        expected = coded(expected) if dtype == "uint8" else expected
        frame = observation["events"] if channels == "first" else np.moveaxis(observation["events"], -1, 0)
        np.testing.assert_array_equal(frame, expected)
        assert frame.max() > frame.min()


def test_bare_packets_become_a_bare_box_and_an_episode_begins_with_an_empty_surface(bars):
    env = EventFrames(EventCameraWrapper(bars(), only=True), "time-surface", tau=1.0)
    assert env.observation_space == spaces.Box(0, 255, (40, 64, 2), np.uint8)
    env.reset(seed=0)
    assert env.step(0)[0].max() > 200
    assert env.reset(seed=0)[0].max() == 0


def test_packets_of_other_environments_do_without_the_facts_of_the_wrapper():
    class Recording(gymnasium.Env):
        observation_space, action_space = EventSpace(9, 7), spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return random_events(0, 100), {}

        def step(self, action):
            return random_events(1, 100), 0.0, False, False, {}

    for kind in KINDS:
        env = EventFrames(Recording(), kind, dtype="float32")
        env.reset()
        frame = env.step(0)[0]
        assert frame in env.observation_space
        assert np.abs(frame).max() >= 1.0 or kind != "counts"


def test_gymnasium_has_nothing_to_object_to(bars):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
        warnings.filterwarnings("ignore", message=".*alternative render modes.*")
        check_env(EventFrames(EventCameraWrapper(bars(), "noisy"), "voxels"), skip_render_check=True)


def test_stable_baselines_checks_and_learns(bars):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    from stable_baselines3 import PPO

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        checker.check_env(EventFrames(EventCameraWrapper(bars(), "noisy")))
        env = EventFrames(EventCameraWrapper(bars(), "noisy", only=True))
        checker.check_env(env)
        model = PPO("CnnPolicy", env, n_steps=32, batch_size=32, n_epochs=1, seed=0)
    assert model.learn(32).num_timesteps == 32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "count"}, "^kind: unknown value 'count': did you mean 'counts'"),
        ({"dtype": "int8"}, "^dtype: unknown value"),
        ({"channels": "middle"}, "^channels: unknown value"),
        ({"limit": 0.0}, "^limit: must be a number above 0, got 0"),
        ({"limit": "a"}, "^limit: must be a number above 0, got 'a'"),
        ({"kind": "time-surface", "limit": 2.0}, "^limit: a time surface has none"),
        ({"kind": "time-surface", "tau": -1}, "^tau: must be a number of s above 0, got -1"),
        ({"tau": math.nan}, "^tau: must be a number of s above 0, got nan"),
        ({"tau": "a"}, "^tau: must be a number of s above 0, got 'a'"),
        ({"kind": "voxels", "bins": 0}, "^bins: must be at least 1"),
        ({"key": "evnts"}, "^key: unknown key of event packets 'evnts': did you mean 'events'"),
    ],
)
def test_settings_that_cannot_be_are_refused(bars, changes, message):
    with pytest.raises(BadInput, match=message):
        EventFrames(EventCameraWrapper(bars()), **changes)


def test_a_key_is_refused_where_the_observation_is_the_packet(bars):
    with pytest.raises(BadInput, match=r"^key: the observation is the packet itself; leave it out, got 'x'"):
        EventFrames(EventCameraWrapper(bars(), only=True), key="x")


def test_counts_are_bright_enough_to_be_seen():
    """A pole that falls is seen in shades of the whole range, and its events are still counted as float32."""
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    camera = EventCameraWrapper(env, size=(60, 40), only=True)
    bytes_, floats = EventFrames(camera), EventFrames(camera, dtype="float32")
    camera.reset(seed=0)
    brightest = []
    for _ in range(8):
        events, *_, info = camera.step(1)
        image, counts = (frames._code(frames._frame_of(events, info)) for frames in (bytes_, floats))
        np.testing.assert_array_equal(image, np.rint(counts * (255 / 8)).astype(np.uint8))
        assert counts.max() <= 8.0
        brightest.append(image.max())
    assert np.median(brightest) > 90
    assert max(brightest) == 255


def test_an_environment_without_events_is_refused_with_the_way_out(bars):
    with pytest.raises(UnsupportedSpace, match="wrap the env in an EventCameraWrapper"):
        EventFrames(bars())
