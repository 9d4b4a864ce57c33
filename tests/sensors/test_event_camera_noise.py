"""Noise sources of the event camera: their rates, spreads and seeds. Bounds are four standard errors or more."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from neuroloop import EventCamera, Pixel
from neuroloop.settings.sensors import IDEAL, PIXELS

SIDE = 64
N = SIDE * SIDE


def watched(pixel: Pixel, grey: int, seconds: float, step: int = 5000, seed: int = 2) -> np.ndarray:
    """Events of a still grey scene."""
    camera = EventCamera(SIDE, SIDE, pixel, seed)
    frame = np.full((SIDE, SIDE), grey, np.uint8)
    return np.concatenate([camera.see(frame, t).copy() for t in range(0, round(seconds * 1e6) + 1, step)])


def only(**settings: float) -> Pixel:
    return msgspec.structs.replace(IDEAL, **settings)


def test_an_ideal_camera_sees_nothing_where_nothing_changes() -> None:
    assert watched(IDEAL, 120, 2.0).size == 0


def test_thresholds_differ_from_pixel_to_pixel_as_said() -> None:
    on, off = EventCamera(SIDE, SIDE, only(mismatch=0.03), seed=1).thresholds
    for drawn in (on, off):
        assert drawn.mean() == pytest.approx(0.2, abs=4 * 0.03 / SIDE)
        assert drawn.std() == pytest.approx(0.03, abs=4 * 0.03 / math.sqrt(2 * N))
        assert np.mean(np.abs(drawn - 0.2) < 0.03) == pytest.approx(0.6827, abs=4 * 0.5 / SIDE)  # Gaussian
    assert abs(np.corrcoef(on.ravel(), off.ravel())[0, 1]) < 4 / SIDE
    assert abs(np.corrcoef(on[:, 1:].ravel(), on[:, :-1].ravel())[0, 1]) < 4 / SIDE
    wide = EventCamera(SIDE, SIDE, only(mismatch=0.2), seed=1).thresholds.on
    assert wide.min() == np.float32(0.01)
    assert np.mean(wide == np.float32(0.01)) == pytest.approx(
        0.171, abs=0.025
    )  # 0.95 standard deviations below the mean


@pytest.mark.parametrize("step", [500, 20_000])
@pytest.mark.parametrize(("grey", "share"), [(0, 1.0), (255, 0.25), (128, 1.0 - 0.75 * 128 / 255)])
def test_shot_noise_has_its_rate_in_any_light_at_any_frame_rate(grey: int, share: float, step: int) -> None:
    events = watched(only(shot_rate=5.0), grey, 1.0, step)
    expected = N * 5.0 * share
    assert events.size == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert events["p"].mean() == pytest.approx(0.5, abs=2 / math.sqrt(expected))
    per_pixel = np.bincount(events["y"].astype(int) * SIDE + events["x"], minlength=N)
    assert per_pixel.var() / per_pixel.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / N))  # Poisson
    waits = np.diff(np.sort(events["t_us"]))
    assert waits.std() / waits.mean() == pytest.approx(1.0, abs=0.05)  # exponential, but for rounding to µs
    assert np.histogram(events["t_us"], 10, (0, 1_000_000))[0] == pytest.approx(
        expected / 10, abs=4.5 * math.sqrt(expected / 10)
    )


def test_shot_noise_comes_more_often_where_thresholds_are_low() -> None:
    pixel = only(shot_rate=20.0, threshold_on=0.2, threshold_off=0.4, mismatch=0.05)
    camera = EventCamera(SIDE, SIDE, pixel, seed=2)
    on, off = camera.thresholds
    events = watched(pixel, 0, 2.0)
    place = events["y"].astype(int) * SIDE + events["x"]
    for polarity, rate in ((1, 10.0 * 0.2 / on), (0, 10.0 * 0.4 / off)):
        counts = np.bincount(place[events["p"] == polarity], minlength=N)
        expected = 2.0 * rate.ravel().astype(float)
        assert counts.sum() == pytest.approx(expected.sum(), abs=4 * math.sqrt(expected.sum()))
        for part in np.array_split(np.argsort(expected), 4):
            assert counts[part].sum() == pytest.approx(expected[part].sum(), abs=4.5 * math.sqrt(expected[part].sum()))


def test_a_noise_event_makes_the_pixel_forget() -> None:
    """Of a difference of 0.19 just below the threshold nothing is left after a noise event, so 0.02 more is no event."""
    pixel = only(shot_rate=2000.0, shot_in_light=1.0)
    camera = EventCamera(SIDE, SIDE, pixel)
    camera.see_log(np.full((SIDE, SIDE), -1.0), 0)
    first = camera.see_log(np.full((SIDE, SIDE), -0.81), 1000).copy()
    noisy = np.zeros((SIDE, SIDE), bool)
    noisy[first["y"], first["x"]] = True
    assert 0.8 < noisy.mean() < 0.9  # 1 − e^−2
    second = camera.see_log(np.full((SIDE, SIDE), -0.79), 1001)
    crossed = np.zeros((SIDE, SIDE), bool)
    crossed[second["y"], second["x"]] = True
    assert np.all(crossed[~noisy])
    assert crossed[noisy].mean() < 0.1  # noise of that µs, and what noise early in the first frame left


def test_leaks_have_their_rate_spread_and_jitter() -> None:
    camera = EventCamera(SIDE, SIDE, only(leak_rate=4.0, leak_spread=0.1), seed=2)
    rates = np.log10(camera.leak_rates)
    assert rates.mean() == pytest.approx(math.log10(4.0), abs=4 * 0.1 / SIDE)
    assert rates.std() == pytest.approx(0.1, abs=4 * 0.1 / math.sqrt(2 * N))
    events = watched(only(leak_rate=4.0, leak_jitter=0.1), 120, 6.0)
    assert events["p"].all()
    order = np.lexsort((events["t_us"], events["x"], events["y"]))
    place, times = (events["y"].astype(int) * SIDE + events["x"])[order], events["t_us"][order]
    waits = np.diff(times)[np.diff(place) == 0]
    assert waits.mean() == pytest.approx(0.25e6, rel=0.01)  # 1 / (1 − jitter z) exceeds 1 by 0.01 in the mean
    assert waits.std() / waits.mean() == pytest.approx(0.1, abs=0.012)
    successive = waits[:-1], waits[1:]
    assert abs(np.corrcoef(*successive)[0, 1]) < 0.03


def test_a_slow_leak_is_not_rounded_away_by_short_frames() -> None:
    """In 3 µs a reference of 2.5 falls by 1e-7, less than float32 can tell there."""
    camera = EventCamera(SIDE, SIDE, only(leak_rate=0.16), seed=2)
    frame = np.full((SIDE, SIDE), 255, np.uint8)
    for t in range(0, 150_000, 3):
        camera.see(frame, t)
    expected = N * 0.16 * 0.15
    assert camera.counts.on == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_the_first_leaks_come_at_once_and_not_all_together() -> None:
    events = watched(only(leak_rate=1.0), 120, 1.0)
    assert np.histogram(events["t_us"], 10, (0, 1_000_000))[0] == pytest.approx(N / 10, abs=4.5 * math.sqrt(N / 10))


def test_hot_pixels_fire_all_the_time_and_dead_ones_never() -> None:
    pixel = only(hot=0.02, hot_rate=50.0, dead=0.03)
    camera = EventCamera(SIDE, SIDE, pixel, seed=2)
    hot, dead = camera.leak_rates > 0.0, np.isinf(camera.thresholds.on)
    assert hot.mean() == pytest.approx(0.02, abs=4 * math.sqrt(0.02 / N))
    assert dead.mean() == pytest.approx(0.03, abs=4 * math.sqrt(0.03 / N))
    counts = np.zeros((SIDE, SIDE), int)
    rng = np.random.default_rng(0)
    for t in range(0, 1_000_001, 10_000):
        events = camera.see(np.full((SIDE, SIDE), 120, np.uint8), t)
        np.add.at(counts, (events["y"], events["x"]), 1)
    assert np.all(np.abs(counts[hot] - 50) <= 1)
    assert counts[~hot].sum() == 0
    events = camera.see(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8), 1_010_000)
    assert not dead[events["y"], events["x"]].any()


@pytest.mark.parametrize("name", PIXELS)
def test_every_parameter_set_sees_a_moving_scene(name: str) -> None:
    camera = EventCamera(16, 16, name)
    for k in range(20):
        camera.see(np.roll(np.linspace(0.0, 1.0, 256).reshape(16, 16), k, axis=1), k * 10_000)
    assert min(camera.counts) > 50


def test_the_published_parameter_sets_hold_the_published_numbers() -> None:
    """v2e 1.5.1: `v2e_args.py`, and `set_dvs_params` of `emulator.py`; ESIM: flags of `esim_node.cpp`."""
    names = (
        "threshold_on", "threshold_off", "mismatch", "bandwidth", "leak_rate", "leak_jitter", "leak_spread", "shot_rate",
        "refractory",
    )  # fmt: skip
    published = {
        "v2e": (0.2, 0.2, 0.03, 300.0, 0.01, 0.1, 0.1, 0.001, 0.0005),
        "v2e-clean": (0.2, 0.2, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        "v2e-noisy": (0.2, 0.2, 0.05, 30.0, 0.1, 0.1, 0.1, 5.0, 0.0),
        "esim": (1.0, 1.0, 0.021, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    }
    for name, numbers in published.items():
        assert tuple(getattr(PIXELS[name], field) for field in names) == numbers
    assert (PIXELS["esim"].knee, PIXELS["esim"].offset) == (0.0, 0.001)
    assert PIXELS["v2e"].linear_range == pytest.approx(math.log(20), abs=1e-4)
