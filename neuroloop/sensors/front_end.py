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
    """Levels of this frame, each its share of the way from the level before to that of the intensity."""
    new, old = cells[counters[at.newest]], cells[row.level + row.other - counters[at.newest]]
    if shares.size == 0:
        for i in range(frame.size):
            new[i] = levels[frame[i]]
        return
    for i in range(frame.size):
        new[i] = old[i] + shares[frame[i]] * (levels[frame[i]] - old[i])


@compiled_for(types.void(TABLE, TABLE, CELLS, COUNTERS))
def follow(levels, shares, cells, counters):  # type: ignore[no-untyped-def]
    """The same for a level, and a share, of every pixel."""
    new, old = cells[counters[at.newest]], cells[row.level + row.other - counters[at.newest]]
    if shares.size == 0:
        for i in range(levels.size):
            new[i] = levels[i]
        return
    for i in range(levels.size):
        new[i] = old[i] + shares[i] * (levels[i] - old[i])


class FrontEnd:
    """The front ends of `n` pixels, which are all alike."""

    def __init__(self, pixel: Pixel, n: int) -> None:
        self._pixel = pixel
        self._greys = np.arange(256, dtype=np.float32) / np.float32(255)
        self._table = np.empty(256, np.float32)
        self._to_level(self._greys, self._table)
        self._levels = np.empty(n, np.float32)
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
        self._to_level(frame, self._levels)
        self._to_share(frame, seconds, self._shares)
        follow.now(self._levels, self._shares, cells, counters)

    def _to_level(self, light: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """ln units."""
        knee, offset = self._pixel.knee, self._pixel.offset
        np.add(light, np.float32(offset), out=out)
        if knee == 0.0:
            np.log(out, out=out)
            return
        out *= np.float32(1.0 / knee)
        below = np.minimum(out, np.float32(1.0))
        below -= np.float32(1.0)
        below *= np.float32(self._pixel.linear_range)
        np.maximum(out, np.float32(1.0), out=out)
        np.log(out, out=out)
        out += below

    def _to_share(self, light: NDArray[np.float32], seconds: float, out: NDArray[np.float32]) -> None:
        """Of the way to the new level, 1 − e^(−2π f s t)."""
        if not out.size:
            return
        dark, rate = self._pixel.dark_bandwidth, -2.0 * math.pi * self._pixel.bandwidth * seconds
        if math.isinf(rate):
            out[:] = 1.0
            return
        np.multiply(np.minimum(light, np.float32(1.0)), np.float32(rate * (1.0 - dark)), out=out)
        out += np.float32(rate * dark)
        np.expm1(out, out=out)
        np.negative(out, out=out)
