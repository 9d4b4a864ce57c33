"""Noise events in the dark: a Poisson process of all pixels together, thinned by the light (Hu, Liu and Delbruck 2021).

A pixel's rate is shot_rate / 2 × nominal / own threshold for ON and for OFF each, × 1 − (1 − shot_in_light) I. The pixel takes
the level of that moment as its reference. Waiting times are exponential, so events come in order without being counted first.
"""

from __future__ import annotations

import math

import numpy as np

from .._numba import inline
from ..rows import f32, i32, i64, u64, unit
from .cells import SHOT, at, done, has, of, random
from .crossing import address, cross, ends_of, key_of
from .front_end import intensity


@inline
def find(sums, n, value):  # type: ignore[no-untyped-def]
    """The first place whose running sum exceeds the value."""
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low


@inline
def add_noise(lines, span, ready, held, keys, weights, shape, counters, progress, numbers):  # type: ignore[no-untyped-def]
    """Noise events of this frame, from the cursor on; False if there may be no room for them."""
    seed, length = random(counters[at.seed], SHOT, counters[at.frames]), np.float64(span.length)
    n_pixels, room = shape[has.pixels], shape[has.room]
    while True:
        draw = seed + u64(4 * progress[done.cursor])
        now = numbers[of.now] - math.log(1.0 - unit(draw)) / numbers[of.rate]
        if now >= length:
            return True
        i = find(weights, n_pixels, unit(draw + u64(1)) * weights[n_pixels - 1])
        light = intensity(np.float64(lines.new[i]), numbers[of.knee], numbers[of.linear_range], numbers[of.offset])
        if unit(draw + u64(2)) < 1.0 - (1.0 - numbers[of.in_light]) * light and ready[i] - span.start <= now:
            y = i // shape[has.width]
            place = address(i - y * shape[has.width], y)
            n, n_held = cross(
                i, place, now, lines, span, ready, held, progress[done.held], keys, room, progress[done.events]
            )  # fmt: skip
            if n < 0 or n + 2 > room:
                return False
            if ready[i] - span.start <= now:
                on, off = np.float64(lines.on[i]), np.float64(lines.off[i])
                p = unit(draw + u64(3)) * (on + numbers[of.balance] * off) < numbers[of.balance] * off
                keys[n] = key_of(i64(now + 0.5), place, p)
                n_held = _renew(i, now, lines, span, ready, held, n_held)
                n += 1
            progress[done.events], progress[done.held] = n, n_held
        numbers[of.now] = now
        progress[done.cursor] += 1


@inline
def _renew(i, now, lines, span, ready, held, n_held):  # type: ignore[no-untyped-def]
    """After a noise event, the reference is the level of that moment, or of the end of the pixel's rest."""
    begin, end = ends_of(i, lines, span)
    if span.rest > 0:
        now = np.float64(i64(now + 0.5) + span.rest)
        ready[i] = span.start + i64(now)
        if now >= span.length:
            lines.reference[i] = lines.new[i] + lines.leak[i] * span.leaks
            held[n_held] = i32(i)
            return n_held + 1
    lines.reference[i] += f32(begin + (end - begin) * (now * span.share))
    return n_held
