"""What e-prop reads of a hidden layer: pseudo-derivatives of its neurons, eligibility vectors of its inputs.

For a LIF neuron whose input is an exponential current (Bellec et al. 2020, eq. 4, 22 and 23, with the current's own filter),

    ψ_i = γ max(0, 1 − |v_i − 1|), 0 while refractory,    s_j ← s_j e^(−dt/τ_syn) + z_j,    ε_j ← α ε_j + (1 − α) s_j

with α = e^(−dt/τ_mem) and v before the reset: ε_j is how the membrane depends on the weight, the same for all neurons that
input j reaches, so it is kept once for each input. `broadcast.py` pairs ψ_i with ε_j.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..network.decision.source import Source
from ..rows import HEAD, f32


class Local(NamedTuple):
    """Row of what is local to a projection."""

    n_pre: int
    n_post: int
    spikes: int  # f4[n_pre]
    level: int  # f4[n_pre]: the trace to be expected in the steady state
    current: int  # f4[n_pre]: s
    vector: int  # f4[n_pre]: ε
    v: int  # f4[n_post]
    fired: int  # f4[n_post]
    rest: int  # f4[n_post]: steps of refractoriness left
    held: int  # f4[n_post]: the same when the step began
    slope: int  # f4[n_post]: ψ
    numbers: int  # f4[4]


at = places(Local)
SYN_DECAY, MEM_DECAY, DAMPENING, RATIO = range(4)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode begins with currents in their steady state; who rests is known before the first step."""
    if f8[HEAD.fresh] != 0.0:
        for j in range(row[at.n_pre]):
            steady = f4[row[at.level] + j] * f4[row[at.numbers] + RATIO]
            f4[row[at.current] + j] = f4[row[at.vector] + j] = steady
    for i in range(row[at.n_post]):
        f4[row[at.held] + i] = f4[row[at.rest] + i]


@kernel
def follow(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Eligibility vectors and pseudo-derivatives of this step."""
    q, vector, current = row[at.numbers], row[at.vector], row[at.current]
    syn, mem, dampening = f4[q + SYN_DECAY], f4[q + MEM_DECAY], f4[q + DAMPENING]
    for j in range(row[at.n_pre]):
        f4[current + j] = f4[current + j] * syn + f4[row[at.spikes] + j]
        f4[vector + j] = mem * f4[vector + j] + (f32(1.0) - mem) * f4[current + j]
    for i in range(row[at.n_post]):
        before_reset = f4[row[at.v] + i] + f4[row[at.fired] + i]
        free = f32(1.0) if f4[row[at.held] + i] == f32(0.0) else f32(0.0)
        f4[row[at.slope] + i] = free * dampening * max(f32(1.0) - abs(before_reset - f32(1.0)), f32(0.0))
        f4[row[at.held] + i] = f4[row[at.rest] + i]


def add_local(graph: Graph, pre: Source, post: Population, tau_syn: float, tau_mem: float, dampening: float) -> Local:
    """Follow what e-prop needs of a projection; the times in s."""
    n, syn, mem = pre.n, math.exp(-1.0 / graph.steps(tau_syn)), math.exp(-1.0 / graph.steps(tau_mem))
    local = Local(
        n_pre=n, n_post=post.n, spikes=pre.fired, level=pre.level, current=graph.f4(n), vector=graph.f4(n), v=post.v,
        fired=post.fired, rest=post.rest, held=graph.f4(post.n), slope=graph.f4(post.n),
        numbers=graph.f4(4, [syn, mem, dampening, tau_syn / pre.tau_trace], Arena.LASTING),
    )  # fmt: skip
    part = graph.part(local)
    graph.call(Phase.COMPETE, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.PAIR, follow, part, Mode.ACT)
    return local
