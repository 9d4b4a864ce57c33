"""Events in order of time: a stable counting sort on the µs within the frame, in as many passes as its length asks for."""

from __future__ import annotations

from .._numba import inline
from ..rows import u64
from .cells import at

DIGITS = 12  # bits that a pass can sort by: its counts fit the innermost cache


@inline
def _places(keys, n, shift, mask, counts):  # type: ignore[no-untyped-def]
    """Where the first key of each digit goes."""
    for d in range(mask + u64(1)):
        counts[d] = 0
    for k in range(n):
        counts[(keys[k] >> shift) & mask] += 1
    total = 0
    for d in range(mask + u64(1)):
        total, counts[d] = total + counts[d], total


@inline
def put_in_order(keys, counts, counters, events):  # type: ignore[no-untyped-def]
    """Sort the keys and write them as events."""
    n, start, bits = counters[at.events], counters[at.start], 1
    while (counters[at.end] - start) >> bits:
        bits += 1
    passes = (bits + DIGITS - 1) // DIGITS
    digits = (bits + passes - 1) // passes
    mask = (u64(1) << u64(digits)) - u64(1)
    source = 0
    for done in range(passes - 1):
        shift = u64(33 + done * digits)
        _places(keys[source], n, shift, mask, counts)
        for k in range(n):
            key = keys[source, k]
            d = (key >> shift) & mask
            keys[1 - source, counts[d]] = key
            counts[d] += 1
        source = 1 - source
    shift, n_on = u64(33 + (passes - 1) * digits), 0
    _places(keys[source], n, shift, mask, counts)
    for k in range(n):
        key = keys[source, k]
        d = (key >> shift) & mask
        event = events[counts[d]]
        counts[d] += 1
        event.t_us = start + (key >> u64(33))
        event.x = (key >> u64(1)) & u64(0xFFFF)
        event.y = (key >> u64(17)) & u64(0xFFFF)
        event.p = key & u64(1)
        n_on += key & u64(1)
    counters[at.on] += n_on
    counters[at.off] += n - n_on
