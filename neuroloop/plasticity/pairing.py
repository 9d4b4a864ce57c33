"""What pairings of spikes are made from: traces, and a log of postsynaptic spikes that rows of weights catch up with.

Nobody walks the columns of a weight matrix. A postsynaptic spike is only logged; a row of weights is brought up to date when
the next spike of its presynaptic neuron arrives, or when the log is full, or when somebody wants to read weights.

Traces are kept in the frame of the moment at which the log began: a spike at time t adds e^(t/τ) to X, the log notes e^(−t/τ)
with a postsynaptic spike, and their product is the trace x at that spike. Nothing decays in a step, nothing is looked up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from .._numba import Kernel, inline, places
from ..graph import Arena, Graph, Shared
from ..rows import HEAD, f32, i32, i64, mixed, u64

if TYPE_CHECKING:
    from ..network.projection import Wired

REACH = 40.0  # time constants after which the log starts anew: e^40 leaves room in a float32
VANISHED = f32(1e-7)  # of a spike: a trace that small is taken for zero
LARGEST = f32(3e38)
PER_NEURON = 8  # log entries for each postsynaptic neuron


class Pairing(NamedTuple):
    """Row of a plastic projection. Rows of other rules agree with it up to `part`, so that helpers serve all of them."""

    ring: int  # of the presynaptic axon
    starts: int
    counts: int
    mask: int
    delay: int
    post_ring: int  # of the postsynaptic axon
    post_starts: int
    post_counts: int
    post_mask: int
    n_pre: int
    n_post: int
    pointers: int  # address of int64[n_pre + 1]
    targets: int  # address of int32[n_synapses]
    weights: int  # f4[n_synapses]
    arrivals: int  # f4[n_post]
    x: int  # f4[n_pre]: presynaptic traces, times e^((now − base) dt/τ)
    x2: int  # f4[n_pre]: slower ones; 0: none
    y: int  # f4[n_post]: postsynaptic traces, in their frame as well
    y2: int  # f4[n_post]: slower ones; 0: none
    base: int  # f8: the step in which the log began
    reach: int  # steps after which it begins anew
    numbers: int  # f4[Numbers]
    nearest: int  # whether traces are set to 1 instead of adding up
    settle: int  # address of the kernel that brings all weights up to date
    part: int  # 1 + the number of this part
    settled: int  # i4[n_pre]: log entries that the row has caught up with
    log_ids: int  # i4[capacity]: who fired
    log_times: int  # i4[capacity]: in which step since `base`
    log_chain: int  # i4[capacity]: the entry before of the same neuron, or -1
    log_fades: int  # f4[capacity]: e^(−(time − base) dt/τ)
    log_values: int  # f4[capacity]: what the rule wants to know of the moment
    heads: int  # i4[n_post]: the latest entry of each neuron, or -1
    n_log: int  # i4
    capacity: int
    chosen: int  # i4[capacity]: scratch
    stream: int


class Numbers(NamedTuple):
    """Parameters of a plastic projection."""

    x_rate: float  # dt/τ of x
    x2_rate: float  # of x2; 0: there is none
    y_rate: float
    y2_rate: float
    pair_plus: float
    triplet_plus: float
    pair_minus: float
    triplet_minus: float
    low: float
    high: float
    a: float = 0.0  # of the device
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


at, num = places(Pairing), places(Numbers)


@inline
def event_hash(f8, stream, time, p):
    """A hash of what happened when to which synapse, for devices that write by chance."""
    h = mixed(u64(i64(f8[HEAD.seed])) * u64(0x9E3779B97F4A7C15) + u64(time))
    return mixed(h + u64(stream) * u64(0xD6E8FEB86659FD93) + u64(p) * u64(0x9E3779B97F4A7C15))


@inline
def log_spikes(f4, i4, row, first, size, now):
    """Log the postsynaptic spikes of this step."""
    n_log, heads = i64(i4[row[at.n_log]]), row[at.heads]
    fade, fade2 = math.exp(-f4[row[at.numbers] + num.x_rate] * now), math.exp(-f4[row[at.numbers] + num.y2_rate] * now)
    for k in range(size):
        j, entry = i64(i4[first + k]), n_log + k
        i4[row[at.log_ids] + entry], i4[row[at.log_times] + entry] = i32(j), i32(now)
        i4[row[at.log_chain] + entry] = i4[heads + j]
        f4[row[at.log_fades] + entry] = f32(fade)
        i4[heads + j] = i32(entry)
        if row[at.y2] != 0:
            f4[row[at.log_values] + entry] = f32(f4[row[at.y2] + j] * fade2)
    i4[row[at.n_log]] = i32(n_log + size)


@inline
def count_spikes(f4, i4, row, first, size, now):
    """Postsynaptic traces count the spikes of this step."""
    q, add_up = row[at.numbers], f32(1.0) if row[at.nearest] == 0 else f32(0.0)
    one, one2 = f32(math.exp(f4[q + num.y_rate] * now)), f32(math.exp(f4[q + num.y2_rate] * now))
    for k in range(size):
        j = i64(i4[first + k])
        f4[row[at.y] + j] = add_up * f4[row[at.y] + j] + one
        if row[at.y2] != 0:
            f4[row[at.y2] + j] = add_up * f4[row[at.y2] + j] + one2


@inline
def arrive(f4, i4, row, i, now):
    """Presynaptic traces count a spike; returns the slower one as it was before."""
    q, add_up, slow = row[at.numbers], f32(1.0) if row[at.nearest] == 0 else f32(0.0), f32(0.0)
    f4[row[at.x] + i] = add_up * f4[row[at.x] + i] + f32(math.exp(f4[q + num.x_rate] * now))
    if row[at.x2] != 0:
        frame = math.exp(f4[q + num.x2_rate] * now)
        slow = f32(f4[row[at.x2] + i] / frame)
        f4[row[at.x2] + i] = add_up * f4[row[at.x2] + i] + f32(frame)
    i4[row[at.settled] + i] = i4[row[at.n_log]]
    return slow


@inline
def notice(f4, f8, arrivals, n, part):
    """Notice weights that are no longer finite by what they add up to; a neuron that fires at once would wipe it away."""
    bad = i32(0)
    for j in range(n):
        bad |= i32(0) if abs(f4[arrivals + j]) <= LARGEST else i32(1)
    if bad != i32(0):
        f8[HEAD.fault] = part


@inline
def rebase(f4, traces, n, fade):
    """Traces in the frame of a later moment; what is gone becomes zero. `fade`: float64, since this may happen every step."""
    for i in range(n):
        x = f32(f4[traces + i] * fade)
        f4[traces + i] = x if x > VANISHED else f32(0.0)


@inline
def move_frames(f4, row, now):
    """All traces in the frame of the step `now`, counted from the one before."""
    q = row[at.numbers]
    rebase(f4, row[at.x], row[at.n_pre], math.exp(-f4[q + num.x_rate] * now))
    rebase(f4, row[at.y], row[at.n_post], math.exp(-f4[q + num.y_rate] * now))
    if row[at.x2] != 0:
        rebase(f4, row[at.x2], row[at.n_pre], math.exp(-f4[q + num.x2_rate] * now))
        rebase(f4, row[at.y2], row[at.n_post], math.exp(-f4[q + num.y2_rate] * now))


def add_pairing(graph: Graph, wired: Wired, numbers: Numbers, nearest: bool, triplet: bool, settle: Kernel) -> Pairing:
    """State of a plastic projection."""
    n_pre, post = wired.pre.n, wired.post.axon
    n_post, capacity = post.n, PER_NEURON * post.n + 1024
    reach = max(1, int(REACH / max(numbers[:4])))
    pairing = Pairing(
        ring=wired.pre.ring, starts=wired.pre.starts, counts=wired.pre.counts, mask=wired.pre.mask, delay=wired.delay,
        post_ring=post.ring, post_starts=post.starts, post_counts=post.counts, post_mask=post.mask,
        n_pre=n_pre, n_post=n_post, pointers=wired.pointers, targets=wired.targets, weights=wired.weights,
        arrivals=wired.arrivals, x=graph.f4(n_pre), x2=graph.f4(n_pre) if triplet else 0,
        settled=graph.i4(n_pre), y=graph.f4(n_post), y2=graph.f4(n_post) if triplet else 0,
        log_ids=graph.i4(capacity), log_times=graph.i4(capacity), log_chain=graph.i4(capacity, -1),
        log_fades=graph.f4(capacity), log_values=graph.f4(capacity), heads=graph.i4(n_post, -1),
        n_log=graph.i4(1), capacity=capacity,
        chosen=graph.i4(capacity), base=graph.f8(1, arena=Arena.TRANSIENT), reach=reach,
        numbers=graph.f4(len(numbers), numbers, Arena.LASTING), nearest=int(nearest),
        stream=graph.stream(wired.name), settle=Shared(settle.address), part=graph.n_parts + 1,
    )  # fmt: skip
    graph.index(pairing.log_ids, capacity, n_post)
    graph.index(pairing.log_times, capacity, reach + 1)
    graph.index(pairing.settled, n_pre, capacity + 1)
    graph.index(pairing.log_chain, capacity, capacity, least=-1)
    graph.index(pairing.heads, n_post, capacity, least=-1)
    graph.index(pairing.n_log, 1, capacity + 1)
    return pairing
