"""STDP whose potentiation is a sum: rows of weights catch up with all postsynaptic spikes at once, without a branch.

Additive pairs and triplets add a_j x at a postsynaptic spike, and x only decays between two arrivals at a row. So all that
neuron j fired meanwhile adds X Σ a_j e^(−t/τ): each neuron keeps that sum, each synapse what it has *seen* of it. Bounds hold
as if every spike had been taken on its own, since between two arrivals a weight only grows. In float32 the sum forgets what
is added late, so it starts anew after a few time constants, for rows that still have a trace.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import call_kernel, i4_at, i8_at, inline, kernel, places
from ..network.wires import fetch_row
from ..rows import HEAD, f32, i32, i64
from .pairing import Pairing, count_spikes, move_frames, notice, num

REACH = 5.0  # time constants after which sums start anew


class Summed(NamedTuple):
    """Row of a projection with summed STDP; symbols that a `Pairing` has as well mean the same."""

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
    sums: int  # f4[n_post]: Σ a_j e^(−t/τ) since `base`
    seen: int  # f4[n_synapses]: what of it the weight has taken in
    taken_in: int  # i4[n_pre]: the generation in which the row took in anything
    generation: int  # i4: how often the sums started anew


at = places(Summed)
assert Summed._fields[: Summed._fields.index("part")] == Pairing._fields[: Pairing._fields.index("part")]


@inline
def start_anew(f4, i4, row, f8):
    """Sums and frames begin with this step."""
    move_frames(f4, row, i64(f8[HEAD.clock]) - i64(f8[row[at.base]]))
    for j in range(row[at.n_post]):
        f4[row[at.sums] + j] = f32(0.0)
    i4[row[at.generation]] += i32(1)
    f8[row[at.base]] = f8[HEAD.clock]


@inline
def add_up(f4, i4, row, first, size, now):
    """Postsynaptic spikes of this step enter the sums."""
    q, sums = row[at.numbers], row[at.sums]
    fade, fade2 = f32(math.exp(-f4[q + num.x_rate] * now)), f32(math.exp(-f4[q + num.y2_rate] * now))
    for k in range(size):
        j = i64(i4[first + k])
        slow = fade2 * f4[row[at.y2] + j] if row[at.y2] != 0 else f32(0.0)
        f4[sums + j] += fade * (f4[q + num.pair_plus] + f4[q + num.triplet_plus] * slow)


@inline
def arrive(f4, i4, row, i, now):
    """Presynaptic traces count a spike. Returns the trace before, what of `seen` still counts, and the depression by y."""
    q, add, x = row[at.numbers], f32(1.0) if row[at.nearest] == 0 else f32(0.0), f4[row[at.x] + i]
    keep, minus = f32(1.0) if i4[row[at.taken_in] + i] == i4[row[at.generation]] else f32(0.0), f4[q + num.pair_minus]
    f4[row[at.x] + i] = add * x + f32(math.exp(f4[q + num.x_rate] * now))
    i4[row[at.taken_in] + i] = i4[row[at.generation]]
    if row[at.x2] != 0:
        frame = math.exp(f4[q + num.x2_rate] * now)
        minus += f4[q + num.triplet_minus] * f32(f4[row[at.x2] + i] / frame)
        f4[row[at.x2] + i] = add * f4[row[at.x2] + i] + f32(frame)
    return x, keep, minus * f32(math.exp(-f4[q + num.y_rate] * now))


@kernel
def settle_dense(f4, i4, row, f8):
    """All rows catch up, and the sums start anew."""
    n, sums, high = row[at.n_post], row[at.sums], f4[row[at.numbers] + num.high]
    for i in range(row[at.n_pre]):
        x, keep = f4[row[at.x] + i], f32(1.0) if i4[row[at.taken_in] + i] == i4[row[at.generation]] else f32(0.0)
        w, seen = row[at.weights] + i * n, row[at.seen] + i * n
        for j in range(n if x > f32(0.0) else 0):
            f4[w + j] = min(f4[w + j] + x * (f4[sums + j] - keep * f4[seen + j]), high)
    start_anew(f4, i4, row, f8)


@kernel
def settle_sparse(f4, i4, row, f8):
    """The same for sparse rows."""
    pointers, targets, high = i8_at(row[at.pointers]), i4_at(row[at.targets]), f4[row[at.numbers] + num.high]
    sums, seen, weights = row[at.sums], row[at.seen], row[at.weights]
    for i in range(row[at.n_pre]):
        x, keep = f4[row[at.x] + i], f32(1.0) if i4[row[at.taken_in] + i] == i4[row[at.generation]] else f32(0.0)
        for p in range(pointers[i], pointers[i + 1] if x > f32(0.0) else pointers[i]):
            f4[weights + p] = min(f4[weights + p] + x * (f4[sums + targets[p]] - keep * f4[seen + p]), high)
    start_anew(f4, i4, row, f8)


@kernel
def travel_dense(f4, i4, row, f8):
    """One step of an all-to-all projection."""
    clock, n, q = i64(f8[HEAD.clock]), row[at.n_post], row[at.numbers]
    if clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.settle], f4, i4, row, f8)
    now, line = clock - i64(f8[row[at.base]]), clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if n_fired > 0:
        add_up(f4, i4, row, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    to, y, sums, low, high = row[at.arrivals], row[at.y], row[at.sums], f4[q + num.low], f4[q + num.high]
    for k in range(size):
        i = i64(i4[first + k])
        x, keep, minus = arrive(f4, i4, row, i, now)
        w, seen = row[at.weights] + i * n, row[at.seen] + i * n
        for j in range(n):
            f4[w + j] = min(f4[w + j] + x * (f4[sums + j] - keep * f4[seen + j]), high)
            f4[seen + j] = f4[sums + j]
        for j in range(n):
            f4[to + j] += f4[w + j]
            f4[w + j] = max(f4[w + j] - minus * f4[y + j], low)
    if size > 0:
        notice(f4, f8, to, n, row[at.part])
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    f8[HEAD.events] += size * n
    f8[HEAD.changes] += size * n + n_fired * row[at.n_pre]


@kernel
def travel_sparse(f4, i4, row, f8):
    """One step of a sparse projection."""
    clock, q = i64(f8[HEAD.clock]), row[at.numbers]
    if clock - f8[row[at.base]] >= row[at.reach]:
        call_kernel(row[at.settle], f4, i4, row, f8)
    now, line = clock - i64(f8[row[at.base]]), clock & row[at.post_mask]
    fired, n_fired = row[at.post_ring] + i4[row[at.post_starts] + line], i64(i4[row[at.post_counts] + line])
    if n_fired > 0:
        add_up(f4, i4, row, fired, n_fired, now)
    line = (clock - row[at.delay]) & row[at.mask]
    first, size = row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])
    to, y, sums, low, high = row[at.arrivals], row[at.y], row[at.sums], f4[q + num.low], f4[q + num.high]
    pointers, targets, weights, seen = i8_at(row[at.pointers]), i4_at(row[at.targets]), row[at.weights], row[at.seen]
    events = i64(0)
    for k in range(size):
        i = i64(i4[first + k])
        x, keep, minus = arrive(f4, i4, row, i, now)
        if k + 1 < size:
            fetch_row(f4, targets, pointers, weights, i64(i4[first + k + 1]), 0)
        events += pointers[i + 1] - pointers[i]
        for p in range(pointers[i], pointers[i + 1]):
            j = i64(targets[p])
            total = f4[sums + j]
            w = min(f4[weights + p] + x * (total - keep * f4[seen + p]), high)
            f4[seen + p] = total
            f4[to + j] += w
            f4[weights + p] = max(w - minus * f4[y + j], low)
    if size > 0:
        notice(f4, f8, to, row[at.n_post], row[at.part])
    if n_fired > 0:
        count_spikes(f4, i4, row, fired, n_fired, now)
    f8[HEAD.events] += events
    f8[HEAD.changes] += 2 * events
