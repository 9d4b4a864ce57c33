"""Compiled parts of `EventEncoder`: events are checked, assigned to bins, thinned to a budget and turned into spikes.

An event at t of the window (start, start + W] belongs to step ⌈(t − start) n_steps / W⌉ − 1, one at its very beginning to the
first. Of more events than the budget, those pass that `sensors.thinning` says.
"""

from __future__ import annotations

import numba
from numba import types

from .._numba import compiled_for, inline
from ..rows import i32, i64
from ..sensors.thinning import passes as may_pass
from ..types import EVENT

INSIDE, UNSORTED, OUTSIDE = range(3)  # what `inspect` says
SEARCH = 16  # looking at so many counts takes as long as sorting a number
_EVENTS = types.Array(numba.from_dtype(EVENT), 1, "C", readonly=True)
_TABLE, _LIST = types.Array(types.int32, 2, "C"), types.Array(types.int32, 1, "C")


@compiled_for(types.UniTuple(types.int64, 3)(_EVENTS, _TABLE, _TABLE, _TABLE))
def inspect(events, columns, rows, first):  # type: ignore[no-untyped-def]
    """What is wrong with events, at which of them; and how many a region takes."""
    taken, before = i64(0), i64(-(2**63))
    for k in range(events.size):
        event = events[k]
        if event.t_us < before:
            return i64(UNSORTED), i64(k), taken
        if event.x >= columns.shape[1] or event.y >= rows.shape[1] or event.p > 1:
            return i64(OUTSIDE), i64(k), taken
        before = event.t_us
        for r in range(first.shape[0]):
            if columns[r, event.x] >= 0 and rows[r, event.y] >= 0 and first[r, event.p] >= 0:
                taken += 1
                break
    return i64(INSIDE), i64(-1), taken


@inline
def _in_order(fired, counts, per_spike):  # type: ignore[no-untyped-def]
    """Neurons of one step by number, their counts taken off: found anew among all where that is cheaper than sorting."""
    if SEARCH * fired.size < counts.size:
        fired.sort()
        for i in range(fired.size):
            counts[fired[i]] %= i32(per_spike)
        return
    i = 0
    for neuron in range(counts.size):
        if counts[neuron] >= per_spike:
            counts[neuron] %= i32(per_spike)
            fired[i] = i32(neuron)
            i += 1


@compiled_for(
    types.int64(
        _EVENTS, _TABLE, _TABLE, _LIST, _TABLE, types.int64, types.int64, types.int64, types.int64, types.int64,
        _LIST, _LIST, _LIST,
    )
)  # fmt: skip
def pool(  # type: ignore[no-untyped-def]
    events, columns, rows, across, first, taken, budget, start, window, per_spike, counts, ids, offsets
):
    """Write the spikes of one control step; returns how many events were dropped. `counts`: events of each bin so far."""
    k, j, kept, n_spikes, n_steps = i64(0), i64(0), i64(0), i64(0), i64(offsets.size - 1)
    for step in range(n_steps):
        begin, last_us = n_spikes, start + (step + 1) * window // n_steps
        while k < events.size and events[k].t_us <= last_us:
            event, passes, counted = events[k], True, False
            k += 1
            for r in range(first.shape[0]):
                column, line, base = i64(columns[r, event.x]), i64(rows[r, event.y]), i64(first[r, event.p])
                if column < 0 or line < 0 or base < 0:
                    continue
                if not counted:
                    passes = budget >= taken or may_pass(j, budget, taken)
                    counted = True
                    j += 1
                    kept += i64(passes)
                if passes:
                    neuron = base + line * across[r] + column
                    counts[neuron] += i32(1)
                    if counts[neuron] == per_spike:
                        ids[n_spikes] = i32(neuron)
                        n_spikes += 1
        _in_order(ids[begin:n_spikes], counts, per_spike)
        offsets[step + 1] = i32(n_spikes)
    return taken - kept
