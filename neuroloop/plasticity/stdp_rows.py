"""The kernels of `stdp.py`: rows of weights that catch up, let a spike travel and change, dense or sparse.

`potentiate`, `depress` and `write` stand for what a rule and a device plug in.
"""

from __future__ import annotations

import math

from .._numba import call_kernel, i4_at, i8_at, inline
from ..network.devices import write_float as write
from ..rows import HEAD, f32, i32, i64
from .pairing import arrive, at, count_spikes, event_hash, log_spikes, move_frames, notice, num


def potentiate(w, x, slow, pair, triplet, low, high):
    return x * (pair + triplet * slow)


def depress(w, y, slow, pair, triplet, low, high):
    return -y * (pair + triplet * slow)


def catch_up_dense(f4, i4, row, f8, i, n_log):
    """Pairings of row i with the postsynaptic spikes that it has not seen."""
    q, x, base = row[at.numbers], f4[row[at.x] + i], i64(f8[row[at.base]])
    pair, triplet, low, high = f4[q + num.pair_plus], f4[q + num.triplet_plus], f4[q + num.low], f4[q + num.high]
    a, b, c, d = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d]
    first, begin = row[at.weights] + i * row[at.n_post], i64(i4[row[at.settled] + i])
    for entry in range(begin, n_log if x > f32(0.0) else begin):
        w, time = first + i4[row[at.log_ids] + entry], base + i4[row[at.log_times] + entry]
        dw = potentiate(
            f4[w], x * f4[row[at.log_fades] + entry], f4[row[at.log_values] + entry], pair, triplet, low, high
        )
        h = event_hash(f8, row[at.stream], time, w - row[at.weights])
        f4[w] = write(f4[w], dw, low, high, a, b, c, d, h)


def catch_up_sparse(f4, i4, row, f8, i):
    """The same for a sparse row: the spikes of each postsynaptic neuron, in their order."""
    q, x, base = row[at.numbers], f4[row[at.x] + i], i64(f8[row[at.base]])
    pair, triplet, low, high = f4[q + num.pair_plus], f4[q + num.triplet_plus], f4[q + num.low], f4[q + num.high]
    a, b, c, d = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d]
    chain, times, fades = row[at.log_chain], row[at.log_times], row[at.log_fades]
    values, chosen, heads, stream = row[at.log_values], row[at.chosen], row[at.heads], row[at.stream]
    pointers, targets, begin = i8_at(row[at.pointers]), i4_at(row[at.targets]), i64(i4[row[at.settled] + i])
    for p in range(pointers[i], pointers[i + 1] if x > f32(0.0) else pointers[i]):
        entry, w, count = i64(i4[heads + targets[p]]), f4[row[at.weights] + p], 0
        while entry >= begin:
            i4[chosen + count] = i32(entry)
            count += 1
            entry = i64(i4[chain + entry])
        for k in range(count - 1, -1, -1):
            e = i64(i4[chosen + k])
            dw = potentiate(w, x * f4[fades + e], f4[values + e], pair, triplet, low, high)
            w = write(w, dw, low, high, a, b, c, d, event_hash(f8, stream, base + i4[times + e], p))
        f4[row[at.weights] + p] = w


@inline
def start_anew(f4, i4, row, f8):
    """An empty log; all rows have caught up."""
    move_frames(f4, row, i64(f8[HEAD.clock]) - i64(f8[row[at.base]]))
    for i in range(row[at.n_pre]):
        i4[row[at.settled] + i] = 0
    for j in range(row[at.n_post]):
        i4[row[at.heads] + j] = -1
    i4[row[at.n_log]] = 0
    f8[row[at.base]] = f8[HEAD.clock]


def settle_dense(f4, i4, row, f8):
    for i in range(row[at.n_pre]):
        catch_up_dense(f4, i4, row, f8, i, i64(i4[row[at.n_log]]))
    start_anew(f4, i4, row, f8)


def settle_sparse(f4, i4, row, f8):
    for i in range(row[at.n_pre]):
        catch_up_sparse(f4, i4, row, f8, i)
    start_anew(f4, i4, row, f8)


def travel_dense(f4, i4, row, f8):
    """One step of an all-to-all projection."""
    clock, n = i64(f8[HEAD.clock]), row[at.n_post]
    line = clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if i4[row[at.n_log]] + n_fired > row[at.capacity] or clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.settle], f4, i4, row, f8)
    now, q, to, y = clock - i64(f8[row[at.base]]), row[at.numbers], row[at.arrivals], row[at.y]
    log_spikes(f4, i4, row, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    pair, triplet, low, high = f4[q + num.pair_minus], f4[q + num.triplet_minus], f4[q + num.low], f4[q + num.high]
    a, b, c, d = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d]
    fade_y = f32(math.exp(-f4[q + num.y_rate] * now))
    for k in range(size):
        i = i64(i4[first + k])
        catch_up_dense(f4, i4, row, f8, i, i64(i4[row[at.n_log]]))
        slow, w = arrive(f4, i4, row, i, now), row[at.weights] + i * n
        for j in range(n):
            f4[to + j] += f4[w + j]
            dw = depress(f4[w + j], fade_y * f4[y + j], slow, pair, triplet, low, high)
            f4[w + j] = write(f4[w + j], dw, low, high, a, b, c, d, event_hash(f8, row[at.stream], ~clock, i * n + j))
    if size > 0:
        notice(f4, f8, to, n, row[at.part])
    count_spikes(f4, i4, row, fired, n_fired, now)
    f8[HEAD.events] += size * n
    f8[HEAD.changes] += size * n + n_fired * row[at.n_pre]


def travel_sparse(f4, i4, row, f8):
    """One step of a sparse projection."""
    clock = i64(f8[HEAD.clock])
    line = clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if i4[row[at.n_log]] + n_fired > row[at.capacity] or clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.settle], f4, i4, row, f8)
    now, q, to, y, weights = (
        clock - i64(f8[row[at.base]]),
        row[at.numbers],
        row[at.arrivals],
        row[at.y],
        row[at.weights],
    )
    log_spikes(f4, i4, row, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    pair, triplet, low, high = f4[q + num.pair_minus], f4[q + num.triplet_minus], f4[q + num.low], f4[q + num.high]
    a, b, c, d = f4[q + num.a], f4[q + num.b], f4[q + num.c], f4[q + num.d]
    pointers, targets, stream, events = i8_at(row[at.pointers]), i4_at(row[at.targets]), row[at.stream], i64(0)
    fade_y = f32(math.exp(-f4[q + num.y_rate] * now))
    for k in range(size):
        i = i64(i4[first + k])
        catch_up_sparse(f4, i4, row, f8, i)
        slow = arrive(f4, i4, row, i, now)
        events += pointers[i + 1] - pointers[i]
        for p in range(pointers[i], pointers[i + 1]):
            j, w = i64(targets[p]), f4[weights + p]
            f4[to + j] += w
            dw = depress(w, fade_y * f4[y + j], slow, pair, triplet, low, high)
            f4[weights + p] = write(w, dw, low, high, a, b, c, d, event_hash(f8, stream, ~clock, p))
    if size > 0:
        notice(f4, f8, to, row[at.n_post], row[at.part])
    count_spikes(f4, i4, row, fired, n_fired, now)
    f8[HEAD.events] += events
    f8[HEAD.changes] += 2 * events
