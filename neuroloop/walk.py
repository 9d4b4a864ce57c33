"""One control step in one compiled call: three lists of kernels over the rows of one table, called by address."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
from numba import types

from ._numba import (
    call_kernel,
    called,
    compiled,
    compiled_for,
    compiled_in_parallel,
    f4_at,
    f8_at,
    i4_at,
    i8_at,
    inline,
    places,
)
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
    source: int = 0  # address of the row whose axon takes spikes from outside; 0: none
    output: int = 0  # address of the row whose spikes are handed out; 0: none
    output_ids: int = 0  # address of int32[n × n_steps]
    output_offsets: int = 0  # address of int32[n_steps + 1]


_AT = places(Plan)
OK, BAD_OFFSETS, OUT_OF_RANGE, UNSORTED, TOO_MANY, NO_SOURCE, BAD_REWARD, FULL, FAULT = range(9)  # what `tick` says
BAD_OBSERVATION = 9
MOST = 1e100  # observations beyond this would overflow their own statistics
_PLAN, _SPIKES = types.int64[::1], types.Array(types.int32, 1, "C", readonly=True)  # read-only or not


@inline
def _run(plan):  # type: ignore[no-untyped-def]
    f4, i4, f8 = f4_at(plan[_AT.f4]), i4_at(plan[_AT.i4]), f8_at(plan[_AT.f8])
    calls, rows, length = i8_at(plan[_AT.calls]), plan[_AT.rows], 8 * plan[_AT.row_length]
    first, last = plan[_AT.n_begin], plan[_AT.n_begin] + plan[_AT.n_step]
    f8[HEAD.spikes_before], f8[HEAD.events_before] = f8[HEAD.spikes], f8[HEAD.events]
    f8[HEAD.updates_before], f8[HEAD.changes_before] = f8[HEAD.updates], f8[HEAD.changes]
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
def _take_in(plan, ids, offsets):  # type: ignore[no-untyped-def]
    """Copy spikes from outside into the source's axon, if every step's ids are in range and rising."""
    i4, f8, row, n_steps = i4_at(plan[_AT.i4]), f8_at(plan[_AT.f8]), i8_at(plan[_AT.source]), plan[_AT.n_steps]
    n, ring, starts, counts, mask, state, room = row[0], row[1], row[2], row[3], row[4], row[5], row[6]
    now, total = i64(f8[HEAD.clock]), i64(0)
    if offsets.size == n_steps + 1 and offsets[0] == 0:
        total = i64(offsets[n_steps])
    verdict = OK if 0 < offsets.size == n_steps + 1 and offsets[0] == 0 and total <= ids.size else BAD_OFFSETS
    begin = i64(i4[state])
    if begin + total > room:
        begin = i64(0)
    for step in range(n_steps if verdict == OK else 0):
        start, stop, before = i64(offsets[step]), i64(offsets[step + 1]), i64(-1)
        if not start <= stop <= total:
            verdict = BAD_OFFSETS
            break
        for k in range(start, stop):
            j = i64(ids[k])
            if j < 0 or j >= n:
                verdict = OUT_OF_RANGE
            elif j <= before and verdict == OK:
                verdict = UNSORTED
            before = j
    if verdict == OK and i4[state + 1] + 2 * total > room:
        verdict = TOO_MANY
    if verdict == OK:
        for k in range(total):
            i4[ring + begin + k] = i32(ids[k])
        for step in range(n_steps):
            line, size = (now + step) & mask, i32(offsets[step + 1] - offsets[step])
            i4[state + 1] += size - i4[counts + line]
            i4[starts + line], i4[counts + line] = i32(begin + offsets[step]), size
        i4[state] = i32(begin + total)
    return verdict


@inline
def _hand_out(plan):  # type: ignore[no-untyped-def]
    """Copy the spikes of the control step that just ended out of the output's axon."""
    i4, f8, row, n_steps = i4_at(plan[_AT.i4]), f8_at(plan[_AT.f8]), i8_at(plan[_AT.output]), plan[_AT.n_steps]
    ids, offsets = i4_at(plan[_AT.output_ids]), i4_at(plan[_AT.output_offsets])
    now, count = i64(f8[HEAD.clock]) - n_steps, i32(0)
    for step in range(n_steps):
        line = (now + step) & row[4]
        first = row[1] + i4[row[2] + line]
        for k in range(i4[row[3] + line]):
            ids[count] = i4[first + k]
            count += i32(1)
        offsets[step + 1] = count


@inline
def _tick(plan, ids, offsets, reward):  # type: ignore[no-untyped-def]
    verdict, f8 = OK, f8_at(plan[_AT.f8])
    if reward - reward != 0.0:
        verdict = BAD_REWARD
    elif plan[_AT.source] != 0:
        verdict = _take_in(plan, ids, offsets)
    elif offsets[offsets.size - 1] != 0:
        verdict = NO_SOURCE
    if verdict == OK:
        f8[HEAD.reward] = reward
        _run(plan)
        if plan[_AT.output] != 0:
            _hand_out(plan)
        if f8[HEAD.full] != 0.0:
            verdict = FULL
        if f8[HEAD.fault] != 0.0:
            verdict = FAULT
    return verdict


@compiled_for(types.int64(_PLAN, _SPIKES, _SPIKES, types.float64))
def tick(plan: Any, ids: Any, offsets: Any, reward: Any) -> Any:
    """Run one control step on spikes from outside. Returns what is wrong with them (then nothing was run), or `OK`."""
    return _tick(plan, ids, offsets, reward)


@compiled_for(types.int64(_PLAN, _SPIKES, _SPIKES))
def take_in(plan: Any, ids: Any, offsets: Any) -> Any:
    """Only take spikes in, for networks with several sources: their plans differ in the source."""
    return _take_in(plan, ids, offsets)


@compiled
def advance(plan: Any, sources: Any, ids: Any, offsets: Any, n_ticks: Any) -> Any:
    """Run control steps until `n_ticks` are done, a monitor is full or something is at fault: how many.

    `sources`: plans that each take in the same spikes at every control step; silence, mostly.
    """
    f8, done = f8_at(plan[_AT.f8]), i64(0)
    f8[HEAD.reward] = 0.0
    while done < n_ticks and f8[HEAD.full] == 0.0 and f8[HEAD.fault] == 0.0:
        for k in range(sources.shape[0]):
            _take_in(sources[k], ids, offsets)
        _run(plan)
        done += 1
    return done


@compiled
def call_all(plan: Any, kernels: Any, parts: Any) -> None:
    """Call kernels on parts outside of any control step, such as those that bring weights up to date."""
    f4, i4, f8 = f4_at(plan[_AT.f4]), i4_at(plan[_AT.i4]), f8_at(plan[_AT.f8])
    for k in range(kernels.size):
        call_kernel(kernels[k], f4, i4, i8_at(plan[_AT.rows] + 8 * plan[_AT.row_length] * parts[k]), f8)


@called
def _tick_apart(plan, ids, offsets, reward):  # type: ignore[no-untyped-def]
    return _tick(plan, ids, offsets, reward)


@compiled_in_parallel
def tick_all(plans: Any, ids: Any, offsets: Any, rewards: Any, verdicts: Any) -> None:
    """`tick` for every instance: rows of all arguments are instances. Outermost only: see `facts`, prange and fork."""
    for b in numba.prange(plans.shape[0]):
        verdicts[b] = _tick_apart(plans[b], ids[b], offsets[b], rewards[b])


class Door(NamedTuple):
    """Where in its pools an agent's network takes an observation in, and has its TD error."""

    observation: int  # f8[size]
    size: int
    error: int  # f8: the TD error


_DOOR = places(Door)


@inline
def _decide(plan, door, observation, told):  # type: ignore[no-untyped-def]
    """One control step of an agent, unless its observation cannot be used; `told`: reward, first and fresh."""
    f8, verdict = f8_at(plan[_AT.f8]), OK
    for d in range(door[_DOOR.size]):
        if not abs(observation[d]) < MOST:
            verdict = BAD_OBSERVATION
    if verdict == OK:
        for d in range(door[_DOOR.size]):
            f8[door[_DOOR.observation] + d] = observation[d]
        f8[HEAD.reward], f8[HEAD.first], f8[HEAD.fresh], f8[HEAD.ended] = told[0], told[1], told[2], 0.0
        _run(plan)
        error = f8[door[_DOOR.error]]
        if error - error != 0.0:
            verdict = FAULT
    return verdict


@compiled
def decide(who: Any, plans: Any, doors: Any, observations: Any, told: Any, verdicts: Any) -> None:
    """A control step of the agents `who`. Rows of all other arguments are agents, each with its own pools and parts."""
    for k in range(who.size):
        b = who[k]
        verdicts[b] = _decide(plans[b], doors[b], observations[b], told[b])


@compiled_for(
    types.int64(_PLAN, types.int64, types.Array(types.float64, 1, "C", readonly=True), types.boolean, types.int64)
)
def encode(plan: Any, place: Any, observation: Any, first: Any, tick: Any) -> Any:
    """A control step of an encoder by itself, unless its observation cannot be used; `place` is where that goes.

    `tick`: the number of the control step; below 0, the one after the last.
    """
    f8 = f8_at(plan[_AT.f8])
    for d in range(observation.size):
        if not abs(observation[d]) < MOST:
            return BAD_OBSERVATION
    for d in range(observation.size):
        f8[place + d] = observation[d]
    if tick >= 0:
        f8[HEAD.tick], f8[HEAD.clock] = tick, tick * plan[_AT.n_steps]
    f8[HEAD.first] = f8[HEAD.fresh] = 1.0 if first else 0.0
    _run(plan)
    return OK
