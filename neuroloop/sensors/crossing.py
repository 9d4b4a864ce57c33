"""When the difference between level and reference crosses a threshold: the change detector (Lichtsteiner et al. 2008).

Between two frames the difference runs on a straight line, so every crossing has a time of its own. At each the reference moves
by the threshold; with a refractory period the pixel is held after an event, and its reference is the level at the end of that
time (the reset switch opens then). A leak lets the reference fall (Nozaki and Delbruck 2017). Times are rounded to µs.

References are written as they were at a base that moves once a second: what a slow leak takes in one short frame would be
rounded away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numba import inline
from ..rows import f32, i32, i64, mixed, u64
from .cells import JITTER, LINE, at, done, has, of, random


class Span(NamedTuple):
    """From the frame before to this one."""

    start: int  # µs
    length: int  # µs
    rest: int  # µs that a pixel rests after an event
    share: float  # of it that a µs is
    leaked: np.float32  # s that references fell until the frame before
    leaks: np.float32  # and until this one


@inline
def span_of(shape, counters, progress):  # type: ignore[no-untyped-def]
    """The span of this frame."""
    start, base, length = counters[at.start], counters[at.base], progress[done.end] - counters[at.start]
    leaked, leaks = f32(1e-6 * (start - base)), f32(1e-6 * (start + length - base))
    return Span(start, length, shape[has.refractory], 1.0 / length, leaked, leaks)


@inline
def ends_of(i, lines, span):  # type: ignore[no-untyped-def]
    """The difference at the beginning and at the end of the frame."""
    reference, leak = lines.reference[i], lines.leak[i]
    begin = np.float64(lines.old[i]) - (np.float64(reference) - np.float64(leak) * np.float64(span.leaked))
    return begin, np.float64(lines.new[i] - (reference - leak * span.leaks))


@inline
def address(x, y):  # type: ignore[no-untyped-def]
    """Column and row as they stand in a key."""
    return (u64(y) << u64(17)) | (u64(x) << u64(1))


@inline
def key_of(stamp, place, p):  # type: ignore[no-untyped-def]
    """An event as one number that sorts by time; `stamp` is µs into the frame."""
    return (u64(stamp) << u64(33)) | place | u64(p)


@inline
def cross(i, place, until, lines, span, ready, held, n_held, keys, room, n):  # type: ignore[no-untyped-def]
    """Add the events of pixel `i` up to `until` µs into the frame to `n` others. Returns how many events there are, and how
    many pixels rest at the end of the frame; −1 events if there may be no room for them."""
    begin, end = ends_of(i, lines, span)
    length, rise = np.float64(span.length), end - begin
    reached = end if until >= length else begin + rise * (until * span.share)
    p = reached > 0.0
    sign, step = 1.0 if p else -1.0, np.float64(lines.on[i] if p else lines.off[i])
    reached *= sign
    if reached < step:
        return n, n_held
    if reached >= step * (room - n - 2):
        return -1, n_held
    pace = length / rise if sign * rise > 0.0 else 0.0  # µs until the difference has grown by 1
    zero, crossing, rests = 0.0, step, False
    while crossing <= reached:  # a rest beyond the frame puts the next crossing there too
        when = (sign * crossing - begin) * pace
        when = when if when > 0.0 else 0.0
        stamp = i64((when if when < length else length) + 0.5)
        keys[n] = key_of(stamp, place, p)
        n += 1
        zero = crossing
        if span.rest > 0:
            ready[i] = span.start + stamp + span.rest
            zero = sign * (begin + rise * ((stamp + span.rest) * span.share))
            rests = stamp + span.rest >= span.length
        crossing = zero + step
    share, moved = f32(rests), lines.reference[i] + f32(sign * zero)
    fresh = lines.new[i] + lines.leak[i] * span.leaks
    lines.reference[i] = share * fresh + (f32(1.0) - share) * moved  # no branch, as none could be predicted
    held[n_held] = i32(i)
    return n, n_held + i64(rests)


@inline
def release(lines, span, ready, held, n_held):  # type: ignore[no-untyped-def]
    """Pixels that rested when the frame began: their reference is the level at the end of that time.

    Returns how many rest beyond this frame.
    """
    kept = 0
    for k in range(n_held):
        i = held[k]
        left = span.start + span.length - ready[i]
        if left <= 0:
            lines.reference[i] = lines.new[i] + lines.leak[i] * span.leaks
            held[kept] = i
            kept += 1
            continue
        level = np.float64(lines.new[i]) - left * span.share * (np.float64(lines.new[i]) - np.float64(lines.old[i]))
        lines.reference[i] = f32(level + np.float64(lines.leak[i]) * (np.float64(span.leaks) - 1e-6 * left))
    return kept


@inline
def rebase(lines, size, seconds):  # type: ignore[no-untyped-def]
    """Write references as they are now, so many seconds after the base."""
    for i in range(size):
        lines.reference[i] -= lines.leak[i] * seconds


@inline
def compare(lines, first, last, flags):  # type: ignore[no-untyped-def]
    """Flag the pixels whose difference reached a threshold. Free of branches, so that it vectorises."""
    for i in range(first, last):
        difference = lines.new[i] - lines.reference[i]
        flags[i] = np.uint8(difference >= lines.on[i]) | np.uint8(difference <= -lines.off[i])


@inline
def compare_leaking(lines, first, last, seconds, flags):  # type: ignore[no-untyped-def]
    """The same where references fall."""
    for i in range(first, last):
        difference = lines.new[i] - (lines.reference[i] - lines.leak[i] * seconds)
        flags[i] = np.uint8(difference >= lines.on[i]) | np.uint8(difference <= -lines.off[i])


@inline
def gather(flags, packed, first, last, flagged):  # type: ignore[no-untyped-def]
    """The numbers of flagged pixels, rising; `packed` are the flags, eight at a time. Returns how many there are."""
    n = i64(0)
    for line in range(first // LINE, last // LINE):
        if packed[line] == u64(0):
            continue
        for i in range(line * LINE, (line + 1) * LINE):
            flagged[n] = i32(i)
            n += i64(flags[i])
    return n


@inline
def fire(lines, span, ready, held, flagged, keys, shape, counters, progress, numbers):  # type: ignore[no-untyped-def]
    """Events of flagged pixels, from the cursor on; False if there may be no room for them."""
    jitter, width, room = numbers[of.jitter], shape[has.width], shape[has.room]
    seed = random(counters[at.seed], JITTER, counters[at.frames])
    n, n_held, n_flagged = progress[done.events], progress[done.held], progress[done.flagged]
    y = flagged[progress[done.cursor]] // width
    length = np.float64(span.length)
    for k in range(progress[done.cursor], n_flagged):
        i = i64(flagged[k])
        while i >= (y + 1) * width:
            y += 1
        n_now, n_held = cross(
            i, address(i - y * width, y), length, lines, span, ready, held, n_held, keys, room, n
        )  # fmt: skip
        if n_now < 0:
            progress[done.events], progress[done.held], progress[done.cursor] = n, n_held, k
            return False
        n = n_now
        if jitter > 0.0 and lines.usual[i] > f32(0.0):
            leak = lines.usual[i] * f32(_wobble(seed + u64(i), jitter))
            lines.reference[i] += (leak - lines.leak[i]) * span.leaks
            lines.leak[i] = leak
    progress[done.events], progress[done.held] = n, n_held
    return True


@inline
def _wobble(counter, jitter):  # type: ignore[no-untyped-def]
    """What the leak is multiplied with until the pixel fires again: 1 − jitter × a nearly normal number.

    The number is the sum of four 16-bit uniform ones, scaled; it never exceeds 3.5 standard deviations.
    """
    h, low = mixed(counter), u64(0xFFFF)
    total = (h & low) + ((h >> u64(16)) & low) + ((h >> u64(32)) & low) + (h >> u64(48))
    return max(1.0 - jitter * (i64(total) / 65536.0 - 2.0) * 1.7320508075688772, 0.05)
