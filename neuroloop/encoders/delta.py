"""Send-on-delta: a spike where a value moved by a level since what was sent last (Miskowicz 2006; as AER: Lichtsteiner 2008).

Within a control step the value moves in a straight line from the observation before to this one, so x lags by one control
step and crossings fall on steps. At each step m = (x − sent) / Δ whole deltas are due, Δ = delta × range; for levels from the
largest on, as long as m ≥ level, the neuron of that level fires, and sent moves by level × Δ. So what was sent is within Δ
of x, unless x moves by more than Σ levels × Δ a step: then it catches up later, and nothing is lost.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32, i32
from ..settings import SendOnDelta
from .firing import Firing
from .normaliser import Inputs, add_normaliser
from .observation import Layout

MOST_DUE = 1e9  # deltas


class Sender(NamedTuple):
    """Row of senders: for each dimension and level a neuron for up and one for down."""

    n_dims: int
    n_levels: int
    n_steps: int
    raw: int  # f8[n_dims]: this observation
    low: int  # f8[n_dims]: the range
    high: int
    before: int  # f8[n_dims]: the observation before
    start: int  # f8[n_dims]: the observation as of the control step's start
    sent: int  # f8[n_dims]: the value that was sent last
    step: int  # f8[n_dims]: Δ
    delta: int  # f8
    levels: int  # i4[n_levels], rising
    fired: int  # f4[n_dims, n_levels, 2]


at = places(Sender)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Where the line begins; an episode begins with everything sent."""
    fresh = f8[HEAD.fresh] != 0.0
    for d in range(row[at.n_dims]):
        x = f8[row[at.raw] + d]
        f8[row[at.start] + d] = x if fresh else f8[row[at.before] + d]
        f8[row[at.before] + d] = x
        if fresh:
            f8[row[at.sent] + d] = x
        f8[row[at.step] + d] = f8[row[at.delta]] * max(f8[row[at.high] + d] - f8[row[at.low] + d], 1e-8)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Whoever's level was crossed fires."""
    share, n_levels, fired = (f8[HEAD.step] + 1.0) / row[at.n_steps], row[at.n_levels], row[at.fired]
    n_dims, starts, ends, sent, steps = row[at.n_dims], row[at.start], row[at.before], row[at.sent], row[at.step]
    for k in range(2 * n_dims * n_levels):
        f4[fired + k] = f32(0.0)
    for d in range(n_dims):
        start, delta = f8[starts + d], f8[steps + d]
        off = start + share * (f8[ends + d] - start) - f8[sent + d]
        if abs(off) < (1.0 - 1e-9) * delta:
            continue
        left, up = i32(min(abs(off) / delta + 1e-9, MOST_DUE)), off > 0.0
        for level in range(n_levels - 1, -1, -1):
            size = i4[row[at.levels] + level]
            if left >= size:
                left -= size
                f4[fired + 2 * (d * n_levels + level) + (0 if up else 1)] = f32(1.0)
                f8[sent + d] += size * delta if up else -size * delta


def add_delta(
    graph: Graph, config: SendOnDelta, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    inputs = add_normaliser(graph, config.normalise, layout, inputs, path).inputs
    n_dims, n_levels, passing = layout.size, len(config.levels), Arena.TRANSIENT
    n = n_dims * n_levels * 2
    sender = Sender(
        n_dims=n_dims, n_levels=n_levels, n_steps=graph.clock.n_steps, raw=inputs.raw, low=inputs.low, high=inputs.high,
        before=graph.f8(n_dims, arena=passing), start=graph.f8(n_dims, arena=passing), sent=graph.f8(n_dims, arena=passing),
        step=graph.f8(n_dims, arena=passing), delta=graph.f8(1, config.delta),
        levels=graph.i4(n_levels, config.levels, Arena.LASTING), fired=graph.f4(n),
    )  # fmt: skip
    graph.constant("i4", sender.levels, n_levels)
    part = graph.part(sender)
    graph.call(Phase.ENCODE, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    usual = graph.steps(config.tau_trace) / graph.clock.n_steps
    return Firing(n, sender.fired, None, usual, float(n_dims), config.tau_trace)
