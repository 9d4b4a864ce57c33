"""Where spikes wait: a ring of the ids that fired, one line for each of the latest steps.

A population writes a line a step; whoever reads spikes of `delay` steps ago looks up that line. Lines are as long as they
need to be, so a long reach costs memory for spikes, not for neurons × steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

from .._numba import inline
from ..graph import Graph
from ..rows import HEAD, i32, i64

ROOMY = 1 << 22  # ids that a ring may always hold; beyond this it is sized for a usual rate
USUAL_RATE = 200.0  # Hz, mean of a population over the reach of its ring


class Axon(NamedTuple):
    """The fields that every row of spiking neurons begins with. Symbols of int32 arrays, unless said otherwise."""

    n: int  # number of neurons
    ring: int  # ids, rising within a line
    starts: int  # [mask + 1]: where in the ring a line begins
    counts: int  # [mask + 1]: how long it is
    mask: int  # number: lines − 1, one less than a power of two
    state: int  # [2]: where the next line may begin, and how many ids are within reach
    capacity: int  # number: ids in the ring


@inline
def open_line(i4, row):  # type: ignore[no-untyped-def]
    """Where in the int32 pool the line of this step begins; there is room for all neurons."""
    start = i64(i4[row[5]])
    if start + row[0] > row[6]:
        start = i64(0)
    return row[1] + start


@inline
def close_line(i4, row, f8, where, n_spikes, part):  # type: ignore[no-untyped-def]
    """The line of this step is complete. It is a fault of `part` if the ring is too small for what is still within reach."""
    line = i64(f8[HEAD.clock]) & row[4]
    start = where - row[1]
    within = i4[row[5] + 1] + i32(n_spikes) - i4[row[3] + line]
    i4[row[2] + line], i4[row[3] + line] = i32(start), i32(n_spikes)
    i4[row[5]], i4[row[5] + 1] = i32(start + n_spikes), within
    f8[HEAD.spikes] += n_spikes
    if i64(within) + 2 * row[0] > row[6]:
        f8[HEAD.fault] = part


def _lines_fit(axon: Axon, read: Callable[[int, int], NDArray[Any]]) -> bool:
    """Whether lines lie within the ring, and are as long together as is said."""
    starts, counts = (read(symbol, axon.mask + 1).astype(int) for symbol in (axon.starts, axon.counts))
    return bool((starts + counts <= axon.capacity).all() and counts.sum() == read(axon.state, 2)[1])


def lines_for(reach: int) -> int:
    """Lines of a ring that reaches back `reach` steps: a power of two."""
    return 1 << reach.bit_length()


def room_for(n: int, steps: int, dt: float, roomy: int = ROOMY) -> int:
    """Spikes of `n` neurons in a number of steps: all there can be, or if that is too many, those of a usual rate."""
    return min(n * steps, max(roomy, 4 * n + int(n * steps * dt * USUAL_RATE)))


def add_axon(graph: Graph, n: int, reach: int, ahead: int = 0) -> Axon:
    """State for the spikes of `n` neurons that are read up to `reach` steps later, and written up to `ahead` steps before."""
    lines = lines_for(reach + ahead)
    capacity = room_for(n, lines + 2 + 2 * ahead, graph.clock.dt)  # what comes at once lies in one piece
    axon = Axon(n, graph.i4(capacity), graph.i4(lines), graph.i4(lines), lines - 1, graph.i4(2), capacity)
    graph.index(axon.ring, capacity, n)
    graph.index(axon.starts, lines, capacity)
    graph.index(axon.counts, lines, n + 1)
    graph.index(axon.state, 2, capacity + 1)
    graph.consistent(functools.partial(_lines_fit, axon))
    return axon
