"""Who fired in which step of a control step, as bits: step k of neuron i is bit k mod 32 of word (k div 32, i)."""

from __future__ import annotations

from ..._numba import inline
from ...graph import Graph
from ...rows import HEAD, f32, i32, i64

STEPS = 32  # in a word


@inline
def note(f4, i4, f8, fired, n, raster):  # type: ignore[no-untyped-def]
    """Note who fires at this step. The first step of a word wipes what the control step before left there."""
    step = i64(f8[HEAD.step])
    bit, word = i32(1 << (step % STEPS)), raster + n * (step // STEPS)
    if step % STEPS == 0:
        for i in range(n):
            i4[word + i] = i32(f4[fired + i] != f32(0.0))
    else:
        for i in range(n):
            i4[word + i] |= i32(f4[fired + i] != f32(0.0)) * bit


def add_raster(graph: Graph, path: str, n: int) -> int:
    """Symbol of a new raster of `n` neurons, which is named after them."""
    words = -(-graph.clock.n_steps // STEPS)
    raster = graph.i4(words * n)
    graph.name(f"{path}.raster", "i4", raster, (words, n))
    return raster
