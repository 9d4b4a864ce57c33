"""The event camera against a slow reference that was written from the equations, event by event."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop import EventCamera, Pixel
from neuroloop.settings.sensors import IDEAL

_FILE = Path(__file__).parents[1] / "references" / "event_camera.py"
_SPEC = importlib.util.spec_from_file_location("event_camera_reference", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
reference = sys.modules["event_camera_reference"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)

SHAPE = (9, 13)
OFF = {
    "mismatch": 0.0, "bandwidth": 0.0, "refractory": 0.0, "leak_rate": 0.0, "leak_spread": 0.0, "leak_jitter": 0.0,
    "shot_rate": 0.0,
}  # fmt: skip
ROUNDING, FLOAT32 = (
    2.0,
    4e-6,
)  # µs of rounding; ln units by which float32 differs from float64 after some tens of events
PIXELS = {
    "nothing": Pixel(**OFF),
    "mismatch": Pixel(**OFF | {"mismatch": 0.05}),
    "uneven thresholds": Pixel(**OFF | {"threshold_on": 0.15, "threshold_off": 0.4}),
    "logarithm of all": Pixel(**OFF | {"knee": 0.0, "offset": 0.001}),
    "wide linear part": Pixel(**OFF | {"knee": 0.5, "linear_range": 1.0}),
    "bandwidth": Pixel(**OFF | {"bandwidth": 60.0}),
    "short rest": Pixel(**OFF | {"refractory": 0.0003}),
    "long rest": Pixel(**OFF | {"refractory": 0.0072}),
    "leak": Pixel(**OFF | {"leak_rate": 30.0}),
    "spread leak and dead": Pixel(**OFF | {"leak_rate": 10.0, "leak_spread": 0.2, "dead": 0.1}),
    "hot": Pixel(**OFF | {"hot": 0.3, "hot_rate": 200.0}),
    "all at once": Pixel(mismatch=0.04, refractory=0.0011, leak_rate=20.0, leak_jitter=0.0, shot_rate=0.0, hot=0.1, dead=0.1),
}  # fmt: skip


JUMP = {
    1000: 3,
    2000: 4,
    5000: 7,
    10_000: 10,
    20_000: 12,
    33_333: 14,
}  # events by µs from frame to frame; as the page says


@pytest.mark.parametrize("rest", [0.0005, 0.0])
@pytest.mark.parametrize("step_us", JUMP)
def test_a_jump_that_is_stretched_over_a_longer_frame_gives_more_events_and_always_as_many_without_rest(
    step_us: int, rest: float
) -> None:
    camera = EventCamera(1, 1, Pixel(mismatch=0.0, refractory=rest, leak_rate=0.0, leak_jitter=0.0, shot_rate=0.0))
    frames = [np.full((1, 1), np.exp(level), np.float32) for level in [-3.0] * 2 + [0.0] * 60]
    times = [step_us * k for k in range(len(frames))]
    found, start = seen(camera, frames, times)
    wanted = expected(camera, frames, times, start)
    assert len(found[0, 0]) == (JUMP[step_us] if rest else 18)
    assert [t for t, _ in found[0, 0]] == [t for t, _, _ in wanted[0, 0]]


def scene(seed: int, n: int = 25) -> tuple[list[np.ndarray], list[int]]:
    """Smooth changes, still times and jumps, at uneven times."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(200, 9000, n)).tolist()
    phase, speed = rng.uniform(0, 6, SHAPE), rng.uniform(0, 200, SHAPE)
    frames = [0.5 + 0.49 * np.sin(phase + speed * t * 1e-6) for t in times]
    frames[8:12] = [frames[8]] * 4
    for k in range(16, n):
        frames[k] = np.where(rng.random(SHAPE) < 0.1, rng.random(SHAPE), frames[k - 1])
    return [frame.astype(np.float32) for frame in frames], times


def seen(camera: EventCamera, frames: list[Any], times: list[int]) -> tuple[dict[Any, Any], np.ndarray]:
    """Events by pixel, and where the references began, below the first levels."""
    found: dict[Any, Any] = {place: [] for place in np.ndindex(camera.height, camera.width)}
    camera.see(frames[0], times[0])
    state = camera.state()
    levels, n = state["cells"][state["counters"][5]], camera.width * camera.height
    start = (levels - state["cells"][2])[:n].reshape(camera.height, camera.width)
    for frame, time in zip(frames[1:], times[1:], strict=True):
        for t, x, y, p in camera.see(frame, time).tolist():
            found[y, x].append((t, p))
    return found, start


def expected(camera: EventCamera, frames: list[Any], times: list[int], start: Any) -> dict[Any, Any]:
    pixel = camera.pixel
    curve = reference.Curve(pixel.knee, pixel.linear_range, pixel.offset, pixel.bandwidth, pixel.dark_bandwidth)
    on, off = camera.thresholds
    rest = round(pixel.refractory * 1e6)
    return dict(reference.reference_events(frames, times, curve, on, off, rest, camera.leak_rates, start))


def assert_alike(found: dict[Any, Any], wanted: dict[Any, Any], rests: bool = False) -> None:
    """The same events, in time up to rounding; where the difference crawls, small differences in level count for more µs.

    With a rest, the reference is the level at a time that was rounded to 1 µs.
    """
    for place, events in wanted.items():
        assert [p for _, p in found[place]] == [p for _, p, _ in events], place
        level = FLOAT32 + (max((pace for _, _, pace in events), default=0.0) if rests else 0.0)
        for (t, _), (due, _, pace) in zip(found[place], events, strict=True):
            assert abs(t - due) <= ROUNDING + level / pace, (place, t, due)


@pytest.mark.parametrize("name", PIXELS)
def test_every_event_is_that_of_the_reference(name: str) -> None:
    camera = EventCamera(SHAPE[1], SHAPE[0], PIXELS[name], seed=4)
    frames, times = scene(seed=11)
    found, start = seen(camera, frames, times)
    wanted = expected(camera, frames, times, start)
    assert sum(map(len, wanted.values())) > 300
    assert_alike(found, wanted, camera.pixel.refractory > 0.0)


def test_bytes_are_seen_as_the_same_intensities() -> None:
    camera = EventCamera(SHAPE[1], SHAPE[0], Pixel(**OFF | {"bandwidth": 100.0}))
    frames, times = scene(seed=5)
    frames = [np.round(255 * frame).astype(np.uint8) for frame in frames]
    found, start = seen(camera, frames, times)
    assert_alike(found, expected(camera, [frame / 255 for frame in frames], times, start))


def test_logarithms_are_seen_as_the_same_intensities() -> None:
    camera = EventCamera(SHAPE[1], SHAPE[0], Pixel(**OFF | {"bandwidth": 100.0}))
    frames, times = scene(seed=6)
    _, start = seen(camera, frames, times)
    wanted = expected(camera, frames, times, start)
    camera.reset()
    found: dict[Any, Any] = {place: [] for place in wanted}
    for frame, time in zip(frames, times, strict=True):
        for t, x, y, p in camera.see_log(np.log(frame), time).tolist():
            found[y, x].append((t, p))
    assert_alike(found, wanted)


def test_intensities_beyond_white_are_seen_by_their_logarithm() -> None:
    camera = EventCamera(2, 1, IDEAL)
    camera.see_log(np.zeros((1, 2), np.float32), 0)
    events = camera.see_log(np.array([[1.01, 2.05]], np.float32), 1000)
    assert np.bincount(events["x"]).tolist() == [5, 10]


def test_the_logarithm_of_nothing_is_black() -> None:
    frames = [np.array([[0.0, 0.5]], np.float32), np.array([[0.6, 0.0]], np.float32)]
    for pixel in ("clean", "esim"):
        plain, logarithmic = EventCamera(2, 1, pixel), EventCamera(2, 1, pixel)
        plain.see(frames[0], 0)
        with np.errstate(divide="ignore"):
            logs = [np.log(frame) for frame in frames]
        logarithmic.see_log(logs[0], 0)
        wanted, found = plain.see(frames[1], 10_000), logarithmic.see_log(logs[1], 10_000)
        assert wanted.size > 4
        assert found.tolist() == wanted.tolist()
