"""What holds for every event camera: order, range, seeds, states, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import BadInput, ConfigError, EventCamera, Pixel
from neuroloop.settings.sensors import PIXELS
from neuroloop.types import EVENT

GREY = np.full((3, 4), 100, np.uint8)


@st.composite
def films(draw: Any) -> tuple[str, list[np.ndarray], list[int]]:
    """A parameter set, frames of random things, and times."""
    shape = draw(st.integers(1, 9)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(2, 6))
    frames = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(n)]
    if draw(st.booleans()):
        frames = [np.float32(frame / 255) for frame in frames]
    gaps = draw(st.lists(st.one_of(st.integers(1, 50), st.integers(1, 10**7)), min_size=n, max_size=n))
    return (
        draw(st.sampled_from(sorted(PIXELS))),
        frames,
        (draw(st.integers(-(10**9), 10**9)) + np.cumsum(gaps)).tolist(),
    )


def film(camera: EventCamera, frames: list[np.ndarray], times: list[int]) -> list[np.ndarray]:
    return [camera.see(frame, time).copy() for frame, time in zip(frames, times, strict=True)]


@settings(max_examples=60, deadline=None)
@given(films(), st.integers(0, 2**63 - 1))
def test_events_are_in_order_within_their_frame_and_within_the_array(made: Any, seed: int) -> None:
    name, frames, times = made
    height, width = frames[0].shape
    camera = EventCamera(width, height, name, seed)
    seen = film(camera, frames, times)
    assert seen[0].size == 0
    for events, before, now in zip(seen[1:], times, times[1:], strict=False):
        assert events.dtype == EVENT
        assert np.all(np.diff(events["t_us"]) >= 0)
        assert np.all((events["t_us"] >= before) & (events["t_us"] <= now))
        assert np.all((events["x"] < width) & (events["y"] < height) & (events["p"] <= 1))
    every = np.concatenate(seen)
    assert camera.counts == (every["p"].sum(), every.size - every["p"].sum())


@settings(max_examples=30, deadline=None)
@given(films(), st.integers(0, 2**63 - 1), st.data())
def test_the_same_seed_gives_the_same_bits_and_a_restored_state_goes_on_bit_for_bit(
    made: Any, seed: int, data: Any
) -> None:
    name, frames, times = made
    height, width = frames[0].shape
    straight = EventCamera(width, height, name, seed)
    whole = film(straight, frames, times)
    again = EventCamera(width, height, name, seed)
    cut = data.draw(st.integers(0, len(frames)))
    begun = film(again, frames[:cut], times[:cut])
    state = again.state()
    film(again, frames[:1], [times[-1] + 5])  # the state is a copy
    other = EventCamera(width, height, name, seed)
    other.restore(state)
    assert all(map(np.array_equal, [*begun, *film(other, frames[cut:], times[cut:])], whole))
    ended, wanted = other.state(), straight.state()
    assert all(np.array_equal(ended[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda camera: pickle.loads(pickle.dumps(camera))])
def test_a_copy_is_a_camera_of_its_own_that_goes_on_alike(copied: Any) -> None:
    camera = EventCamera(4, 3, "noisy", seed=5)
    film(camera, [GREY, GREY * 2], [0, 9000])
    other = copied(camera)
    wanted = film(camera, [GREY, GREY * 2, GREY // 2], [20_000, 30_000, 40_000])
    assert all(map(np.array_equal, film(other, [GREY, GREY * 2, GREY // 2], [20_000, 30_000, 40_000]), wanted))
    assert sum(map(len, wanted)) > 0


def test_another_seed_is_another_chip_and_a_reset_with_a_seed_only_other_noise() -> None:
    frames, times = [np.full((30, 40), 10, np.uint8)] * 50, list(range(0, 1_000_000, 20_000))
    one, two = EventCamera(40, 30, "noisy", seed=1), EventCamera(40, 30, "noisy", seed=2)
    assert not np.array_equal(one.thresholds.on, two.thresholds.on)
    chip = one.thresholds.on
    first = np.concatenate(film(one, frames, times))
    one.reset()
    assert one.counts == (0, 0)
    later = np.concatenate(film(one, frames, times))
    one.see(np.full((30, 40), 201, np.uint8), 10**9)
    one.reset(seed=1)
    again = np.concatenate(film(one, frames, times))
    one.reset(seed=7)
    seventh = np.concatenate(film(one, frames, times))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)
    assert not np.array_equal(first, seventh)
    assert np.array_equal(one.thresholds.on, chip)
    assert len({events.size for events in (first, later, seventh)}) > 1


def test_frames_with_more_events_than_there_is_room_for_lose_none() -> None:
    pixel = Pixel(threshold_on=0.01, threshold_off=0.01, mismatch=0.0, bandwidth=0.0, refractory=0.0, shot_rate=1000.0)
    dark, light = np.zeros((40, 50), np.uint8), np.full((40, 50), 255, np.uint8)
    camera, roomy = EventCamera(50, 40, pixel), EventCamera(50, 40, pixel)
    film(roomy, [dark, light], [0, 1000])
    roomy.reset(seed=0)
    found, wanted = (film(one, [dark, light, dark], [0, 1000, 2500]) for one in (camera, roomy))
    assert found[1].size > 100 * 4096
    assert all(map(np.array_equal, found, wanted))
    assert np.all(np.diff(found[1]["t_us"]) >= 0)


def test_a_camera_may_be_as_wide_as_an_address() -> None:
    camera, frame = EventCamera(65_536, 2, "ideal"), np.full((2, 65_536), 100, np.uint8)
    camera.see(frame, 0)
    frame[1, -1] = frame[0, 0] = 200
    assert {(x, y) for _, x, y, _ in camera.see(frame, 1000).tolist()} == {(65_535, 1), (0, 0)}


def test_times_may_be_those_of_an_epoch() -> None:
    now = 1_800_000_000_000_000
    early, late = (
        film(EventCamera(4, 3, "v2e"), [GREY, GREY * 2, GREY // 2], [t, t + 900, t + 2000]) for t in (0, now)
    )
    for ours, theirs in zip(early, late, strict=True):
        assert np.array_equal(ours["t_us"] + now, theirs["t_us"])
        assert np.array_equal(ours["x"], theirs["x"])


def test_frames_may_lie_half_an_hour_apart() -> None:
    camera = EventCamera(4, 3, "ideal")
    film(camera, [GREY // 2], [5])
    events = camera.see(GREY, 5 + 2**31 - 1)
    assert np.unique(events["t_us"]).size == events.size // GREY.size == 3
    assert np.all(np.diff(events["t_us"]) >= 0)


def test_a_packet_is_a_view_until_the_next_call() -> None:
    camera = EventCamera(4, 3, "ideal")
    camera.see(GREY, 0)
    events = camera.see(GREY * 2, 1000)
    kept = events.copy()
    camera.see(GREY // 2, 2000)
    assert not np.array_equal(events, kept)


def test_colours_are_seen_by_their_luma_and_other_layouts_as_themselves() -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (5, 3, 4, 3), dtype=np.uint8)
    luma = np.round(colours @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    times = list(range(0, 5000, 1000))
    wanted = film(EventCamera(4, 3, "ideal"), list(luma), times)
    assert all(map(np.array_equal, film(EventCamera(4, 3, "ideal"), list(colours), times), wanted))
    turned = [np.asfortranarray(frame)[::-1][::-1] for frame in luma]
    assert all(map(np.array_equal, film(EventCamera(4, 3, "ideal"), turned, times), wanted))
    for frame in turned:
        frame.flags.writeable = False  # as renderers may give them
    assert all(map(np.array_equal, film(EventCamera(4, 3, "ideal"), turned, times), wanted))
    floats = film(EventCamera(4, 3, "ideal"), list(colours / 255.0), times)
    grey = film(
        EventCamera(4, 3, "ideal"), list((colours @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)), times
    )
    assert [events.size for events in floats] == [events.size for events in grey]


def bad(value: float) -> np.ndarray:
    frame = np.full((3, 4), 0.5)
    frame[1, 2] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "t_us", "says"),
    [
        (GREY.T, 2000, r"must have shape \[3, 4\] or \[3, 4, 3\], got \[4, 3\]"),
        (GREY[None], 2000, r"got \[1, 3, 4\]"),
        (GREY.astype(int), 2000, "must be uint8, or floats from 0 to 1, got int64"),
        (GREY.tolist(), 2000, "must be a NumPy array, got list"),
        (bad(np.nan), 2000, "floats from 0 to 1 .* got nan at row 1, column 2"),
        (bad(np.inf), 2000, "got inf at row 1, column 2"),
        (bad(-0.1), 2000, "got -0.1 at row 1, column 2"),
        (bad(100.0), 2000, "divide by 255"),
        (GREY, 1000, r"must be later than the frame before \(1000\) by at most 2147483647 µs, got 1000; call reset"),
        (GREY, -5, "must be later"),
        (GREY, 2**40, "at most 2147483647"),
        (GREY, 2000.0, "must be a whole number of µs, got 2000.0"),
        (GREY, True, "must be a whole number"),
    ],
)  # fmt: skip
def test_bad_frames_are_refused_and_leave_no_trace(frame: Any, t_us: Any, says: str) -> None:
    camera = EventCamera(4, 3, "v2e")
    camera.see(GREY, 1000)
    before = camera.state()
    with pytest.raises(BadInput, match=f"event camera: .*{says}"):
        camera.see(frame, t_us)
    assert all(np.array_equal(camera.state()[key], before[key]) for key in before)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (bad(np.nan), "natural logarithms up to 80, got nan at row 1, column 2"),
        (bad(np.inf), "got inf"),
        (bad(81.0), "got 81.0"),
        (GREY, r"a logarithmic frame must be floats of shape \[3, 4\], got uint8"),
        (np.zeros((3, 4, 3)), "a logarithmic frame must be floats"),
    ],
)  # fmt: skip
def test_bad_logarithmic_frames_are_refused(frame: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        EventCamera(4, 3).see_log(frame, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"width": 0}, "width must be a whole number from 1 to 65536, got 0"),
        ({"width": 65_536, "height": 65_536}, "at most 67108864 pixels, got 65536 × 65536"),
        ({"height": 2.0}, "height must be a whole number"),
        ({"pixel": "claen"}, "unknown pixel 'claen': did you mean 'clean'"),
        ({"pixel": 3}, "pixel must be a name or a Pixel, got int"),
        ({"pixel": Pixel(threshold_on=-0.2)}, "pixel.threshold_on: .* got -0.2"),
        ({"pixel": Pixel(threshold_off=0.0)}, "pixel.threshold_off"),
        ({"pixel": Pixel(shot_rate=float("nan"))}, "pixel.shot_rate: must be finite, got nan"),
        ({"pixel": Pixel(bandwidth="fast")}, "pixel.bandwidth"),
        ({"pixel": Pixel(knee=0.0)}, "pixel.offset: must be > 0 where pixel.knee is 0"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"seed": 1.5}, "seed must be a whole number from 0"),
    ],
)  # fmt: skip
def test_bad_cameras_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        EventCamera(**{"width": 4, "height": 3} | arguments)


def test_states_of_other_cameras_and_damaged_ones_are_refused() -> None:
    camera = EventCamera(4, 3, "v2e", seed=1)
    camera.see(GREY, 0)
    good = camera.state()
    others = {
        r"'cells' must be float32 \[4, 16\], got float32 \[4, 32\]": EventCamera(8, 4, "v2e", seed=1).state(),
        "other width, height and seed": EventCamera(4, 3, "v2e", seed=2).state(),
        "other settings of the pixel": EventCamera(4, 3, "noisy", seed=1).state(),
        "'ready' must be int64": {key: value for key, value in good.items() if key != "ready"},
        "'counters' must be": good | {"counters": good["counters"].astype(float)},
        "is damaged": good | {"cells": good["cells"] * np.float32(np.nan)},
        "state is damaged": good | {"counters": good["counters"] + 7},
    }
    for says, state in others.items():
        with pytest.raises(BadInput, match=says):
            camera.restore(state)
    for nothing in (None, [1]):
        with pytest.raises(BadInput, match=r"a state must be what state\(\) returned, got (NoneType|list)"):
            camera.restore(nothing)  # type: ignore[arg-type]
    assert all(np.array_equal(camera.state()[key], good[key]) for key in good)
