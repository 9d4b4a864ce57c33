"""Cells of which a few are active at a time and then fire regularly, at a phase that belongs to the cell.

Active cells fire every `isi` steps, so they fall into `isi` phase classes that fire together, and whoever reads them adds
up a class's weights once a control step.

A cell gets a *row* (of weights) when it first fires. A row has a *slot* (a presynaptic trace and eligibility) while its
eligibility is not yet gone, at most `memory` control steps after it was last active. A presynaptic trace within a control
step is x(t) = x0 a^t + kicks_c(t): its value at the start, decayed, plus what the firing of its class c added since.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._numba import kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32, i32, i64, uniform

GONE = f32(0.05)  # a trace below this is set to exactly zero
ROW_FIELDS = 4  # fields of a row's record
VISITS, CLASS, SLOT, CELL = range(ROW_FIELDS)
SLOT_FIELDS = 4  # fields of a slot's record, one of them spare
ROW, AGE, NOW = range(3)  # NOW: its class if the cell is active in this control step, else -1


class Cells(NamedTuple):
    """Row of a population of cells, which also is what projections from it need to know."""

    n_active: int  # cells that are active at a time
    isi: int  # steps between spikes of an active cell, and the number of classes
    wanted: int  # i4[n_active]: the cells to be active, written by an encoder
    row_of: int  # i4[cells]: the row of a cell, -1 before it first fires
    records: int  # i4[rows, ROW_FIELDS]
    slots: int  # i4[n_slots, SLOT_FIELDS]
    trace: int  # f4[n_slots]: the presynaptic trace at the start of a control step
    live: int  # i4[n_slots]: slots in use
    free: int  # i4[n_slots]: slots not in use
    active: int  # i4[n_active]: rows of the active cells; -1 for a cell that has none
    fired_first: int  # i4[n_active]: rows given in this control step
    kicks: int  # f4[1 + isi]: a^t, then what each class adds to the trace of its cells
    n_rows: int  # i4, and so on
    n_live: int
    n_free: int
    n_first: int
    class_sizes: int  # i4[isi]: active cells of each class
    fires: int  # i4: the class that fires at this step
    spikes: int  # f8: spikes fired so far, of the whole network
    decay: int  # f4: of the presynaptic trace, a step
    steady: int  # f4: its value in the steady state
    familiar_after: int  # f4
    memory: int  # control steps
    stream: int
    novelty: int  # f8: mean over the active cells of 1 / (1 + firings / familiar_after)


at = places(Cells)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Find the active cells; give rows to the new ones and slots to those that have none."""
    for k in range(i4[row[at.n_live]]):
        i4[row[at.slots] + SLOT_FIELDS * i4[row[at.live] + k] + NOW] = -1
    for c in range(row[at.isi]):
        i4[row[at.class_sizes] + c] = 0
    n_rows, n_live, n_free = i64(i4[row[at.n_rows]]), i64(i4[row[at.n_live]]), i64(i4[row[at.n_free]])
    n_first, novelty = 0, 0.0
    for k in range(row[at.n_active]):
        cell = i4[row[at.wanted] + k]
        cell_row = i64(i4[row[at.row_of] + cell])
        if cell_row < 0:
            cell_row = n_rows
            n_rows += 1
            i4[row[at.row_of] + cell] = i4[row[at.fired_first] + n_first] = i32(cell_row)
            n_first += 1
            record = row[at.records] + ROW_FIELDS * cell_row
            i4[record + VISITS], i4[record + SLOT], i4[record + CELL] = 0, -1, i32(cell)
            i4[record + CLASS] = i32(uniform(f8, row[at.stream], cell) * f32(row[at.isi]))
        record = row[at.records] + ROW_FIELDS * cell_row
        i4[record + VISITS] += 1
        novelty += 1.0 / (1.0 + i4[record + VISITS] / f4[row[at.familiar_after]])
        slot = i64(i4[record + SLOT])
        if slot < 0:
            n_free -= 1
            slot = i64(i4[row[at.free] + n_free])
            i4[record + SLOT] = i4[row[at.live] + n_live] = i32(slot)
            n_live += 1
            i4[row[at.slots] + SLOT_FIELDS * slot + ROW] = i32(cell_row)
            f4[row[at.trace] + slot] = f32(0.0)
        i4[row[at.slots] + SLOT_FIELDS * slot + AGE] = 0
        i4[row[at.slots] + SLOT_FIELDS * slot + NOW] = i4[record + CLASS]
        i4[row[at.class_sizes] + i4[record + CLASS]] += 1
        i4[row[at.active] + k] = i32(cell_row)
        if f8[HEAD.fresh] != 0.0:
            f4[row[at.trace] + slot] = f4[row[at.steady]]
    i4[row[at.n_rows]], i4[row[at.n_live]], i4[row[at.n_free]] = i32(n_rows), i32(n_live), i32(n_free)
    i4[row[at.n_first]] = i32(n_first)
    f8[row[at.novelty]] = novelty / row[at.n_active]


@kernel
def look(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Find the active cells and change nothing else."""
    for k in range(row[at.n_active]):
        i4[row[at.active] + k] = i4[row[at.row_of] + i4[row[at.wanted] + k]]


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The class whose turn it is fires."""
    isi, kicks = row[at.isi], row[at.kicks]
    if f8[HEAD.step] == 0.0:
        f4[kicks] = f32(1.0)
        for c in range(1, isi + 1):
            f4[kicks + c] = f32(0.0)
    for c in range(isi + 1):
        f4[kicks + c] *= f4[row[at.decay]]
    i4[row[at.fires]] = (i4[row[at.fires]] + 1) % i32(isi)
    f4[kicks + 1 + i4[row[at.fires]]] += f32(1.0)
    f8[row[at.spikes]] += i4[row[at.class_sizes] + i4[row[at.fires]]]


@kernel
def forget(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Carry the traces over; slots whose eligibility is gone become free, all of them when an episode ends."""
    n_free, n_live, kicks = i64(i4[row[at.n_free]]), 0, row[at.kicks]
    for k in range(i4[row[at.n_live]]):
        slot = i64(i4[row[at.live] + k])
        record, trace = row[at.slots] + SLOT_FIELDS * slot, row[at.trace] + slot
        x = f4[trace] * f4[kicks]
        if i4[record + NOW] >= 0:
            x += f4[kicks + 1 + i4[record + NOW]]
        f4[trace] = x if x > GONE else f32(0.0)
        if f8[HEAD.ended] != 0.0 or i4[record + AGE] >= row[at.memory]:
            i4[row[at.records] + ROW_FIELDS * i4[record + ROW] + SLOT] = -1
            i4[row[at.free] + n_free] = i32(slot)
            n_free += 1
        else:
            i4[record + AGE] += 1
            i4[row[at.live] + n_live] = i32(slot)
            n_live += 1
    i4[row[at.n_live]], i4[row[at.n_free]] = i32(n_live), i32(n_free)


def _consistent(read: Callable[[int, int], NDArray[Any]], cells: Cells, n: int, n_slots: int) -> bool:
    """Whether every slot is either live or free, once, and every row belongs to one cell."""
    n_rows, n_live, n_free = (int(read(symbol, 1)[0]) for symbol in (cells.n_rows, cells.n_live, cells.n_free))
    slots = np.concatenate([read(cells.live, n_live), read(cells.free, n_free)])
    row_of = read(cells.row_of, n)
    rows = np.sort(row_of[row_of >= 0])
    return np.array_equal(np.sort(slots), np.arange(n_slots)) and np.array_equal(rows, np.arange(n_rows))


class CellSource(NamedTuple):
    """A population of cells as projections see it."""

    cells: Cells
    n: int  # cells
    n_slots: int
    usual_trace: float  # of an active cell
    usual_drive: float  # sum of all traces
    tau_trace: float  # s


def add_cells(
    graph: Graph,
    n: int,
    wanted: int,
    n_active: int,
    interval: float,
    tau_trace: float,
    familiar_after: float,
    memory: int,
    fires: bool = True,
) -> CellSource:
    """Add `n` cells to the graph, of which the `n_active` in the int32 array `wanted` are active.

    `interval` and `tau_trace` in s; `memory`: control steps until an eligibility is gone. Where nothing spikes, active
    cells do not `fire`.
    """
    isi = max(1, round(graph.steps(interval)))
    steady = graph.steps(tau_trace) / isi
    tick = graph.clock.n_steps * graph.clock.dt
    fading = math.ceil(math.log(max(steady / float(GONE), 1.0)) * tau_trace / tick)
    memory = max(memory, fading)  # a slot holds the trace as well
    n_slots, lasting = n_active * (memory + 2), Arena.LASTING
    cells = Cells(
        n_active=n_active, isi=isi, wanted=wanted, row_of=graph.i4(n, -1, lasting),
        records=graph.growing("cells.records", "i4", n, ROW_FIELDS),
        slots=graph.i4(n_slots * SLOT_FIELDS, -1, lasting), trace=graph.f4(n_slots, arena=lasting),
        live=graph.i4(n_slots, arena=lasting), free=graph.i4(n_slots, np.arange(n_slots)[::-1], lasting),
        active=graph.i4(n_active, -1), fired_first=graph.i4(n_active), kicks=graph.f4(1 + isi),
        n_rows=graph.i4(1, arena=lasting), n_live=graph.i4(1, arena=lasting), n_free=graph.i4(1, n_slots, lasting),
        n_first=graph.i4(1), fires=graph.i4(1), class_sizes=graph.i4(isi), spikes=graph.signal("spikes"),
        decay=graph.f4(1, math.exp(-1.0 / graph.steps(tau_trace)), lasting),
        steady=graph.f4(1, steady, lasting), familiar_after=graph.f4(1, familiar_after, lasting),
        memory=memory, stream=graph.stream("cells.class"),
        novelty=graph.signal("novelty", 1.0),
    )  # fmt: skip
    graph.rows_in_use(cells.n_rows)
    graph.index(cells.row_of, n, None, least=-1)
    graph.index(cells.active, n_active, None, least=-1)
    graph.index(cells.fires, 1, isi)
    graph.index(cells.n_live, 1, n_slots + 1)
    graph.index(cells.n_free, 1, n_slots + 1)
    for array in (cells.live, cells.free):
        graph.index(array, n_slots, n_slots)
    graph.index(cells.slots + ROW, n_slots * SLOT_FIELDS - ROW, None, least=-1, stride=SLOT_FIELDS)
    graph.index(cells.slots + NOW, n_slots * SLOT_FIELDS - NOW, isi, least=-1, stride=SLOT_FIELDS)
    graph.row_index("cells.records", CLASS, ROW_FIELDS, isi)
    graph.row_index("cells.records", SLOT, ROW_FIELDS, n_slots, least=-1)
    graph.consistent(lambda read: _consistent(read, cells, n, n_slots))
    part = graph.part(cells)
    graph.call(Phase.ENCODE, begin, part, Mode.ACT)
    graph.call(Phase.ENCODE, look, part, Mode.LOOK)
    if fires:
        graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FORGET, forget, part, Mode.ACT | Mode.TERMINATE | Mode.CLOSE)
    return CellSource(cells, n, n_slots, steady, n_active * steady, tau_trace)
