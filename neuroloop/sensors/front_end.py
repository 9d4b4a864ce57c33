"""The photoreceptor's front end: from linear intensity to a level in ln units, and how fast the level follows.

With x = I + offset and the knee k: level = ln(x / k) above k and linear_range (x / k − 1) below it, as in v2e (Hu, Liu and
Delbruck 2021); for k = 0, level = ln x, as in ESIM (Rebecq et al. 2018). The photoreceptor is a first-order low-pass whose
bandwidth grows with the light (Lichtsteiner et al. 2008), f (d + (1 − d) I) with d the share that is left in the dark, exact
for an intensity that is constant over a frame. Frames of bytes go through tables of 256 entries.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numpy.typing import NDArray

from .._numba import compiled_for, inline
from ..rows import f32
from ..settings.sensors import Pixel
from .cells import CELLS, COUNTERS, at, row

FRAME = types.Array(types.uint8, 1, "C", readonly=True)  # read-only or not
TABLE = types.float32[::1]


@inline
def intensity(level, knee, linear_range, offset):  # type: ignore[no-untyped-def]
    """The intensity, from 0 to 1, that a level stands for."""
    if knee == 0.0:
        x = math.exp(level)
    elif level > 0.0:
        x = knee * math.exp(level)
    else:
        x = knee * (1.0 + level / linear_range)
    return min(max(x - offset, 0.0), 1.0)


@compiled_for(types.void(FRAME, TABLE, TABLE, CELLS, COUNTERS))
def follow_bytes(frame, levels, shares, cells, counters):  # type: ignore[no-untyped-def]
    """Levels of this frame, each its (negative) share of the way from the level before to that of the intensity."""
    new, old = cells[counters[at.newest]], cells[row.level + row.other - counters[at.newest]]
    if shares.size == 0:
        for i in range(frame.size):
            new[i] = levels[frame[i]]
        return
    for i in range(frame.size):
        new[i] = old[i] - shares[frame[i]] * (levels[frame[i]] - old[i])


@compiled_for(types.void(TABLE, TABLE, TABLE, CELLS, COUNTERS))
def follow(above, below, shares, cells, counters):  # type: ignore[no-untyped-def]
    """The same for a level, in two parts, and a share of every pixel."""
    new, old = cells[counters[at.newest]], cells[row.level + row.other - counters[at.newest]]
    if shares.size == 0:
        for i in range(above.size):
            new[i] = above[i] + below[i]
        return
    for i in range(above.size):
        new[i] = old[i] - shares[i] * (above[i] + below[i] - old[i])


@compiled_for(types.void(TABLE, types.float64, types.float64, types.float64, TABLE, TABLE))
def part(light, offset, knee, linear_range, above, below):  # type: ignore[no-untyped-def]
    """What is to be taken the logarithm of, and the level of what lies below the knee. One loop in place of six calls."""
    if knee == 0.0:
        for i in range(light.size):
            above[i] = light[i] + f32(offset)
            below[i] = f32(0.0)
        return
    scale = f32(1.0 / knee)
    for i in range(light.size):
        x = (light[i] + f32(offset)) * scale
        above[i] = x if x > f32(1.0) else f32(1.0)
        below[i] = f32(linear_range) * (x - f32(1.0)) if x < f32(1.0) else f32(0.0)


@compiled_for(types.void(TABLE, types.float64, types.float64, TABLE))
def pace(light, dark, rate, out):  # type: ignore[no-untyped-def]
    """How many time constants the frame lasts, negative."""
    for i in range(light.size):
        seen = light[i] if light[i] < f32(1.0) else f32(1.0)
        out[i] = -f32(rate) * (f32(dark) + f32(1.0 - dark) * seen)


class FrontEnd:
    """The front ends of `n` pixels, which are all alike."""

    def __init__(self, pixel: Pixel, n: int) -> None:
        self._pixel = pixel
        self._greys = np.arange(256, dtype=np.float32) / np.float32(255)
        below, self._table = np.empty(256, np.float32), np.empty(256, np.float32)
        self._to_level(self._greys, self._table, below)
        self._table += below
        self._above, self._below = np.empty(n, np.float32), np.empty(n, np.float32)
        limited = pixel.bandwidth > 0.0
        self._table_shares = np.empty(256 if limited else 0, np.float32)
        self._shares = np.empty(n if limited else 0, np.float32)
        self._seconds = -1.0  # that the table of shares is for

    def see_bytes(
        self, frame: NDArray[np.uint8], seconds: float, cells: NDArray[np.float32], counters: NDArray[np.int64]
    ) -> None:
        """Take a frame of bytes, so many seconds after the one before."""
        if seconds != self._seconds:
            self._to_share(self._greys, seconds, self._table_shares)
            self._seconds = seconds
        follow_bytes.now(frame, self._table, self._table_shares, cells, counters)

    def see_light(
        self, frame: NDArray[np.float32], seconds: float, cells: NDArray[np.float32], counters: NDArray[np.int64]
    ) -> None:
        """Take a frame of intensities."""
        self._to_level(frame, self._above, self._below)
        self._to_share(frame, seconds, self._shares)
        follow.now(self._above, self._below, self._shares, cells, counters)

    def _to_level(self, light: NDArray[np.float32], above: NDArray[np.float32], below: NDArray[np.float32]) -> None:
        """ln units, as the sum of two parts. NumPy's logarithm is vectorised, numba's is not."""
        pixel = self._pixel
        part.now(light, pixel.offset, pixel.knee, pixel.linear_range, above, below)
        np.log(above, out=above)

    def _to_share(self, light: NDArray[np.float32], seconds: float, out: NDArray[np.float32]) -> None:
        """Of the way to the new level, negative: e^(−2π f s t) − 1."""
        if not out.size:
            return
        if math.isinf(seconds):
            out[:] = -1.0
            return
        pace.now(light, self._pixel.dark_bandwidth, 2.0 * math.pi * self._pixel.bandwidth * seconds, out)
        np.expm1(out, out=out)
