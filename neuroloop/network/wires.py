"""How spikes travel: projections whose weights stay as they are, each a kernel that adds weights to what arrives.

A spike that was fired in step k and takes `delay` steps arrives at the end of step k + delay, and moves its target from the
next step on. Cost follows the spikes: nothing is done for neurons that are silent.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import i4_at, i8_at, inline, kernel, places, prefetch
from ..rows import HEAD, f32, i32, i64

LINE, FETCHED = 16, 128  # numbers in a cache line; numbers of a row that are fetched ahead


class Wire(NamedTuple):
    """Row of a projection without plasticity."""

    ring: int  # of the presynaptic axon
    starts: int
    counts: int
    mask: int
    delay: int  # steps
    n_post: int
    arrivals: int  # f4[n_post]
    weights: int  # f4[n_synapses], or f4[1] if uniform
    uniform: int  # whether all synapses share one weight
    gains: int  # f4[n_pre], by place in the line: short-term plasticity; -1: none
    pointers: int  # address of int64[n_pre + 1], of sparse rows
    targets: int  # address of int32[n_synapses]


at = places(Wire)


@inline
def arriving(f8, i4, row):  # type: ignore[no-untyped-def]
    """Where the ids lie in the int32 pool that arrive in this step, and how many."""
    line = (i64(f8[HEAD.clock]) - row[at.delay]) & row[at.mask]
    return row[at.ring] + i4[row[at.starts] + line], i64(i4[row[at.counts] + line])


@kernel
def dense(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """All-to-all."""
    first, size = arriving(f8, i4, row)
    n, to, w, gains = row[at.n_post], row[at.arrivals], row[at.weights], row[at.gains]
    f8[HEAD.events] += size * n
    if row[at.uniform] != 0:
        total = f32(0.0)
        for a in range(size):
            total += f4[w] * (f4[gains + a] if gains >= 0 else f32(1.0))
        if size > 0:
            for j in range(n):
                f4[to + j] += total
        return
    done = i64(0)
    while gains < 0 and done + 4 <= size:  # four rows at a time load and store the arrivals once
        a, b = w + i4[first + done] * n, w + i4[first + done + 1] * n
        c, d = w + i4[first + done + 2] * n, w + i4[first + done + 3] * n
        for j in range(n):
            f4[to + j] += (f4[a + j] + f4[b + j]) + (f4[c + j] + f4[d + j])
        done += 4
    for k in range(done, size):
        a, gain = w + i4[first + k] * n, f4[gains + k] if gains >= 0 else f32(1.0)
        for j in range(n):
            f4[to + j] += gain * f4[a + j]


@inline
def fetch_row(f4, targets, pointers, w, i, uniform):  # type: ignore[no-untyped-def]
    """Have the beginning of row i fetched while the row before is worked on."""
    for p in range(pointers[i], min(pointers[i + 1], pointers[i] + FETCHED), LINE):
        prefetch(targets, p)
        if uniform == 0:
            prefetch(f4, w + p)


@kernel
def sparse(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Rows of some targets each."""
    first, size = arriving(f8, i4, row)
    if size == 0:
        return
    to, w, uniform, gains = row[at.arrivals], row[at.weights], row[at.uniform], row[at.gains]
    pointers, targets, events = i8_at(row[at.pointers]), i4_at(row[at.targets]), i64(0)
    for a in range(size):
        i = i64(i4[first + a])
        start, stop = pointers[i], pointers[i + 1]
        events += stop - start
        if a + 1 < size:
            fetch_row(f4, targets, pointers, w, i64(i4[first + a + 1]), uniform)
        gain = f4[gains + a] if gains >= 0 else f32(1.0)
        if uniform != 0:
            one = gain * f4[w]
            for p in range(start, stop):
                f4[to + targets[p]] += one
        else:
            for p in range(start, stop):
                f4[to + targets[p]] += gain * f4[w + p]
    f8[HEAD.events] += events


@kernel
def one_to_one(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Neuron i to neuron i."""
    first, size = arriving(f8, i4, row)
    to, w, gains = row[at.arrivals], row[at.weights], row[at.gains]
    step = 1 - row[at.uniform]
    for a in range(size):
        i = i64(i4[first + a])
        f4[to + i] += f4[w + i * step] * (f4[gains + a] if gains >= 0 else f32(1.0))
    f8[HEAD.events] += size


@kernel
def all_to_others(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Everybody gets what all fired, less what came from itself."""
    first, size = arriving(f8, i4, row)
    if size == 0:
        return
    to, w, gains, n = row[at.arrivals], f4[row[at.weights]], row[at.gains], row[at.n_post]
    total = f32(0.0)
    for a in range(size):
        own = w * (f4[gains + a] if gains >= 0 else f32(1.0))
        total += own
        f4[to + i4[first + a]] -= own
    for j in range(n):
        f4[to + j] += total
    f8[HEAD.events] += size * (n - 1)


class Window(NamedTuple):
    """Row of a convolution: a wire, and"""

    ring: int
    starts: int
    counts: int
    mask: int
    delay: int
    n_post: int
    arrivals: int
    weights: int  # f4[channels, kernel height, kernel width, filters]
    uniform: int
    gains: int
    height: int
    width: int
    filters: int
    kernel_height: int
    kernel_width: int
    stride: int
    padding: int
    height_out: int
    width_out: int


of = places(Window)


@kernel
def convolution(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Each spike adds the kernel, turned around, to the outputs whose window it lies in."""
    first, size = arriving(f8, i4, row)
    height, width, filters, stride = row[of.height], row[of.width], row[of.filters], row[of.stride]
    high, wide, h_out, w_out = row[of.kernel_height], row[of.kernel_width], row[of.height_out], row[of.width_out]
    plane, events = h_out * w_out, i64(0)
    for a in range(size):
        i, gain = i64(i4[first + a]), f4[row[of.gains] + a] if row[of.gains] >= 0 else f32(1.0)
        channel, y, x = i // (height * width), i // width % height + row[of.padding], i % width + row[of.padding]
        for ky in range(high):
            if (y - ky) % stride != 0 or y < ky or (y - ky) // stride >= h_out:
                continue
            for kx in range(wide):
                if (x - kx) % stride != 0 or x < kx or (x - kx) // stride >= w_out:
                    continue
                to = row[of.arrivals] + (y - ky) // stride * w_out + (x - kx) // stride
                w = row[of.weights] + ((channel * high + ky) * wide + kx) * filters
                for f in range(filters):
                    f4[to + f * plane] += gain * f4[w + f]
                events += filters
    f8[HEAD.events] += events


class Wheel(NamedTuple):
    """Row of a sparse projection with a delay for each synapse: a wire, and

    Within a row, synapses are sorted by delay; those of one delay are a segment. A spike on its way is an entry that waits
    in the wheel's slot for the step in which its next segment is due: cost and memory follow spikes.
    """

    ring: int
    starts: int
    counts: int
    mask: int
    delay: int  # 0
    n_post: int
    arrivals: int
    weights: int
    uniform: int
    gains: int  # f4[n_pre], by place in the line; copied into `carried`
    pointers: int  # address of int64[n_pre + 1]: a neuron's segments
    targets: int
    segments: int  # address of int64[n_segments + 1]: where a segment's synapses begin
    delays: int  # address of int32[n_segments]: steps
    slots: int  # i4[wheel_mask + 1]: 1 + first entry of a slot
    wheel_mask: int
    cursor: int  # i4[capacity]: the segment that an entry waits for
    last: int  # i4[capacity]: and the one after its last
    chain: int  # i4[capacity]: 1 + the next entry of a slot, or of the free ones
    carried: int  # f4[capacity]: gain
    free: int  # i4[2]: 1 + first free entry, and how many entries were ever used
    capacity: int
    part: int


on = places(Wheel)


@kernel
def wheel(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Spikes of this step set out; what is due in this step arrives."""
    first, size = arriving(f8, i4, row)
    now, free = i64(f8[HEAD.clock]), row[on.free]
    pointers, segments = i8_at(row[on.pointers]), i8_at(row[on.segments])
    targets, delays = i4_at(row[on.targets]), i4_at(row[on.delays])
    for a in range(size):
        i = i64(i4[first + a])
        if pointers[i] == pointers[i + 1]:
            continue
        entry = i64(i4[free]) - 1
        if entry >= 0:
            i4[free] = i4[row[on.chain] + entry]
        elif i4[free + 1] < row[on.capacity]:
            entry = i64(i4[free + 1])
            i4[free + 1] += i32(1)
        else:
            f8[HEAD.fault] = row[on.part]
            break
        i4[row[on.cursor] + entry], i4[row[on.last] + entry] = i32(pointers[i]), i32(pointers[i + 1])
        f4[row[on.carried] + entry] = f4[row[on.gains] + a] if row[on.gains] >= 0 else f32(1.0)
        slot = row[on.slots] + ((now + delays[pointers[i]]) & row[on.wheel_mask])
        i4[row[on.chain] + entry], i4[slot] = i4[slot], i32(entry + 1)
    due = row[on.slots] + (now & row[on.wheel_mask])
    entry, events = i64(i4[due]) - 1, i64(0)
    i4[due] = 0
    while entry >= 0:
        following, segment = i64(i4[row[on.chain] + entry]) - 1, i64(i4[row[on.cursor] + entry])
        gain = f4[row[on.carried] + entry]
        for p in range(segments[segment], segments[segment + 1]):
            f4[row[on.arrivals] + targets[p]] += gain * f4[row[on.weights] + p * (1 - row[on.uniform])]
        events += segments[segment + 1] - segments[segment]
        if segment + 1 < i4[row[on.last] + entry]:
            i4[row[on.cursor] + entry] = i32(segment + 1)
            slot = row[on.slots] + ((now + delays[segment + 1] - delays[segment]) & row[on.wheel_mask])
            i4[row[on.chain] + entry], i4[slot] = i4[slot], i32(entry + 1)
        else:
            i4[row[on.chain] + entry], i4[free] = i4[free], i32(entry + 1)
        entry = following
    f8[HEAD.events] += events
