"""From one frame to the next in one compiled call: leak, rest, noise, crossings, order of time."""

from __future__ import annotations

from numba import types

from .._numba import compiled_for, f8_at, i4_at, i8_at, u1_at, u8_at
from ..rows import f32
from .cells import EVENTS, PLAN, at, done, has, lines_of, of, to
from .crossing import compare, compare_leaking, fire, gather, rebase, release, span_of
from .shot_noise import add_noise
from .sorting import put_in_order

BEGIN, NOISE, COMPARE, FIRE = range(4)  # what comes next
REBASE = 1_000_000  # µs
BLOCK = 4096  # pixels that are compared and fire while what they need is in the cache; a multiple of `LINE`


@compiled_for(types.boolean(PLAN, types.boolean, EVENTS))
def advance(plan, leaks, events):  # type: ignore[no-untyped-def]
    """Find the events of this frame; False if they need more room: then the same again with longer `keys` and `events`."""
    shape, numbers = i8_at(plan[to.shape]), f8_at(plan[to.numbers])
    counters, progress = i8_at(plan[to.counters]), i8_at(plan[to.progress])
    ready, held, keys = i8_at(plan[to.ready]), i4_at(plan[to.held]), u8_at(plan[to.keys])
    flags, flagged, size = u1_at(plan[to.flags]), i4_at(plan[to.flagged]), shape[has.size]
    lines = lines_of(plan, shape, counters)
    if counters[at.start] - counters[at.base] >= REBASE:
        if leaks:
            rebase(lines, size, f32(1e-6 * (counters[at.start] - counters[at.base])))
        counters[at.base] = counters[at.start]
    span = span_of(shape, counters, progress)
    if progress[done.stage] == BEGIN:
        progress[done.events] = progress[done.cursor] = 0
        numbers[of.now] = 0.0
        progress[done.held] = release(lines, span, ready, held, progress[done.held])
        progress[done.stage] = NOISE
    if progress[done.stage] == NOISE:
        weights = f8_at(plan[to.weights])
        if numbers[of.rate] > 0.0 and not add_noise(
            lines, span, ready, held, keys, weights, shape, counters, progress, numbers
        ):
            return False
        progress[done.stage], progress[done.block] = COMPARE, 0
    while progress[done.block] < size:
        if progress[done.stage] == COMPARE:
            first = progress[done.block]
            last = min(first + BLOCK, size)
            if leaks:
                compare_leaking(lines, first, last, span.leaks, flags)
            else:
                compare(lines, first, last, flags)
            progress[done.flagged] = gather(flags, u8_at(plan[to.flags]), first, last, flagged)
            progress[done.cursor], progress[done.stage] = 0, FIRE
        if not fire(lines, span, ready, held, flagged, keys, shape, counters, progress, numbers):
            return False
        progress[done.block] += BLOCK
        progress[done.stage] = COMPARE
    other = u8_at(plan[to.keys] + 8 * shape[has.room])
    put_in_order(keys, other, i8_at(plan[to.counts]), counters, progress, events)
    progress[done.stage] = BEGIN
    return True
