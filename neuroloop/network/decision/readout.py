"""Linear read-outs of cells, with eligibility: y_i = Σ w_ji over the active cells j. No spikes.

Once a control step, as spiking projections do,

    w_ji ← clip(w_ji + g m z_ji),    z_ji ← λ z_ji + s_i where cell j is active

with a score s_i that somebody else computes; a *replacing* trace is set to s_i instead (Singh and Sutton 1996).
"""

from __future__ import annotations

from typing import NamedTuple

from ..._numba import kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32
from .cells import AGE, NOW, ROW, SLOT_FIELDS, CellSource


class Readout(NamedTuple):
    """Row of a read-out with `n` outputs."""

    n: int
    n_active: int
    memory: int
    active: int  # i4[n_active]: rows of the active cells; -1 for a cell that has none
    fired_first: int  # i4[n_active]
    n_first: int  # i4
    slots: int  # i4[n_slots, SLOT_FIELDS]
    live: int  # i4[n_slots]
    n_live: int  # i4
    weights: int  # f4[rows, n]
    eligibility: int  # f4[n_slots, n]
    output: int  # f8[n]: y
    score: int  # f8[n]: s
    start: int  # f8: weights of a new cell
    modulator: int  # f8: m
    replacing: int  # whether traces are
    parameters: int  # f8[3]


at = places(Readout)
GAIN, DECAY, LIMIT = range(3)


@kernel
def first(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Weights of cells that are active for the first time."""
    for k in range(i4[row[at.n_first]]):
        w = row[at.weights] + i4[row[at.fired_first] + k] * row[at.n]
        for i in range(row[at.n]):
            f4[w + i] = f32(f8[row[at.start]])


@kernel
def read(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Sums of the active cells' weights."""
    n, output = row[at.n], row[at.output]
    for i in range(n):
        f8[output + i] = 0.0
    for a in range(row[at.n_active]):
        if i4[row[at.active] + a] >= 0:
            w = row[at.weights] + i4[row[at.active] + a] * n
            for i in range(n):
                f8[output + i] += f4[w + i]


@kernel
def change(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """w ← w + g m z for all that is eligible."""
    n, p = row[at.n], row[at.parameters]
    m, limit = f8[p + GAIN] * f8[row[at.modulator]], f8[p + LIMIT]
    for k in range(i4[row[at.n_live]]):
        slot = i4[row[at.live] + k]
        w, z = row[at.weights] + i4[row[at.slots] + SLOT_FIELDS * slot + ROW] * n, row[at.eligibility] + slot * n
        for i in range(n):
            f4[w + i] = f32(min(max(f4[w + i] + m * f4[z + i], -limit), limit))


@kernel
def remember(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """z ← λ z, and the active cells become eligible; a cell that leaves its slot is forgotten."""
    n, decay, ended = row[at.n], f8[row[at.parameters] + DECAY], f8[HEAD.ended] != 0.0
    for k in range(i4[row[at.n_live]]):
        slot = i4[row[at.live] + k]
        record, z = row[at.slots] + SLOT_FIELDS * slot, row[at.eligibility] + slot * n
        if ended or i4[record + AGE] >= row[at.memory]:
            for i in range(n):
                f4[z + i] = f32(0.0)
            continue
        now = 1.0 if i4[record + NOW] >= 0 else 0.0
        left = decay * (1.0 - now * row[at.replacing])
        for i in range(n):
            f4[z + i] = f32(left * f4[z + i] + now * f8[row[at.score] + i])


def add_readout(
    graph: Graph,
    name: str,
    pre: CellSource,
    n: int,
    *,
    start: int,
    modulator: int,
    score: int,
    gain: float,
    decay: float,
    limit: float,
    replacing: bool,
) -> tuple[Readout, int]:
    """Add a read-out; returns its row and the number of the part. When it is read and changed, its owner says."""
    cells = pre.cells
    readout = Readout(
        n=n, n_active=cells.n_active, memory=cells.memory, active=cells.active, fired_first=cells.fired_first,
        n_first=cells.n_first, slots=cells.slots, live=cells.live, n_live=cells.n_live,
        weights=graph.growing(f"readout.{name}.weights", "f4", pre.n, n),
        eligibility=graph.f4(pre.n_slots * n, arena=Arena.LASTING), output=graph.f8(n, arena=Arena.TRANSIENT), score=score,
        start=start, modulator=modulator, replacing=int(replacing), parameters=graph.f8(3, [gain, decay, limit]),
    )  # fmt: skip
    part = graph.part(readout)
    graph.call(Phase.PAY, first, part, Mode.ACT)
    graph.call(Phase.REWARD, change, part, Mode.ACT | Mode.TERMINATE)
    graph.call(Phase.DELIVER, read, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.CHANGE, remember, part, Mode.ACT | Mode.TERMINATE | Mode.CLOSE)
    return readout, part
