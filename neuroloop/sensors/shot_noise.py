"""Noise events in the dark: a Poisson process of all pixels together, thinned by the light (Hu, Liu and Delbruck 2021).

A pixel's rate is shot_rate / 2 × nominal / own threshold for ON and for OFF each, × 1 − (1 − shot_in_light) I. The pixel takes
the level of that moment as its reference. Waiting times are exponential, so events come in order without being counted first.
"""

from __future__ import annotations

import math

import numpy as np

from .._numba import inline
from ..rows import f32, i64, u64, unit
from .cells import SHOT, at, of, random, row
from .crossing import cross, ends_of, hold, write
from .front_end import intensity


@inline
def find(sums, value):  # type: ignore[no-untyped-def]
    """The first place whose running sum exceeds the value."""
    low, high = 0, sums.size - 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low


@inline
def add_noise(cells, ready, held, keys, weights, counters, numbers):  # type: ignore[no-untyped-def]
    """Noise events of this frame, from the cursor on; False if there may be no room for them."""
    length = np.float64(counters[at.end] - counters[at.start])
    seed = random(counters[at.seed], SHOT, counters[at.frames])
    while True:
        draw = 4 * counters[at.cursor]
        now = numbers[of.now] - math.log(1.0 - unit(seed + u64(draw))) / numbers[of.rate]
        if now >= length:
            return True
        i = find(weights, unit(seed + u64(draw + 1)) * weights[-1])
        level = np.float64(cells[counters[at.newest], i])
        light = intensity(level, numbers[of.knee], numbers[of.linear_range], numbers[of.offset])
        rests = ready[i] > counters[at.start] + now
        if unit(seed + u64(draw + 2)) < 1.0 - (1.0 - numbers[of.in_light]) * light and not rests:
            if counters[at.events] + 2 > keys.shape[1] or not cross(i, now, cells, ready, held, keys, counters):
                return False
            if ready[i] <= counters[at.start] + now:
                on, off = np.float64(cells[row.on, i]), np.float64(cells[row.off, i])
                p = unit(seed + u64(draw + 3)) * (on + numbers[of.balance] * off) < numbers[of.balance] * off
                _flip(i, now, p, cells, ready, held, keys, counters)
        numbers[of.now] = now
        counters[at.cursor] += 1


@inline
def _flip(i, now, p, cells, ready, held, keys, counters):  # type: ignore[no-untyped-def]
    """A noise event; the reference is the level of that moment, or of the end of its rest."""
    begin, end = ends_of(i, cells, counters)
    stamp = i64(now + 0.5)
    if counters[at.refractory] > 0:
        write(i, stamp, p, keys, counters)
        if hold(i, stamp, cells, ready, held, counters):
            return
        now = np.float64(stamp + counters[at.refractory])
    else:
        write(i, stamp, p, keys, counters)
    slope = (end - begin) / (counters[at.end] - counters[at.start])
    cells[row.reference, i] += f32(begin + slope * now)
