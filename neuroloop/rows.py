"""What every kernel knows: the signals at the head of the float64 pool, and random numbers as a hash of where they are used."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ._numba import inline, places

f32, i32, i64, u64 = np.float32, np.int32, np.int64, np.uint64
BLOCK = 16  # arrays in a pool start at multiples of this many elements


class Head(NamedTuple):
    """The first numbers of the float64 pool. Written by the controller before a control step, read by any kernel."""

    step: int  # the number of the step within the control step
    tick: int  # control steps run so far, never reset
    seed: int
    reward: int  # what the plant answered to the action before
    first: int  # 1 if an episode begins with this control step
    ended: int  # 1 if this control step only closes an episode
    fresh: int  # 1 if the network starts from rest: at an episode's start and after the warm-up
    clock: int  # steps run so far, the one in hand not counted; never reset
    fault: int  # 1 + the number of a part in which something went wrong, such as a number that is not finite
    full: int  # 1 if a monitor has no room left for another control step
    spikes: int  # counted since the start: spikes of populations, not of inputs
    events: int  # synapses that a spike passed
    updates: int  # neurons that were advanced by a step
    changes: int  # synapses that plasticity looked at
    spikes_before: int  # the same when the control step began
    events_before: int
    updates_before: int
    changes_before: int


HEAD = places(Head)


@inline
def mixed(h):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit in moves every bit out."""
    h = (h ^ (h >> u64(30))) * u64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> u64(27))) * u64(0x94D049BB133111EB)
    return h ^ (h >> u64(31))


@inline
def unit(h):  # type: ignore[no-untyped-def]
    """A float64 in [0, 1) from what is behind a counter."""
    return (mixed(h) >> u64(11)) * (1.0 / 9007199254740992.0)


@inline
def counter(f8, stream):  # type: ignore[no-untyped-def]
    """What the numbers of a stream have in common at one step: a hash of (seed, tick, step, stream)."""
    h = mixed(u64(i64(f8[HEAD.seed])) * u64(0x9E3779B97F4A7C15) + u64(i64(f8[HEAD.tick])))
    return mixed(h + u64(stream) * u64(0xD6E8FEB86659FD93) + u64(i64(f8[HEAD.step])))


@inline
def uniform_at(h, index):  # type: ignore[no-untyped-def]
    """A number in [0, 1) by a `counter` and an index: for loops over many."""
    return f32(mixed(h + u64(index) * u64(0x9E3779B97F4A7C15)) >> u64(40)) * f32(1.0 / 16777216.0)


@inline
def uniform(f8, stream, index):  # type: ignore[no-untyped-def]
    """A number in [0, 1): a hash of (seed, tick, step, stream, index). No generator state, so no order of evaluation."""
    return uniform_at(counter(f8, stream), index)


@inline
def normal(f8, stream, index):  # type: ignore[no-untyped-def]
    """A standard normal number (Box and Muller 1958) from two uniform ones."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(f8, stream, 2 * index)))
    return f32(radius * math.cos(2.0 * math.pi * uniform(f8, stream, 2 * index + 1)))


@inline
def draw(f8, stream, index):  # type: ignore[no-untyped-def]
    """A number in [0, 1) by (seed, clock, stream, index): the same however steps are gathered in control steps."""
    h = mixed(u64(i64(f8[HEAD.seed])) * u64(0x9E3779B97F4A7C15) + u64(i64(f8[HEAD.clock])))
    h = mixed(h + u64(stream) * u64(0xD6E8FEB86659FD93))
    return f32(mixed(h + u64(index) * u64(0x9E3779B97F4A7C15)) >> u64(40)) * f32(1.0 / 16777216.0)


@inline
def draw_normal(f8, stream, index):  # type: ignore[no-untyped-def]
    """A standard normal number (Box and Muller 1958) from two such."""
    radius = math.sqrt(-2.0 * math.log(1.0 - draw(f8, stream, 2 * index)))
    return f32(radius * math.cos(2.0 * math.pi * draw(f8, stream, 2 * index + 1)))
