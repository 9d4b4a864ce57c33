"""The kernels of `rewarded.py`: rows of weights and eligibility, dense or sparse. `write` stands for what a device plugs in.

A row's eligibility is kept as it will be at the end of the control step in which the row was last touched (its *tick*, an
index of the table). The table says of each tick since the log began: what a unit of eligibility from then has been paid in
all, the extremes of that sum on the way, what is left of it by now, and the neuromodulator that answered the tick.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import call_kernel, i4_at, i8_at, places
from ..network.devices import write_float as write
from ..network.wires import fetch_row
from ..rows import HEAD, f32, i32, i64
from .pairing import Pairing, event_hash, num
from .stdp_rows import VANISHED, arrive, count_spikes, log_spikes, rebase

TICKS = 512  # of the table
PAID, MOST, LEAST, LEFT, ANSWER = (k * TICKS for k in range(5))
LITTLE = f32(1e-20)  # eligibility that is taken for zero
PER_ARRIVAL, PER_SPIKE = 2, 12  # what putting off costs, in units of touching every synapse: measured


class Rewarded(NamedTuple):
    """Row of a rewarded projection: what a `Pairing` says, and"""

    ring: int
    starts: int
    counts: int
    mask: int
    delay: int
    post_ring: int
    post_starts: int
    post_counts: int
    post_mask: int
    n_pre: int
    n_post: int
    pointers: int
    targets: int
    weights: int
    arrivals: int
    x: int
    x2: int
    settled: int
    y: int
    y2: int
    log_ids: int
    log_times: int
    log_chain: int
    log_fades: int  # times what is left of a pairing when its control step ends
    log_values: int
    heads: int
    head_chain: int
    head_fades: int
    n_log: int
    capacity: int
    chosen: int
    base: int
    reach: int
    numbers: int
    nearest: int
    stream: int
    settle: int
    eligibility: int  # f4[n_synapses]
    row_ticks: int  # i4[n_pre]: when a row was last touched
    live: int  # i4[n_pre]: whether it has any eligibility
    log_ticks: int  # i4[capacity]
    n_ticks: int  # i4: the tick in hand
    tick_begin: int  # i4: log entries when it began
    oldest: int  # i4: the first tick of which any eligibility is left
    arrived: int  # i4: spikes that arrived in this control step
    lazy: int  # 1: rows are always put off, -1: never, 0: by activity
    empty_log: int  # address of the kernel that empties the log
    table: int  # f8[5, TICKS]
    modulator: int  # f8
    own: int  # whether there is one for each postsynaptic neuron
    elapsed: int  # f8[RewardNumbers]
    frames: int  # f4[n_steps]: what is left of a step's pairings when its control step ends
    saved: int  # f4[2, n_post]: scratch
    saved_ids: int  # i4[n_post]: scratch
    answers: int  # f4[n_post]: rate × modulator, if there is one for each postsynaptic neuron
    fresh: int  # f4[n_synapses]: pairings of the tick in hand, where the answer comes a control step late; else `eligibility`


class RewardNumbers(NamedTuple):
    """Parameters of a rewarded projection, beside its `Numbers`."""

    rate: float
    decay: float  # of eligibility, a control step


at, els = places(Rewarded), places(RewardNumbers)
assert Rewarded._fields[: len(Pairing._fields)] == Pairing._fields


def one_by_one(f4, i4, f8, row, w, e, tick, now, entry, begin, x, low, high):
    """A weight and its eligibility, every control step from `tick` to `now` gone through: exact at the bounds."""
    pair, decay = f4[row[at.numbers] + num.pair_plus], f32(f8[row[at.elapsed] + els.decay])
    for t in range(tick, now + 1):
        k = entry
        while k >= begin:
            if i4[row[at.log_ticks] + k] == t:
                e += pair * x * f4[row[at.log_fades] + k]
            k = i64(i4[row[at.log_chain] + k])
        if t < now:
            w = min(max(w + f32(f8[row[at.table] + ANSWER + t]) * e, low), high)
            e *= decay
    return w, e


def owed(f4, i4, f8, row, w, e, tick, now, entry, begin, x, low, high):
    """A weight and its eligibility with all that is owed to them, and with the pairings from log entry `begin` on."""
    pair, table = f4[row[at.numbers] + num.pair_plus], row[at.table]
    first, paid, left, most, least = e, f32(0.0), f32(0.0), f32(0.0), f32(0.0)
    k = entry
    while k >= begin:
        t = i64(i4[row[at.log_ticks] + k])
        pairing = pair * x * f4[row[at.log_fades] + k]
        if t == tick:
            first += pairing
        else:
            up, down = f32(f8[table + MOST + t]) * pairing, f32(f8[table + LEAST + t]) * pairing
            paid, left = paid + f32(f8[table + PAID + t]) * pairing, left + f32(f8[table + LEFT + t]) * pairing
            most, least = most + max(up, down), least + min(up, down)
        k = i64(i4[row[at.log_chain] + k])
    up, down = f32(f8[table + MOST + tick]) * first, f32(f8[table + LEAST + tick]) * first
    most, least = w + most + max(up, down), w + least + min(up, down)
    if most > high or least < low:
        w, e = one_by_one(f4, i4, f8, row, w, e, tick, now, entry, begin, x, low, high)
    else:
        w, e = w + paid + f32(f8[table + PAID + tick]) * first, left + f32(f8[table + LEFT + tick]) * first
    return w, (e if abs(e) > LITTLE else f32(0.0))


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
    a, b, c, d, time = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d], moment(f8)
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


def fade(f4, e, n, left):
    """Eligibility decays; what little is left becomes zero."""
    for j in range(n):
        f4[e + j] = left * f4[e + j] if abs(left * f4[e + j]) > LITTLE else f32(0.0)


def pay_long_ago(f4, i4, row, f8, i, tick, now, begin, n_log):
    """The same for a row that was not touched for several ticks."""
    n, q, table, x = row[at.n_post], row[at.numbers], row[at.table], f4[row[at.x] + i]
    low, high, w, e, count = f4[q + num.low], f4[q + num.high], row[at.weights] + i * n, row[at.eligibility] + i * n, 0
    for k in range(begin, n_log):
        if x * f4[row[at.log_fades] + k] < VANISHED:
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
        for j in range(n):
            p, m = most * f4[e + j], least * f4[e + j]
            both |= i32(1) if f4[w + j] + max(p, m) > high and f4[w + j] + min(p, m) < low else i32(0)
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


def moment(f8):
    """A number for the moment in which a row is paid, which happens at most once in it."""
    return 2 * i64(f8[HEAD.clock]) + (1 if f8[HEAD.step] < 0.0 else 0)


def touch_sparse(f4, i4, row, f8, i):
    """The same as `touch_dense` for a sparse row."""
    tick, now, q, x = i64(i4[row[at.row_ticks] + i]), i64(i4[row[at.n_ticks]]), row[at.numbers], f4[row[at.x] + i]
    begin, n_log = i64(i4[row[at.settled] + i]), i64(i4[row[at.n_log]])
    if tick == now and begin == n_log:
        return
    i4[row[at.row_ticks] + i], i4[row[at.settled] + i] = i32(now), i32(n_log)
    low, high, time, stream = f4[q + num.low], f4[q + num.high], moment(f8), row[at.stream]
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


def new_log(f4, i4, row, f8):
    """An empty log; no row has pairings in it that it has not taken in."""
    now, q = i64(f8[HEAD.clock]) - i64(f8[row[at.base]]), row[at.numbers]
    rebase(f4, row[at.x], row[at.n_pre], f32(math.exp(-f4[q + num.x_rate] * now)))
    rebase(f4, row[at.y], row[at.n_post], f32(math.exp(-f4[q + num.y_rate] * now)))
    for i in range(row[at.n_pre]):
        i4[row[at.settled] + i] = 0
    for k in range(i4[row[at.n_log]]):
        j = i64(i4[row[at.log_ids] + k])
        i4[row[at.heads] + j] = i4[row[at.head_chain] + j] = -1
    i4[row[at.n_log]] = i4[row[at.tick_begin]] = 0
    f8[row[at.base]] = f8[HEAD.clock]


def new_table(i4, row, f8):
    """The tick in hand becomes the first of the table; all rows were touched in it."""
    for i in range(row[at.n_pre]):
        i4[row[at.row_ticks] + i] = 0
    i4[row[at.n_ticks]] = i4[row[at.oldest]] = 0
    f8[row[at.table] + LEFT] = 1.0
    f8[row[at.table] + PAID] = f8[row[at.table] + MOST] = f8[row[at.table] + LEAST] = 0.0


def has_pairings(f4, i4, row, i):
    """Whether row i has pairings in the log that it has not taken in."""
    k = i64(i4[row[at.settled] + i])
    return k < i4[row[at.n_log]] and f4[row[at.x] + i] * f4[row[at.log_fades] + k] >= VANISHED


def answer(f4, i4, row, f8):
    """Note what the modulator pays for the ticks so far, and begin a new one."""
    table, now, oldest = row[at.table], i64(i4[row[at.n_ticks]]), i64(i4[row[at.oldest]])
    rate, decay, modulator = f8[row[at.elapsed] + els.rate], f8[row[at.elapsed] + els.decay], row[at.modulator]
    m = rate * f8[modulator]
    f8[table + ANSWER + now] = m
    for t in range(oldest, now + 1):
        f8[table + PAID + t] += m * f8[table + LEFT + t]
        f8[table + MOST + t] = max(f8[table + MOST + t], f8[table + PAID + t])
        f8[table + LEAST + t] = min(f8[table + LEAST + t], f8[table + PAID + t])
        f8[table + LEFT + t] *= decay
    while oldest < now and f8[table + LEFT + oldest] < VANISHED:
        f8[table + LEFT + oldest] = 0.0
        oldest += 1
    f8[table + LEFT + now + 1] = 1.0
    f8[table + PAID + now + 1] = f8[table + MOST + now + 1] = f8[table + LEAST + now + 1] = 0.0
    i4[row[at.n_ticks]], i4[row[at.tick_begin]], i4[row[at.arrived]] = i32(now + 1), i4[row[at.n_log]], 0
    i4[row[at.oldest]] = i32(oldest)
    if row[at.own] != 0:
        for j in range(row[at.n_post]):
            f4[row[at.answers] + j] = f32(rate * f8[modulator + j])


def reward(f4, i4, row, f8):
    """A control step begins: what is left of the one before is settled, and its answer noted.

    All rows are touched if that is cheaper than to pick those that spikes come to, or if the table is full.
    """
    n_pre, n_post = row[at.n_pre], row[at.n_post]
    fired, arrived = i64(i4[row[at.n_log]]) - i4[row[at.tick_begin]], i64(i4[row[at.arrived]])
    many = PER_ARRIVAL * arrived * n_post + PER_SPIKE * fired * n_pre > n_pre * n_post
    if (many and row[at.lazy] == 0) or row[at.lazy] < 0 or i4[row[at.n_ticks]] + 2 >= TICKS:
        call_kernel(row[at.settle], f4, i4, row, f8)
    elif 2 * i4[row[at.n_log]] >= row[at.capacity]:
        call_kernel(row[at.empty_log], f4, i4, row, f8)
    answer(f4, i4, row, f8)


def settle_dense(f4, i4, row, f8):
    """Every row is touched."""
    for i in range(row[at.n_pre]):
        touch_dense(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)
    new_table(i4, row, f8)


def settle_sparse(f4, i4, row, f8):
    """The same for sparse rows."""
    for i in range(row[at.n_pre]):
        touch_sparse(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)
    new_table(i4, row, f8)


def empty_log_dense(f4, i4, row, f8):
    """Rows are touched that the log holds something for."""
    for i in range(row[at.n_pre]):
        if has_pairings(f4, i4, row, i):
            touch_dense(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)


def empty_log_sparse(f4, i4, row, f8):
    """The same for sparse rows."""
    for i in range(row[at.n_pre]):
        if has_pairings(f4, i4, row, i):
            touch_sparse(f4, i4, row, f8, i)
    new_log(f4, i4, row, f8)


def log_ticks(f4, i4, row, f8, fired, n_fired, now):
    """Log the postsynaptic spikes of this step, with what will be left of their pairings at the end of the tick."""
    n_log, frame = i64(i4[row[at.n_log]]), f4[row[at.frames] + i64(f8[HEAD.step])]
    log_spikes(f4, i4, row, fired, n_fired, now)
    for k in range(n_log, n_log + n_fired):
        f4[row[at.log_fades] + k] *= frame
        i4[row[at.log_ticks] + k] = i4[row[at.n_ticks]]


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
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    i4[row[at.arrived]] += i32(size)
    f8[HEAD.events] += size * n
    f8[HEAD.changes] += size * n + n_fired * row[at.n_pre]


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
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    i4[row[at.arrived]] += i32(size)
    f8[HEAD.events] += events
    f8[HEAD.changes] += 2 * events
