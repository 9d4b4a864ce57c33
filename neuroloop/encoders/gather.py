"""The spikes of all parts of an encoder as lists: who fires at each step of a control step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .._numba import kernel, lowest_bit, places, who_fired
from ..graph import Graph, Mode, Phase
from ..network.decision.cells import CELL, CLASS, ROW_FIELDS, CellSource
from ..rows import BLOCK, HEAD, i32, i64
from .kinds import Part


class Gathered(NamedTuple):
    """Row of what gathers the spikes of one part."""

    n: int
    first_id: int  # of its neurons
    fired: int  # f4[n]
    ids: int  # i4
    offsets: int  # i4[n_steps + 1]


class GatheredCells(NamedTuple):
    """Row of what gathers the spikes of cells."""

    n_active: int
    first_id: int
    active: int  # i4[n_active]: rows of cells
    records: int  # i4[rows, ROW_FIELDS]
    fires: int  # i4: the class that fires
    ids: int
    offsets: int


at, of = places(Gathered), places(GatheredCells)


@kernel
def gather(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Note who fires at this step."""
    step = i64(f8[HEAD.step])
    count = i64(i4[row[at.offsets] + step + 1]) if row[at.first_id] > 0 else i64(i4[row[at.offsets] + step])
    fired, ids = row[at.fired], row[at.ids]
    for start in range(0, row[at.n], 4 * BLOCK):  # a bit each: most are silent, and arrays end in zeros
        bits = i64(0)
        for k in range(start, min(start + 4 * BLOCK, row[at.n]), BLOCK):
            bits |= who_fired(f4, fired + k) << i64(k - start)
        while bits != i64(0):
            i4[ids + count] = i32(row[at.first_id] + start + lowest_bit(bits))
            count += i64(1)
            bits &= bits - i64(1)
    i4[row[at.offsets] + step + 1] = i32(count)


@kernel
def gather_cells(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Note which cells fire at this step."""
    step = i64(f8[HEAD.step])
    count = i64(i4[row[of.offsets] + step + 1]) if row[of.first_id] > 0 else i64(i4[row[of.offsets] + step])
    for k in range(row[of.n_active]):
        record = row[of.records] + ROW_FIELDS * i64(i4[row[of.active] + k])
        if i4[record + CLASS] == i4[row[of.fires]]:
            i4[row[of.ids] + count] = i32(row[of.first_id] + i4[record + CELL])
            count += 1
    i4[row[of.offsets] + step + 1] = i32(count)


def add_gatherers(graph: Graph, parts: Mapping[str, Part]) -> int:
    """Gather the spikes of all parts, numbered one part after the other; returns how many neurons there are."""
    n_steps, n = graph.clock.n_steps, 0
    most = sum(part.cells.n_active if isinstance(part, CellSource) else part.n for part in parts.values()) * n_steps
    ids, offsets = graph.i4(most), graph.i4(n_steps + 1)
    graph.name("ids", "i4", ids, (most,))
    graph.name("offsets", "i4", offsets, (n_steps + 1,))
    for part in parts.values():
        if isinstance(part, CellSource):
            cells = part.cells
            row = graph.part(GatheredCells(cells.n_active, n, cells.active, cells.records, cells.fires, ids, offsets))
            graph.call(Phase.RECORD, gather_cells, row, Mode.ACT)
        else:
            graph.call(Phase.RECORD, gather, graph.part(Gathered(part.n, n, part.fired, ids, offsets)), Mode.ACT)
        n += part.n
    return n
