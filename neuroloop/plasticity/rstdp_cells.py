"""The rule of `rstdp.py` on projections from cells, with lazy updates: its cost follows the rows that are active.

- Cells of a class fire together, so a neuron's pairings with all cells need isi + 1 sums: Σ a^t and Σ kicks_c(t) over its
  spikes, with which C = x0 Σ a^t + Σ kicks_c.
- Eligibility exists for rows that have a slot. A row without new pairings only decays; instead of being touched, it notes
  what it is *owed*: Σ g m λ^k with the extremes of its partial sums, with which the bounds apply as if every change had
  been clipped (reflection at a bound, Skorokhod 1961; approximate only where one debt meets both bounds, or a bound while
  the value range is rescaled). It is paid when it is used again or its slot becomes free, so whoever reads weights pays
  first.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import inline, kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.cells import AGE, CLASS, NOW, ROW, ROW_FIELDS, SLOT, SLOT_FIELDS, CellSource
from ..network.decision.from_cells import FromCells
from ..network.decision.lif import Population
from ..rows import HEAD, f32
from ..settings import Pes, ProjectionConfig, RStdp
from .rstdp import (
    CAP,
    DECAY,
    GAIN,
    HIGH,
    LOW,
    PRE_ONLY,
    STILL_ACTIVE,
    USUAL_TRACE,
    Predicted,
    Third,
    name_pairing,
    parameters,
    take_in,
)

OWES = 4  # fields of what a slot's row is owed
OWED, MOST, LEAST, FACTOR = range(OWES)  # FACTOR: true eligibility = FACTOR × stored


class Rule(NamedTuple):
    """Row of R-STDP on a projection from cells."""

    n_post: int
    n_active: int
    isi: int
    memory: int
    active: int  # i4[n_active]
    records: int
    slots: int
    x0: int  # f4[n_slots]: presynaptic traces at the control step's start
    live: int
    n_live: int
    kicks: int  # f4[1 + isi]
    fired: int  # f4[n_post]
    gate: int  # f4[n_post]
    weights: int  # f4[rows, n_post]
    sums: int  # f4[isi, n_post]
    eligibility: int  # f4[n_slots, n_post]
    owes: int  # f4[n_slots, OWES]
    pairs: int  # f4[1 + isi, n_post]
    pairing: int  # f4[n_post]: of the cell in hand
    parameters: int  # f4[8]
    modulator: int
    scale: int
    per_group: int
    coefficients: int
    winner: int


at = places(Rule)


@inline
def _bounds(f4, row, f8):  # type: ignore[no-untyped-def]
    """Bounds of the weights as they are stored."""
    scale = f32(f8[row[at.scale]])
    return f4[row[at.parameters] + LOW] / scale, f4[row[at.parameters] + HIGH] / scale


@inline
def _paid(w, e, owed, most, least, low, high):  # type: ignore[no-untyped-def]
    """The weight after all changes that are owed, each as if clipped when it was due."""
    p, q = e * most, e * least
    w_most, w_least = w + max(p, q), w + min(p, q)
    return min(max(w + owed * e - max(w_most - high, f32(0.0)) + max(low - w_least, f32(0.0)), low), high)


@inline
def _pay(f4, w, e, o, n, low, high):  # type: ignore[no-untyped-def]
    owed, most, least = f4[o + OWED], f4[o + MOST], f4[o + LEAST]
    if most != least:
        for i in range(n):
            f4[w + i] = _paid(f4[w + i], f4[e + i], owed, most, least, low, high)
    f4[o + OWED] = f4[o + MOST] = f4[o + LEAST] = f32(0.0)


@inline
def _note(f4, o, owed):  # type: ignore[no-untyped-def]
    f4[o + OWED] += owed
    f4[o + MOST] = max(f4[o + MOST], f4[o + OWED])
    f4[o + LEAST] = min(f4[o + LEAST], f4[o + OWED])


@kernel
def pay_active(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Pay the active rows; no pairings yet."""
    n = row[at.n_post]
    low, high = _bounds(f4, row, f8)
    for i in range((row[at.isi] + 1) * n):
        f4[row[at.pairs] + i] = f32(0.0)
    for a in range(row[at.n_active]):
        j = i4[row[at.active] + a]
        slot = i4[row[at.records] + ROW_FIELDS * j + SLOT]
        o = row[at.owes] + OWES * slot
        _pay(f4, row[at.weights] + j * n, row[at.eligibility] + slot * n, o, n, low, high)


@kernel
def correct(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Add what the active rows are owed to the sums of their classes, and leave the weights as they are."""
    n = row[at.n_post]
    low, high = _bounds(f4, row, f8)
    for a in range(row[at.n_active]):
        j = i4[row[at.active] + a]
        if j < 0:
            continue
        record = row[at.records] + ROW_FIELDS * j
        slot = i4[record + SLOT]
        if slot < 0:
            continue
        w, e, o = row[at.weights] + j * n, row[at.eligibility] + slot * n, row[at.owes] + OWES * slot
        k = row[at.sums] + i4[record + CLASS] * n
        for i in range(n):
            f4[k + i] += _paid(f4[w + i], f4[e + i], f4[o + OWED], f4[o + MOST], f4[o + LEAST], low, high) - f4[w + i]


@kernel
def pair(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Sums over the spikes that the gate lets through."""
    n, fired, gate = row[at.n_post], row[at.fired], row[at.gate]
    for c in range(row[at.isi] + 1):
        h, k = f4[row[at.kicks] + c], row[at.pairs] + c * n
        for i in range(n):
            f4[k + i] += h * f4[fired + i] * f4[gate + i]


@kernel
def change(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """w += g m E, then E ← λ E + C, for rows with pairings; the others note what they are owed, or are paid and leave."""
    n, p, m = row[at.n_post], row[at.parameters], f4[row[at.parameters] + GAIN] * f32(f8[row[at.modulator]])
    low, high = _bounds(f4, row, f8)
    ended = f8[HEAD.ended] != 0.0
    for k in range(i4[row[at.n_live]]):
        slot = i4[row[at.live] + k]
        record, o, x0 = row[at.slots] + SLOT_FIELDS * slot, row[at.owes] + OWES * slot, f4[row[at.x0] + slot]
        w, e = row[at.weights] + i4[record + ROW] * n, row[at.eligibility] + slot * n
        owed = m * f4[o + FACTOR]
        if ended or i4[record + AGE] >= row[at.memory]:
            _note(f4, o, owed)
            _pay(f4, w, e, o, n, low, high)
            f4[o + FACTOR] = f32(0.0)
        elif i4[record + NOW] < 0 and x0 == f32(0.0):
            _note(f4, o, owed)
            f4[o + FACTOR] *= f4[p + DECAY]
        else:
            _pay(f4, w, e, o, n, low, high)
            for i in range(n):
                f4[w + i] = min(max(f4[w + i] + owed * f4[e + i], low), high)
            _roll(f4, i4, row, e, f4[p + DECAY] * f4[o + FACTOR], x0, i4[record + NOW])
            f4[o + FACTOR] = f32(1.0)


@inline
def _roll(f4, i4, row, e, decay, x0, c):  # type: ignore[no-untyped-def]
    """E ← λ E + C with C = x0 Σ a^t + Σ kicks_c, the latter only if the cell is active (c ≥ 0)."""
    n, p = row[at.n_post], row[at.parameters]
    own = f32(1.0) if c >= 0 else f32(0.0)
    decayed, kicked = row[at.pairs], row[at.pairs] + (1 + max(c, 0)) * n
    x = x0 * f4[row[at.kicks]] + own * f4[row[at.kicks] + 1 + max(c, 0)]
    extra = f4[p + PRE_ONLY] if x > STILL_ACTIVE * f4[p + USUAL_TRACE] else f32(0.0)
    pairing = row[at.pairing]
    for i in range(n):
        f4[pairing + i] = x0 * f4[decayed + i] + own * f4[kicked + i]
    winner = i4[row[at.winner]] if row[at.per_group] > 0 else 0
    take_in(f4, e, pairing, n, decay, extra, f4[p + CAP], row[at.per_group], winner, row[at.coefficients])


def add_rstdp_cells(
    graph: Graph,
    name: str,
    projection: ProjectionConfig,
    config: RStdp | Pes,
    pre: CellSource,
    made: FromCells,
    post: Population,
    third: Third,
    predicted: Predicted | None,
) -> None:
    """Make a projection from cells plastic."""
    n, cells, lasting = post.n, pre.cells, Arena.LASTING
    groups = predicted or Predicted(0, 0, 0)
    eligibility, owes = graph.f4(pre.n_slots * n, arena=lasting), graph.f4(pre.n_slots * OWES, arena=lasting)
    graph.name(f"projection.{name}.eligibility", "f4", eligibility, (pre.n_slots, n))
    graph.name(f"projection.{name}.owes", "f4", owes, (pre.n_slots, OWES))
    name_pairing(graph, name, third)
    part = graph.part(
        Rule(
            n_post=n, n_active=cells.n_active, isi=cells.isi, memory=cells.memory, active=cells.active,
            records=cells.records, slots=cells.slots, x0=cells.trace, live=cells.live, n_live=cells.n_live,
            kicks=cells.kicks, fired=post.fired, gate=post.gate, weights=made.weights, sums=made.sums,
            eligibility=eligibility, owes=owes,
            pairs=graph.f4((1 + cells.isi) * n), pairing=graph.f4(n),
            parameters=graph.f4(8, parameters(config, projection.bounds, third, pre.usual_trace), lasting),
            modulator=third.modulator, scale=third.scale,
            per_group=groups.per_group, coefficients=groups.coefficients, winner=groups.winner,
        )
    )  # fmt: skip
    graph.call(Phase.PAY, pay_active, part, Mode.ACT)
    graph.call(Phase.CORRECT, correct, part, Mode.LOOK)
    graph.call(Phase.PAIR, pair, part, Mode.ACT)
    graph.call(Phase.CHANGE, change, part, Mode.ACT | Mode.TERMINATE | Mode.CLOSE)
