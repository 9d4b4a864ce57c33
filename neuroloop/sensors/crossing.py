"""When the difference between level and reference crosses a threshold: the change detector (Lichtsteiner et al. 2008).

Between two frames the difference runs on a straight line, so every crossing has a time of its own. At each the reference moves
by the threshold; with a refractory period the pixel is held after an event, and its reference is the level at the end of that
time (the reset switch opens then). A leak lets the reference fall (Nozaki and Delbruck 2017). Times are rounded to µs.
"""

from __future__ import annotations

import numpy as np

from .._numba import inline
from ..rows import f32, i32, i64, u64, unit
from .cells import JITTER, LINE, at, of, random, row


@inline
def ends_of(i, cells, counters):  # type: ignore[no-untyped-def]
    """The difference at the beginning and at the end of the frame; references are those of its end already."""
    new, reference = cells[counters[at.newest], i], cells[row.reference, i]
    old = cells[row.level + row.other - counters[at.newest], i]
    fallen = np.float64(cells[row.leak, i]) * (1e-6 * (counters[at.end] - counters[at.start]))
    return np.float64(old) - np.float64(reference) - fallen, np.float64(new - reference)


@inline
def write(i, stamp, p, keys, counters):  # type: ignore[no-untyped-def]
    """Note an event of pixel `i`, `stamp` µs into the frame, as one number that sorts by time."""
    y = i // counters[at.width]
    x = i - y * counters[at.width]
    keys[0, counters[at.events]] = (u64(stamp) << u64(33)) | (u64(y) << u64(17)) | (u64(x) << u64(1)) | u64(p)
    counters[at.events] += 1


@inline
def hold(i, stamp, cells, ready, held, counters):  # type: ignore[no-untyped-def]
    """The pixel rests after an event; whether it still does at the end of the frame."""
    ready[i] = counters[at.start] + stamp + counters[at.refractory]
    if ready[i] < counters[at.end]:
        return False
    cells[row.reference, i] = cells[counters[at.newest], i]
    held[counters[at.held]] = i32(i)
    counters[at.held] += 1
    return True


@inline
def cross(i, until, cells, ready, held, keys, counters):  # type: ignore[no-untyped-def]
    """Events of pixel `i` up to `until` µs into the frame; False if there may be no room for them."""
    begin, end = ends_of(i, cells, counters)
    length, rest = np.float64(counters[at.end] - counters[at.start]), counters[at.refractory]
    slope = (end - begin) / length
    reached = end if until >= length else begin + slope * until
    p = reached > 0.0
    sign, step = (1.0, np.float64(cells[row.on, i])) if p else (-1.0, np.float64(cells[row.off, i]))
    if sign * reached < step:
        return True
    if counters[at.events] + i64(sign * reached / step) + 2 > keys.shape[1]:
        return False
    zero, crossing = 0.0, sign * step
    y = i // counters[at.width]
    code = (u64(y) << u64(17)) | (u64(i - y * counters[at.width]) << u64(1)) | u64(p)
    k = counters[at.events]
    while sign * crossing <= sign * reached:
        when = (crossing - begin) / slope if sign * slope > 0.0 else 0.0
        stamp = i64(min(max(when, 0.0), length) + 0.5)
        keys[0, k] = (u64(stamp) << u64(33)) | code
        k += 1
        zero = crossing
        if rest > 0:
            if hold(i, stamp, cells, ready, held, counters):
                counters[at.events] = k
                return True
            zero = begin + slope * (stamp + rest)
        crossing = zero + sign * step
    counters[at.events] = k
    cells[row.reference, i] += f32(zero)
    return True


@inline
def release(cells, ready, held, counters):  # type: ignore[no-untyped-def]
    """Pixels that rested when the frame began: their reference is the level at the end of that time."""
    new, old = counters[at.newest], row.level + row.other - counters[at.newest]
    n, counters[at.held] = counters[at.held], 0
    length = np.float64(counters[at.end] - counters[at.start])
    for k in range(n):
        i = held[k]
        if ready[i] >= counters[at.end]:
            cells[row.reference, i] = cells[new, i]
            held[counters[at.held]] = i
            counters[at.held] += 1
            continue
        left = (counters[at.end] - ready[i]) / length
        level = np.float64(cells[new, i]) - left * (np.float64(cells[new, i]) - np.float64(cells[old, i]))
        cells[row.reference, i] = f32(level - np.float64(cells[row.leak, i]) * (1e-6 * left * length))


@inline
def fall(cells, counters):  # type: ignore[no-untyped-def]
    """References fall by the leak of this frame."""
    reference, leak = cells[row.reference], cells[row.leak]
    seconds = f32(1e-6 * (counters[at.end] - counters[at.start]))
    for i in range(reference.size):
        reference[i] -= leak[i] * seconds


@inline
def compare(cells, flags, counters):  # type: ignore[no-untyped-def]
    """Flag the pixels whose difference reached a threshold."""
    new, reference, on, off = cells[counters[at.newest]], cells[row.reference], cells[row.on], cells[row.off]
    for i in range(new.size):
        difference = new[i] - reference[i]
        flags[i] = np.uint8(difference >= on[i]) | np.uint8(difference <= -off[i])


@inline
def fire(cells, ready, held, flags, keys, counters, numbers):  # type: ignore[no-untyped-def]
    """Events of flagged pixels, from the cursor on; False if there may be no room for them."""
    lines = flags.view(np.uint64)
    length = np.float64(counters[at.end] - counters[at.start])
    jitter = numbers[of.jitter]
    for line in range(counters[at.cursor] // LINE, lines.size):
        if lines[line] == u64(0):
            continue
        for i in range(max(line * LINE, counters[at.cursor]), (line + 1) * LINE):
            if flags[i] == 0:
                continue
            if not cross(i, length, cells, ready, held, keys, counters):
                counters[at.cursor] = i
                return False
            if jitter > 0.0 and cells[row.usual, i] > f32(0.0):
                cells[row.leak, i] = cells[row.usual, i] * f32(_wobble(i, jitter, counters))
    return True


@inline
def _wobble(i, jitter, counters):  # type: ignore[no-untyped-def]
    """What the leak is multiplied with until the pixel fires again: 1 − jitter × a sum of four uniform numbers that is
    nearly normal, and never beyond 3.5 standard deviations."""
    seed, total = random(counters[at.seed], JITTER, counters[at.frames]), 0.0
    for k in range(4):
        total += unit(random(seed, i, k))
    return max(1.0 - jitter * (total - 2.0) * 1.7320508075688772, 0.05)
