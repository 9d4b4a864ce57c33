"""Spikes from outside as the population that a decoder reads, for decoders that work without an agent's network."""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import types

from .._numba import compiled_for, kernel, places
from ..graph import Graph, Mode, Phase
from ..network.decision.lif import Population
from ..rows import HEAD, f32, i32, i64
from ..walk import BAD_OFFSETS, OK, OUT_OF_RANGE, UNSORTED


class Inlet(NamedTuple):
    """Row of an inlet for `n` neurons."""

    n: int
    ids: int  # i4[n × n_steps]
    offsets: int  # i4[n_steps + 1]
    fired: int  # f4[n]: 1 where a spike comes at this step
    counts: int  # i4[n]: in this control step
    input: int  # f4[n]: what a decoder sends back; nobody listens


at = places(Inlet)
_GIVEN, _OWN = types.Array(types.int32, 1, "C", readonly=True), types.int32[::1]


@compiled_for(types.int64(_GIVEN, _GIVEN, types.int64, _OWN, _OWN))
def take(ids: Any, offsets: Any, n: Any, own_ids: Any, own_offsets: Any) -> Any:
    """Copy spikes of a control step, if every step's ids are from 0 to `n` − 1 and rising; else says what is wrong."""
    n_steps = own_offsets.size - 1
    if offsets.size != n_steps + 1 or offsets[0] != 0 or offsets[n_steps] > ids.size:
        return BAD_OFFSETS
    for step in range(n_steps):
        before = i64(-1)
        if not offsets[step] <= offsets[step + 1] <= offsets[n_steps]:
            return BAD_OFFSETS
        for k in range(offsets[step], offsets[step + 1]):
            if ids[k] < 0 or ids[k] >= n:
                return OUT_OF_RANGE
            if ids[k] <= before:
                return UNSORTED
            before = i64(ids[k])
    for k in range(offsets[n_steps]):
        own_ids[k] = ids[k]
    for step in range(n_steps + 1):
        own_offsets[step] = offsets[step]
    return OK


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Nothing was counted yet in this control step."""
    for i in range(row[at.n]):
        i4[row[at.counts] + i] = 0
        f4[row[at.input] + i] = f32(0.0)
        if f8[HEAD.fresh] != 0.0:  # else the spikes of the step before are still on their way
            f4[row[at.fired] + i] = f32(0.0)


@kernel
def arrive(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The spikes of this step."""
    step = row[at.offsets] + i64(f8[HEAD.step])
    for i in range(row[at.n]):
        f4[row[at.fired] + i] = f4[row[at.input] + i] = f32(0.0)
    for k in range(i4[step], i4[step + 1]):
        i = i4[row[at.ids] + k]
        f4[row[at.fired] + i] = f32(1.0)
        i4[row[at.counts] + i] += i32(1)


def add_inlet(graph: Graph, n: int) -> Inlet:
    """Add the inlet; `spikes.ids` and `spikes.offsets` are where `take` copies to."""
    n_steps = graph.clock.n_steps
    inlet = Inlet(
        n=n, ids=graph.i4(n * n_steps), offsets=graph.i4(n_steps + 1), fired=graph.f4(n), counts=graph.i4(n),
        input=graph.f4(n),
    )  # fmt: skip
    graph.name("spikes.ids", "i4", inlet.ids, (n * n_steps,))
    graph.name("spikes.offsets", "i4", inlet.offsets, (n_steps + 1,))
    graph.index(inlet.ids, n * n_steps, n)
    graph.index(inlet.offsets, n_steps + 1, n * n_steps + 1)
    part = graph.part(inlet)
    graph.call(Phase.RESET, begin, part, Mode.LOOK)
    graph.call(Phase.INTEGRATE, arrive, part, Mode.LOOK)
    return inlet


def population_of(graph: Graph, inlet: Inlet, first: int, n: int) -> Population:
    """Neurons `first` to `first` + `n` − 1 as a population; what a membrane would be is not there."""
    return Population(
        n=n, v=0, input=inlet.input + first, bias=0, spread=0, rest=0, fired=inlet.fired + first,
        counts=inlet.counts + first, raster=0, expected=graph.f4(n), gate=graph.f4(n), decay=0, t_ref=0, each_decision=0,
        settling=0, stream=0, spikes=0,
    )  # fmt: skip
