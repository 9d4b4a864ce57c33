"""Sparse rows of `rewarded.py`, as `rewarded_dense.py`."""

from __future__ import annotations

import math

from .._numba import call_kernel, i4_at, i8_at
from ..network.devices import write_float as write
from ..network.wires import fetch_row
from ..rows import HEAD, f32, i32, i64
from .pairing import arrive, count_spikes, event_hash, notice, num
from .rewarded_table import ANSWER, LITTLE, at, els, has_pairings, log_ticks, new_log, new_table, owed


def touch_sparse(f4, i4, row, f8, i):
    """The same as `touch_dense` for a sparse row."""
    tick, now, q, x = i64(i4[row[at.row_ticks] + i]), i64(i4[row[at.n_ticks]]), row[at.numbers], f4[row[at.x] + i]
    begin, n_log = i64(i4[row[at.settled] + i]), i64(i4[row[at.n_log]])
    if tick == now and begin == n_log:
        return
    i4[row[at.row_ticks] + i], i4[row[at.settled] + i] = i32(now), i32(n_log)
    low, high, time, stream = f4[q + num.low], f4[q + num.high], i64(f8[row[at.answered]]), row[at.stream]
    a, b, c, d, m = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d], f32(0.0)
    if now > 0:
        m = f32(f8[row[at.table] + ANSWER + now - 1])
    pointers, targets, heads, fades = i8_at(row[at.pointers]), i4_at(row[at.targets]), row[at.heads], row[at.log_fades]
    left, pair = f32(f8[row[at.elapsed] + els.decay]), x * f4[q + num.pair_plus]
    if x == f32(0.0):
        begin = i64(row[at.capacity])
    for p in range(pointers[i], pointers[i + 1]):
        j, w, e = i64(targets[p]), f4[row[at.weights] + p], f4[row[at.eligibility] + p]
        entry = i64(i4[heads + j])
        if now - tick <= 1:
            new, before = f32(0.0), f32(0.0)
            while entry >= begin and i4[row[at.log_ticks] + entry] == now:
                new += pair * f4[fades + entry]
                entry = i64(i4[row[at.log_chain] + entry])
            while entry >= begin:
                before += pair * f4[fades + entry]
                entry = i64(i4[row[at.log_chain] + entry])
            mine = f4[row[at.answers] + j] if row[at.own] != 0 else m
            if row[at.fresh] != row[at.eligibility]:
                before += f4[row[at.fresh] + p]
                if tick < now:
                    w = write(w, mine * e, low, high, a, b, c, d, event_hash(f8, stream, time, p))
                    e, before = left * e + before, f32(0.0)
                f4[row[at.fresh] + p] = before + new
            elif tick < now:
                e += before
                w = write(w, mine * e, low, high, a, b, c, d, event_hash(f8, stream, time, p))
                e = left * e + new
            else:
                e += before + new
        elif e != f32(0.0) or entry >= begin:
            w, e = owed(f4, i4, f8, row, w, e, tick, now, entry, begin, x, low, high)
        f4[row[at.weights] + p], f4[row[at.eligibility] + p] = w, (e if abs(e) > LITTLE else f32(0.0))


def settle_sparse(f4, i4, row, f8):
    """The same for sparse rows."""
    for i in range(row[at.n_pre]):
        touch_sparse(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)
    new_table(i4, row, f8)


def empty_log_sparse(f4, i4, row, f8):
    """The same for sparse rows."""
    for i in range(row[at.n_pre]):
        if has_pairings(f4, i4, row, i):
            touch_sparse(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)


def travel_sparse(f4, i4, row, f8):
    """One step of a sparse projection."""
    clock = i64(f8[HEAD.clock])
    line = clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if i4[row[at.n_log]] + n_fired > row[at.capacity] or clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.settle], f4, i4, row, f8)
    now, to, y, events = clock - i64(f8[row[at.base]]), row[at.arrivals], row[at.y], i64(0)
    if n_fired > 0:
        log_ticks(f4, i4, row, f8, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    q = row[at.numbers]
    minus = f4[q + num.pair_minus] * f4[row[at.frames] + i64(f8[HEAD.step])] * f32(math.exp(-f4[q + num.y_rate] * now))
    pointers, targets, w, e = i8_at(row[at.pointers]), i4_at(row[at.targets]), row[at.weights], row[at.fresh]
    for k in range(size):
        i = i64(i4[first + k])
        if k + 1 < size:
            fetch_row(f4, targets, pointers, w, i64(i4[first + k + 1]), 0)
        touch_sparse(f4, i4, row, f8, i)
        arrive(f4, i4, row, i, now)
        i4[row[at.live] + i] = 1
        events += pointers[i + 1] - pointers[i]
        for p in range(pointers[i], pointers[i + 1]):
            f4[to + targets[p]] += f4[w + p]
            f4[e + p] -= minus * f4[y + targets[p]]
    if size > 0:
        notice(f4, f8, to, row[at.n_post], row[at.part])
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    i4[row[at.arrived]] += i32(size)
    f8[HEAD.events] += events
    f8[HEAD.changes] += 2 * events
