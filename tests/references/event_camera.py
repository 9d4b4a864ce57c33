"""A slow event camera in plain Python and float64, written from the equations of the pixel and not from our code.

Each pixel is followed from event to event: its level runs on straight lines between frames, its reference stands still or falls
by a leak, and the next time at which their difference meets a threshold is solved for. It needs NumPy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Curve:
    """How a pixel turns light into a level, in ln units, and how fast."""

    knee: float
    linear_range: float
    offset: float
    bandwidth: float  # Hz; 0: unlimited
    dark_bandwidth: float

    def level(self, light: float) -> float:
        x = light + self.offset
        if self.knee == 0.0:
            return math.log(x)
        return math.log(x / self.knee) if x > self.knee else self.linear_range * (x / self.knee - 1.0)

    def after(self, level: float, light: float, seconds: float) -> float:
        """The level after some time in constant light: dL/dt = 2π f(I) (level(I) − L)."""
        if self.bandwidth == 0.0:
            return self.level(light)
        pace = 2.0 * math.pi * self.bandwidth * (self.dark_bandwidth + (1.0 - self.dark_bandwidth) * min(light, 1.0))
        return self.level(light) + (level - self.level(light)) * math.exp(-pace * seconds)


@dataclass
class OnePixel:
    """A pixel; times in µs, leak in ln units a µs."""

    curve: Curve
    on: float
    off: float
    rest: int
    leak: float
    time: int = 0
    level: float = 0.0
    reference: float = 0.0  # as it was at `since`
    since: float = 0.0
    free: float = -math.inf  # when its rest ends
    events: list[tuple[int, int, float]] = field(default_factory=list)  # time, polarity, ln units a µs

    def begin(self, light: float, time: int) -> None:
        self.time, self.level = time, self.curve.level(light)
        self.reference, self.since = self.level, time

    def see(self, light: float, time: int) -> None:
        new = self.curve.after(self.level, light, (time - self.time) * 1e-6)
        slope = (new - self.level) / (time - self.time)

        def level_at(t: float) -> float:
            return self.level + slope * (t - self.time)

        now = float(self.time)
        if self.free > now:
            now = self.free
            self.reference, self.since = level_at(now), now
        while now < time:
            difference = level_at(now) - (self.reference - self.leak * (now - self.since))
            pace = slope + self.leak
            if pace == 0.0:
                break
            when = now + ((self.on if pace > 0.0 else -self.off) - difference) / pace
            if when > time:
                break
            now, stamp = when, self.time + math.floor(when - self.time + 0.5)
            self.events.append((stamp, int(pace > 0.0), abs(pace)))
            self.reference, self.since = level_at(now), now
            if self.rest:
                self.free = now = float(stamp + self.rest)
                if now < time:
                    self.reference, self.since = level_at(now), now
        self.time, self.level = time, new


def reference_events(
    frames: list[Any], times: list[int], curve: Curve, on: Any, off: Any, rest: int, leak: Any, start: Any = None
) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
    """Time, polarity and pace of the difference (ln units a µs) of all events by (row, column).

    `on`, `off` (ln units) and `leak` (Hz of ON events) are arrays over pixels; `start`, ln units below the first level, is
    where references begin.
    """
    found = {}
    for place in np.ndindex(*on.shape):
        pixel = OnePixel(curve, float(on[place]), float(off[place]), rest, 0.0)
        if math.isfinite(on[place]):
            pixel.leak = float(leak[place]) * float(on[place]) * 1e-6
        pixel.begin(float(frames[0][place]), times[0])
        pixel.reference -= 0.0 if start is None else float(start[place])
        for frame, time in zip(frames[1:], times[1:], strict=True):
            pixel.see(float(frame[place]), time)
        found[place] = pixel.events
    return found
