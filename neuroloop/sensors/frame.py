"""From one frame to the next in one compiled call: leak, rest, noise, crossings, order of time."""

from __future__ import annotations

from numba import types

from .._numba import compiled_for
from .cells import CELLS, COUNTERS, EVENTS, FLAGS, KEYS, NUMBERS, at, of
from .crossing import compare, fall, fire, release
from .shot_noise import add_noise
from .sorting import put_in_order

BEGIN, NOISE, COMPARE, FIRE = range(4)  # what comes next
HELD, COUNTS = types.int32[::1], types.int64[::1]


@compiled_for(
    types.boolean(CELLS, COUNTS, HELD, FLAGS, KEYS, NUMBERS, COUNTS, COUNTERS, NUMBERS, types.boolean, EVENTS)
)
def advance(cells, ready, held, flags, keys, weights, counts, counters, numbers, leaks, events):  # type: ignore[no-untyped-def]
    """Find the events of this frame; False if they need more room: then the same again with longer `keys` and `events`."""
    if counters[at.stage] == BEGIN:
        counters[at.events] = counters[at.cursor] = 0
        numbers[of.now] = 0.0
        if leaks:
            fall(cells, counters)
        if counters[at.held] > 0:
            release(cells, ready, held, counters)
        counters[at.stage] = NOISE
    if counters[at.stage] == NOISE:
        if numbers[of.rate] > 0.0 and not add_noise(cells, ready, held, keys, weights, counters, numbers):
            return False
        counters[at.stage] = COMPARE
    if counters[at.stage] == COMPARE:
        compare(cells, flags, counters)
        counters[at.cursor], counters[at.stage] = 0, FIRE
    if not fire(cells, ready, held, flags, keys, counters, numbers):
        return False
    put_in_order(keys, counts, counters, events)
    counters[at.stage] = BEGIN
    return True
