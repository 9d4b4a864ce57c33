"""Scenes whose threshold crossings are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroloop import EventCamera, Pixel
from neuroloop.settings.sensors import IDEAL

THETA = IDEAL.threshold_on


@pytest.mark.parametrize("rising", [True, False])
def test_a_moving_edge_crosses_each_pixel_at_the_known_times(rising: bool) -> None:
    """The edge is a ramp in ln I, `wide` pixels wide; a pixel's crossing k comes when k θ of it has passed."""
    width, height, wide, speed = 40, 1.5, 6.0, 500.0  # speed: pixels a second
    camera = EventCamera(width, 2, IDEAL)
    sign = 1.0 if rising else -1.0
    x, found = np.arange(width), []
    for k in range(1001):
        t = k * 1e-4
        passed = np.clip((speed * t - x) / wide, 0.0, 1.0)
        ln = -1.0 - 0.5 * height + sign * height * (passed - 0.5)
        found += camera.see_log(np.tile(ln, (2, 1)), k * 100).tolist()
    n = math.floor(height / THETA)
    assert n == 7
    for column in range(width):
        mine = [(t, p) for t, at, y, p in found if (at, y) == (column, 1)]
        wanted = [1e6 * (column + (k + 1) * THETA / height * wide) / speed for k in range(n)]
        assert [p for _, p in mine] == [int(rising)] * n
        # exact but for the frame in which the ramp begins, and for rounding
        assert [t for t, _ in mine] == pytest.approx(wanted, abs=2.0)


def test_a_flickering_light_makes_the_known_number_of_events_at_the_known_times() -> None:
    """ln I = A sin ωt: 2n ON and 2n OFF a period, n = ⌊A / θ⌋, each at an arcsine; the first quarter has n."""
    amplitude, frequency, step, periods = 1.07, 10.0, 100, 4  # Hz, µs
    n, omega = math.floor(amplitude / THETA), 2.0 * math.pi * frequency * 1e-6
    camera = EventCamera(1, 1, IDEAL)
    found = []
    for t in range(0, round(periods / frequency * 1e6) + 1, step):
        found += camera.see_log(np.full((1, 1), amplitude * math.sin(omega * t) - 1.2), t)["t_us"].tolist()
    assert n == 5
    assert camera.counts.on == n + (periods - 1) * 2 * n + n
    assert camera.counts.off == periods * 2 * n
    wanted = sorted(closed_form(amplitude, n, periods))
    curvature = 0.5 * (omega * step) ** 2 * amplitude  # how far a chord is from the sine, at most, ×4
    slowest = omega * math.sqrt(amplitude**2 - (n * THETA) ** 2)
    assert found == pytest.approx([phase / omega for phase in wanted], abs=0.25 * curvature / slowest + 1.5)


def closed_form(amplitude: float, n: int, periods: int) -> list[float]:
    """Phases of the crossings: levels θ … nθ, then down to −nθ from (n − 1)θ, then up to nθ from −(n − 1)θ, and so on."""
    up = [math.asin(k * THETA / amplitude) for k in range(-n + 1, n + 1)]
    phases = [phase for phase in up if phase > 0.0]
    for period in range(periods):
        base = 2.0 * math.pi * period
        phases += [base + math.pi + phase for phase in up]
        if period < periods - 1:
            phases += [base + 2.0 * math.pi + phase for phase in up]
        else:  # the last frame is at the end of a period, halfway up
            phases += [base + 2.0 * math.pi + phase for phase in up if phase <= 0.0]
    return phases


def test_a_leak_fires_at_its_rate_whatever_the_frame_rate() -> None:
    pixel = Pixel(
        mismatch=0.03, bandwidth=0.0, refractory=0.0, leak_rate=5.0, leak_spread=0.0, leak_jitter=0.0, shot_rate=0.0
    )  # fmt: skip
    grey = np.full((20, 20), 120, np.uint8)
    counts = []
    for step in (1000, 40_000, 1_000_000, 2_000_000):
        camera = EventCamera(20, 20, pixel)
        for t in range(0, 2_000_001, step):
            camera.see(grey, t)
        counts.append(camera.counts)
    assert max(counts).on - min(counts).on <= 1  # one that falls on the end
    assert counts[0].off == 0
    assert abs(counts[0].on - 400 * 10) <= 1  # 2 s at 5 Hz, at random phases


def test_a_pixel_at_rest_takes_the_level_at_the_end_of_its_rest() -> None:
    """A ramp of 100 θ a second with a rest of 4 ms: an event every θ + what passed in 4 ms, so every 14 ms."""
    pixel = Pixel(
        mismatch=0.0, bandwidth=0.0, refractory=0.004, leak_rate=0.0, leak_spread=0.0, leak_jitter=0.0, shot_rate=0.0
    )  # fmt: skip
    for step in (500, 1000, 30_000):
        camera = EventCamera(1, 1, pixel)
        times = []
        for t in range(0, 300_001, step):
            times += camera.see_log(np.full((1, 1), 100.0 * THETA * t * 1e-6), t)["t_us"].tolist()
        assert times == pytest.approx([10_000 + 14_000 * k for k in range(21)], abs=3.0)


def test_the_photoreceptor_follows_a_step_of_light_at_its_bandwidth() -> None:
    """After a step the level is 1 − e^(−2πft) of the way there: the time constant is found from crossings."""
    pixel = Pixel(
        threshold_on=0.05, mismatch=0.0, bandwidth=20.0, dark_bandwidth=0.5, refractory=0.0, leak_rate=0.0, leak_spread=0.0,
        leak_jitter=0.0, shot_rate=0.0,
    )  # fmt: skip
    dim, bright = 0.2, 0.6
    camera = EventCamera(1, 1, pixel)
    camera.see(np.full((1, 1), dim), 0)
    times = np.concatenate([camera.see(np.full((1, 1), bright), t)["t_us"].copy() for t in range(50, 60_001, 50)])
    height, pace = math.log(bright / dim), 2.0 * math.pi * 20.0 * (0.5 + 0.5 * bright)
    n = math.floor(height / 0.05)
    wanted = [-1e6 * math.log(1.0 - 0.05 * k / height) / pace for k in range(1, n + 1)]
    assert times.tolist() == pytest.approx(wanted, abs=5.0)  # a chord of 50 µs in a curve of 10 ms
