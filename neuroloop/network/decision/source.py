"""What a dense projection needs to know of the neurons it comes from, and the trace that plasticity reads of them."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..._numba import kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32


class Source(NamedTuple):
    """Presynaptic neurons. Symbols of float32 arrays of shape (n,)."""

    n: int
    fired: int  # 1 where a spike arrives at this step
    trace: int  # decaying count of spikes
    level: int  # the trace to be expected in the steady state
    usual_trace: float  # of a neuron that is active
    usual_drive: float  # sum of all traces
    tau_trace: float  # s


class Trace(NamedTuple):
    """Row of a trace."""

    n: int
    fired: int
    trace: int
    level: int
    decay: int


at = places(Trace)


@kernel
def forget(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode begins without a past."""
    if f8[HEAD.fresh] != 0.0:
        for i in range(row[at.n]):
            f4[row[at.trace] + i] = f32(0.0)


@kernel
def follow(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """x ← x e^(−dt/τ) + spike; an episode begins in the steady state."""
    trace, level, fired, decay = row[at.trace], row[at.level], row[at.fired], f4[row[at.decay]]
    if f8[HEAD.fresh] != 0.0 and f8[HEAD.step] == 0.0:
        for i in range(row[at.n]):
            f4[trace + i] = f4[level + i]
    for i in range(row[at.n]):
        x = f4[trace + i] * decay + f4[fired + i]
        f4[trace + i] = x if x > f32(1e-6) else f32(0.0)


def add_source(
    graph: Graph, fired: int, n: int, tau_trace: float, level: int | None, usual_level: float, active: float
) -> Source:
    """Follow the spikes `fired` of `n` neurons.

    `level` is the symbol of the expected traces, or None where nothing is known but the past. `usual_level` is the trace
    of an active neuron and `active` the number of neurons that usually are.
    """
    trace = graph.f4(n)
    source = Source(n, fired, trace, trace if level is None else level, usual_level, usual_level * active, tau_trace)
    decay = graph.f4(1, math.exp(-1.0 / graph.steps(tau_trace)), Arena.LASTING)
    part = graph.part(Trace(n=n, fired=fired, trace=trace, level=source.level, decay=decay))
    if level is None:
        graph.call(Phase.RESET, forget, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, follow, part, Mode.ACT | Mode.LOOK)
    return source
