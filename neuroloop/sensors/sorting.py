"""Events in order of time: a stable counting sort on the µs within the frame, in as many passes as its length asks for."""

from __future__ import annotations

from .._numba import inline
from ..rows import i64, u64
from .cells import at, done

DIGITS = 12  # bits that a pass can sort by: its counts fit the innermost cache


@inline
def _places(keys, n, shift, mask, counts):  # type: ignore[no-untyped-def]
    """Where the first key of each digit goes."""
    for d in range(i64(mask) + 1):
        counts[d] = 0
    for k in range(n):
        counts[i64((keys[k] >> shift) & mask)] += 1
    total = i64(0)
    for d in range(i64(mask) + 1):
        total, counts[d] = total + counts[d], total


@inline
def put_in_order(keys, other, counts, counters, progress, events):  # type: ignore[no-untyped-def]
    """Sort the keys, with as much room again, and write them as events."""
    n, start, bits = progress[done.events], counters[at.start], 1
    while (progress[done.end] - start) >> bits:
        bits += 1
    passes = (bits + DIGITS - 1) // DIGITS
    digits = (bits + passes - 1) // passes
    mask, shift = (u64(1) << u64(digits)) - u64(1), u64(33)
    for _ in range(passes - 1):
        _places(keys, n, shift, mask, counts)
        for k in range(n):
            d = i64((keys[k] >> shift) & mask)
            other[counts[d]] = keys[k]
            counts[d] += 1
        keys, other = other, keys
        shift += u64(digits)
    _places(keys, n, shift, mask, counts)
    n_on = i64(0)
    for k in range(n):
        key = keys[k]
        d = i64((key >> shift) & mask)
        event = events[counts[d]]
        counts[d] += 1
        event.t_us = start + i64(key >> u64(33))
        event.x = (key >> u64(1)) & u64(0xFFFF)
        event.y = (key >> u64(17)) & u64(0xFFFF)
        event.p = key & u64(1)
        n_on += i64(key & u64(1))
    counters[at.on] += n_on
    counters[at.off] += n - n_on
