"""All-to-all projections from conjunctive cells: the weights of a phase class are added up once a control step.

The same currents as `dense.py`, at a cost that follows the active cells and the classes instead of the spikes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..._numba import kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32, normal
from ...settings import ProjectionConfig
from .cells import CLASS, ROW_FIELDS, CellSource
from .lif import Population


class FromCells(NamedTuple):
    """Row of a projection from cells."""

    n_post: int
    n_active: int
    isi: int
    active: int  # i4[n_active]: rows of the active cells
    fired_first: int  # i4[n_active]: rows whose cells fire for the first time
    n_first: int  # i4
    records: int  # i4[rows, ROW_FIELDS]
    fires: int  # i4: the class that fires
    steady: int  # f4: what an active cell adds to the current, per unit weight, in the steady state
    weights: int  # f4[rows, n_post]
    sums: int  # f4[isi, n_post]: weights of the active cells, by class
    current: int  # f4[n_post]
    input: int  # f4[n_post]
    expected: int  # f4[n_post]
    decay: int  # f4
    gain: int  # f4
    spread: int  # f4: standard deviation of new weights
    bounds: int  # f4[2]
    scale: int  # f8: a signal that multiplies all weights
    start: int  # f8: a signal, the mean of new weights
    stream: int


at = places(FromCells)


@kernel
def first(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Weights of cells that fire for the first time."""
    n, scale = row[at.n_post], f32(f8[row[at.scale]])
    mean, spread, low, high = f32(f8[row[at.start]]), f4[row[at.spread]], f4[row[at.bounds]], f4[row[at.bounds] + 1]
    for k in range(i4[row[at.n_first]]):
        j = i4[row[at.fired_first] + k]
        w = row[at.weights] + j * n
        for i in range(n):
            drawn = spread * normal(f8, row[at.stream], j * n + i) if spread > f32(0.0) else f32(0.0)
            f4[w + i] = min(max(mean + drawn, low), high) / scale


@kernel
def add_up(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Add up the weights of each class."""
    n, sums = row[at.n_post], row[at.sums]
    for i in range(row[at.isi] * n):
        f4[sums + i] = f32(0.0)
    for a in range(row[at.n_active]):
        j = i4[row[at.active] + a]
        if j >= 0:
            w, k = row[at.weights] + j * n, sums + i4[row[at.records] + ROW_FIELDS * j + CLASS] * n
            for i in range(n):
                f4[k + i] += f4[w + i]


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """What the weights alone predict; an episode begins with currents in their steady state."""
    n, current, expected, steady = row[at.n_post], row[at.current], row[at.expected], f4[row[at.steady]]
    gain = f4[row[at.gain]] * f32(f8[row[at.scale]]) * steady
    for c in range(row[at.isi]):
        k = row[at.sums] + c * n
        for i in range(n):
            f4[expected + i] += gain * f4[k + i]
    if f8[HEAD.fresh] != 0.0:
        for i in range(n):
            f4[current + i] = f32(0.0)
        for c in range(row[at.isi]):
            k = row[at.sums] + c * n
            for i in range(n):
                f4[current + i] += steady * f4[k + i]


@kernel
def step(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Deliver the spikes of the class that fires."""
    n, current, decay = row[at.n_post], row[at.current], f4[row[at.decay]]
    arrived, k = row[at.input], row[at.sums] + i4[row[at.fires]] * n
    gain = f4[row[at.gain]] * f32(f8[row[at.scale]])
    for i in range(n):
        f4[current + i] = f4[current + i] * decay + f4[k + i]
        f4[arrived + i] += gain * f4[current + i]


def add_from_cells(
    graph: Graph, name: str, config: ProjectionConfig, pre: CellSource, post: Population, scale: int, start: int | None
) -> FromCells:
    """Add the projection. `start`: a signal that says the mean of new weights, instead of `config.weights`."""
    n, cells, ratio = post.n, pre.cells, config.tau_syn / pre.tau_trace
    projection = FromCells(
        n_post=n, n_active=cells.n_active, isi=cells.isi, active=cells.active, fired_first=cells.fired_first,
        n_first=cells.n_first, records=cells.records, fires=cells.fires,
        steady=graph.f4(1, pre.usual_trace * ratio, Arena.LASTING),
        weights=graph.growing(f"projection.{name}.weights", "f4", pre.n, n), sums=graph.f4(cells.isi * n),
        current=graph.f4(n), input=post.input, expected=post.expected,
        decay=graph.f4(1, math.exp(-1.0 / graph.steps(config.tau_syn)), Arena.LASTING),
        gain=graph.f4(1, config.gain / (pre.usual_drive * ratio), Arena.LASTING),
        spread=graph.f4(1, config.weights_spread, Arena.LASTING), bounds=graph.f4(2, config.bounds, Arena.LASTING),
        scale=scale, start=graph.f8(1, config.weights) if start is None else start, stream=graph.stream(f"{name}.weights"),
    )  # fmt: skip
    part = graph.part(projection)
    graph.call(Phase.PAY, first, part, Mode.ACT)
    graph.call(Phase.SUM, add_up, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.EXPECT, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.DELIVER, step, part, Mode.ACT | Mode.LOOK)
    return projection
