"""The bookkeeping of `rewarded.py`: what rows of weights are owed, and what is left of their eligibility.

A row's eligibility is kept as it will be at the end of the control step in which the row was last touched (its *tick*, an
index of the table). The table says of each tick: what a unit of eligibility from then has been paid in
all, the extremes of that sum on the way, what is left of it by now, and the neuromodulator that answered the tick.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import call_kernel, inline, kernel, places
from ..rows import HEAD, f32, i32, i64
from .pairing import VANISHED, Pairing, log_spikes, move_frames, num

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
    y: int
    y2: int
    base: int
    reach: int
    numbers: int
    nearest: int
    settle: int
    part: int
    settled: int
    log_ids: int
    log_times: int
    log_chain: int
    log_fades: int  # times what is left of a pairing when its control step ends
    log_values: int
    heads: int
    n_log: int
    capacity: int
    chosen: int
    stream: int
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
    answered: int  # f8: the control step that brought the latest answer
    fresh: int  # f4[n_synapses]: pairings of the tick in hand, where the answer comes a control step late; else `eligibility`


class RewardNumbers(NamedTuple):
    """Parameters of a rewarded projection, beside its `Numbers`."""

    rate: float
    decay: float  # of eligibility, a control step


at, els = places(Rewarded), places(RewardNumbers)
assert Rewarded._fields[: len(Pairing._fields)] == Pairing._fields


@inline
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


@inline
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


@inline
def new_log(f4, i4, row, f8):
    """An empty log; no row has pairings in it that it has not taken in."""
    move_frames(f4, row, i64(f8[HEAD.clock]) - i64(f8[row[at.base]]))
    for i in range(row[at.n_pre]):
        i4[row[at.settled] + i] = 0
    for k in range(i4[row[at.n_log]]):
        j = i64(i4[row[at.log_ids] + k])
        i4[row[at.heads] + j] = -1
    i4[row[at.n_log]] = i4[row[at.tick_begin]] = 0
    f8[row[at.base]] = f8[HEAD.clock]


@inline
def new_table(i4, row, f8):
    """The tick in hand becomes the first of the table; all rows were touched in it."""
    for i in range(row[at.n_pre]):
        i4[row[at.row_ticks] + i] = 0
    i4[row[at.n_ticks]] = i4[row[at.oldest]] = 0
    f8[row[at.table] + LEFT] = 1.0
    f8[row[at.table] + PAID] = f8[row[at.table] + MOST] = f8[row[at.table] + LEAST] = 0.0


@inline
def has_pairings(f4, i4, row, i):
    """Whether row i has pairings in the log that it has not taken in."""
    k = i64(i4[row[at.settled] + i])
    return k < i4[row[at.n_log]] and f4[row[at.x] + i] * f4[row[at.log_fades] + k] >= VANISHED * f4[row[at.frames]]


@inline
def answer(f4, i4, row, f8):
    """Note what the modulator pays for the ticks so far, and begin a new one."""
    table, now, oldest = row[at.table], i64(i4[row[at.n_ticks]]), i64(i4[row[at.oldest]])
    rate, decay, modulator = f8[row[at.elapsed] + els.rate], f8[row[at.elapsed] + els.decay], row[at.modulator]
    m = rate * f8[modulator]
    f8[table + ANSWER + now], f8[row[at.answered]] = m, f8[HEAD.tick]
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


@kernel
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


@inline
def log_ticks(f4, i4, row, f8, fired, n_fired, now):
    """Log the postsynaptic spikes of this step, with what will be left of their pairings at the end of the tick."""
    n_log, frame = i64(i4[row[at.n_log]]), f4[row[at.frames] + i64(f8[HEAD.step])]
    log_spikes(f4, i4, row, fired, n_fired, now)
    for k in range(n_log, n_log + n_fired):
        f4[row[at.log_fades] + k] *= frame
        i4[row[at.log_ticks] + k] = i4[row[at.n_ticks]]
