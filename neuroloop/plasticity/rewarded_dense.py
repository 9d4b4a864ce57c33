"""All-to-all rows of `rewarded.py`: touched, paid, and passed by spikes. `write` stands for what a device plugs in."""

from __future__ import annotations

import math

from .._numba import call_kernel, inline
from ..network.devices import write_float as write
from ..rows import HEAD, f32, i32, i64
from .pairing import VANISHED, arrive, count_spikes, event_hash, notice, num
from .rewarded_table import (
    ANSWER,
    LEAST,
    LEFT,
    LITTLE,
    MOST,
    PAID,
    at,
    els,
    has_pairings,
    log_ticks,
    new_log,
    new_table,
    one_by_one,
    owed,
)


@inline
def add_pairings(f4, i4, row, i, begin, end):
    """Eligibility of row i takes in the postsynaptic spikes from log entry `begin` to `end`."""
    x, e = f4[row[at.numbers] + num.pair_plus] * f4[row[at.x] + i], row[at.fresh] + i * row[at.n_post]
    ids, fades = row[at.log_ids], row[at.log_fades]
    if x > f32(0.0) and begin < end:
        i4[row[at.live] + i] = 1
        for k in range(begin, end):
            f4[e + i4[ids + k]] += x * f4[fades + k]


def touch_dense(f4, i4, row, f8, i):
    """Row i is paid what it is owed, and its eligibility brought to the tick in hand."""
    tick, now = i64(i4[row[at.row_ticks] + i]), i64(i4[row[at.n_ticks]])
    begin, n_log = i64(i4[row[at.settled] + i]), i64(i4[row[at.n_log]])
    i4[row[at.row_ticks] + i], i4[row[at.settled] + i] = i32(now), i32(n_log)
    if now - tick > 1:
        pay_long_ago(f4, i4, row, f8, i, tick, now, begin, n_log)
        return
    turn = max(begin, i64(i4[row[at.tick_begin]]))
    if now - tick == 1:
        add_pairings(f4, i4, row, i, begin, turn)
        if i4[row[at.live] + i] != 0:
            pay_latest(f4, i4, row, f8, i)
        begin = turn
    add_pairings(f4, i4, row, i, begin, n_log)


def pay_latest(f4, i4, row, f8, i):
    """w ← write(w, m e) with the latest answer, and e a tick later."""
    n, q, left = row[at.n_post], row[at.numbers], f32(f8[row[at.elapsed] + els.decay])
    low, high, m = f4[q + num.low], f4[q + num.high], f32(f8[row[at.table] + ANSWER + i4[row[at.n_ticks]] - 1])
    a, b, c, d, time = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d], i64(f8[row[at.answered]])
    w, e, stream = row[at.weights] + i * n, row[at.eligibility] + i * n, row[at.stream]
    if row[at.own] == 0:
        for j in range(n):
            x = f4[e + j]
            f4[w + j] = write(f4[w + j], m * x, low, high, a, b, c, d, event_hash(f8, stream, time, i * n + j))
            f4[e + j] = left * x if abs(left * x) > LITTLE else f32(0.0)
    else:
        answers = row[at.answers]
        for j in range(n):
            m, x = f4[answers + j], f4[e + j]
            f4[w + j] = write(f4[w + j], m * x, low, high, a, b, c, d, event_hash(f8, stream, time, i * n + j))
            f4[e + j] = left * x if abs(left * x) > LITTLE else f32(0.0)
    if row[at.fresh] != row[at.eligibility]:
        new = row[at.fresh] + i * n
        for j in range(n):
            f4[e + j] += f4[new + j]
            f4[new + j] = f32(0.0)


@inline
def fade(f4, e, n, left):
    """Eligibility decays; what little is left becomes zero."""
    for j in range(n):
        f4[e + j] = left * f4[e + j] if abs(left * f4[e + j]) > LITTLE else f32(0.0)


@inline
def pay_long_ago(f4, i4, row, f8, i, tick, now, begin, n_log):
    """The same for a row that was not touched for several ticks."""
    n, q, table, x = row[at.n_post], row[at.numbers], row[at.table], f4[row[at.x] + i]
    low, high, w, e, count = f4[q + num.low], f4[q + num.high], row[at.weights] + i * n, row[at.eligibility] + i * n, 0
    vanished = VANISHED * f4[row[at.frames]]  # later entries of a control step have decayed less
    for k in range(begin, n_log):
        if x * f4[row[at.log_fades] + k] < vanished:
            break
        j = i64(i4[row[at.log_ids] + k])
        if i4[row[at.log_chain] + k] < begin:  # its first entry: all of them are taken at once
            new_w, new_e = owed(
                f4, i4, f8, row, f4[w + j], f4[e + j], tick, now, i64(i4[row[at.heads] + j]), begin, x, low, high
            )
            f4[row[at.saved] + 2 * count], f4[row[at.saved] + 2 * count + 1] = new_w, new_e
            i4[row[at.saved_ids] + count] = i32(j)
            count += 1
    if i4[row[at.live] + i] != 0:
        paid, left = f32(f8[table + PAID + tick]), f32(f8[table + LEFT + tick])
        most, least, both = f32(f8[table + MOST + tick]), f32(f8[table + LEAST + tick]), i32(0)
        for j in range(n):  # what is cut off at one bound may be missing at the other
            both |= i32(1) if (most - least) * abs(f4[e + j]) > high - low else i32(0)
        if both != i32(0):
            for j in range(n):
                f4[w + j] = one_by_one(f4, i4, f8, row, f4[w + j], f4[e + j], tick, now, 0, 1, x, low, high)[0]
        else:  # what went beyond a bound on the way was cut off there (reflection at one bound, Skorokhod 1961)
            for j in range(n):
                p, m = most * f4[e + j], least * f4[e + j]
                over, under = max(f4[w + j] + max(p, m) - high, f32(0.0)), max(low - f4[w + j] - min(p, m), f32(0.0))
                f4[w + j] = min(max(f4[w + j] + paid * f4[e + j] - over + under, low), high)
        i4[row[at.live] + i] = 1 if left > f32(VANISHED) else 0
        fade(f4, e, n, left if left > f32(VANISHED) else f32(0.0))
    for k in range(count):
        j = i64(i4[row[at.saved_ids] + k])
        f4[w + j], f4[e + j] = f4[row[at.saved] + 2 * k], f4[row[at.saved] + 2 * k + 1]
        i4[row[at.live] + i] = 1


def settle_dense(f4, i4, row, f8):
    """Every row is touched."""
    for i in range(row[at.n_pre]):
        touch_dense(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)
    new_table(i4, row, f8)


def empty_log_dense(f4, i4, row, f8):
    """Rows are touched that the log holds something for."""
    for i in range(row[at.n_pre]):
        if has_pairings(f4, i4, row, i):
            touch_dense(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)


def travel_dense(f4, i4, row, f8):
    """One step of an all-to-all projection."""
    clock, n = i64(f8[HEAD.clock]), row[at.n_post]
    line = clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if i4[row[at.n_log]] + n_fired > row[at.capacity] or clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.empty_log], f4, i4, row, f8)
    now, to, y = clock - i64(f8[row[at.base]]), row[at.arrivals], row[at.y]
    if n_fired > 0:
        log_ticks(f4, i4, row, f8, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    q = row[at.numbers]
    minus = f4[q + num.pair_minus] * f4[row[at.frames] + i64(f8[HEAD.step])] * f32(math.exp(-f4[q + num.y_rate] * now))
    for k in range(size):
        i = i64(i4[first + k])
        touch_dense(f4, i4, row, f8, i)
        arrive(f4, i4, row, i, now)
        w, e = row[at.weights] + i * n, row[at.fresh] + i * n
        i4[row[at.live] + i] = 1
        for j in range(n):
            f4[to + j] += f4[w + j]
            f4[e + j] -= minus * f4[y + j]
    if size > 0:
        notice(f4, f8, to, n, row[at.part])
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    i4[row[at.arrived]] += i32(size)
    f8[HEAD.events] += size * n
    f8[HEAD.changes] += size * n + n_fired * row[at.n_pre]
