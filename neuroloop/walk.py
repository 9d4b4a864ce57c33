"""One control step in one compiled call: three lists of kernels over the rows of one table, called by address."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba

from ._numba import call_kernel, compiled, compiled_in_parallel, f4_at, f8_at, i4_at, i8_at, inline, places
from .rows import HEAD, i32, i64


class Plan(NamedTuple):
    """One control step as int64 numbers: addresses of the pools and the rows, then the three lists of calls."""

    f4: int
    i4: int
    f8: int
    rows: int  # address of int64[n_parts, row_length]
    row_length: int
    calls: int  # address of int64[n_calls, 2]: kernel, part; begin, then step, then end
    n_begin: int
    n_step: int
    n_end: int
    n_steps: int
    n_sources: int = 0  # neurons whose spikes are given from outside
    source_ids: int = 0  # i4[n_sources × n_steps]: where these spikes are copied to
    source_starts: int = 0  # i4[n_steps + 1]


_AT = places(Plan)
OK, UNSORTED, OUT_OF_RANGE, BAD_STARTS = range(4)  # what `tick` says of the spikes it was given


@inline
def _run(plan):  # type: ignore[no-untyped-def]
    f4, i4, f8 = f4_at(plan[_AT.f4]), i4_at(plan[_AT.i4]), f8_at(plan[_AT.f8])
    calls, rows, length = i8_at(plan[_AT.calls]), plan[_AT.rows], 8 * plan[_AT.row_length]
    first, last = plan[_AT.n_begin], plan[_AT.n_begin] + plan[_AT.n_step]
    f8[HEAD.step] = -1.0
    for k in range(first):
        call_kernel(calls[2 * k], f4, i4, i8_at(rows + length * calls[2 * k + 1]), f8)
    for step in range(plan[_AT.n_steps]):
        f8[HEAD.step] = step
        for k in range(first, last):
            call_kernel(calls[2 * k], f4, i4, i8_at(rows + length * calls[2 * k + 1]), f8)
        f8[HEAD.clock] += 1.0
    for k in range(last, last + plan[_AT.n_end]):
        call_kernel(calls[2 * k], f4, i4, i8_at(rows + length * calls[2 * k + 1]), f8)
    f8[HEAD.tick] += 1.0


@compiled
def walk(plan: Any) -> None:
    """Run one control step: `begin` once, `step` n_steps times, `end` once. `plan` is the int64 array of a `Plan`."""
    _run(plan)


@inline
def _take_in(plan, ids, starts):  # type: ignore[no-untyped-def]
    """Copy spikes from outside into the pool, if every step's ids are in range and in order."""
    i4, n, n_steps = i4_at(plan[_AT.i4]), plan[_AT.n_sources], plan[_AT.n_steps]
    to_ids, to_starts = plan[_AT.source_ids], plan[_AT.source_starts]
    verdict = OK
    if starts.size != n_steps + 1 or starts[0] != 0 or starts[n_steps] > ids.size:
        verdict = BAD_STARTS
    else:
        for step in range(n_steps):
            start, stop, before = i64(starts[step]), i64(starts[step + 1]), i64(-1)
            if stop < start or stop > ids.size:
                verdict = BAD_STARTS
                break
            for k in range(start, stop):
                j = i64(ids[k])
                if j < 0 or j >= n:
                    verdict = OUT_OF_RANGE
                elif j <= before and verdict == OK:
                    verdict = UNSORTED
                before = j
                i4[to_ids + k] = i32(j)
            i4[to_starts + step] = i32(start)
        i4[to_starts + n_steps] = i32(starts[n_steps])
    return verdict


@compiled
def tick(plan: Any, ids: Any, starts: Any) -> Any:
    """Run one control step on spikes from outside: those of step k are `ids[starts[k]:starts[k + 1]]`, in rising order.

    Returns what is wrong with them (then nothing was run), or `OK`.
    """
    verdict = _take_in(plan, ids, starts)
    if verdict == OK:
        _run(plan)
    return verdict


@compiled
def take_in(plan: Any, ids: Any, starts: Any) -> Any:
    """Only take the spikes in: for networks with several sources, whose plans differ in nothing else."""
    return _take_in(plan, ids, starts)


@compiled_in_parallel
def walk_all(plans: Any) -> None:
    """Run one control step of every instance: a plan a row. Outermost only: see `facts`, prange and fork."""
    for b in numba.prange(plans.shape[0]):
        _run(plans[b])
