"""Input neurons as an encoder makes them: who fires at this step, and what that usually amounts to."""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Graph, Mode, Phase
from ..network.decision.raster import add_raster, note
from ..network.decision.source import Source, add_source


class Firing(NamedTuple):
    """Neurons of an encoder. Symbols of float32 arrays of shape (n,)."""

    n: int
    fired: int  # 1 where a spike is fired at this step
    level: int | None  # the trace that the present observation settles at; None: nothing is known but the past
    usual_trace: float  # of a neuron that is active
    active: float  # neurons that usually are
    tau_trace: float  # s


class Tally(NamedTuple):
    """Row of a counter of spikes."""

    n: int
    fired: int
    raster: int  # i4[words, n]: which steps of this control step they fired at, see `network/decision/raster.py`
    spikes: int  # f8: spikes fired so far, of the whole network


at = places(Tally)


@kernel
def tally(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Count the spikes of this step."""
    for k in range(row[at.n]):
        f8[row[at.spikes]] += f4[row[at.fired] + k]
    note(f4, i4, f8, row[at.fired], row[at.n], row[at.raster])


def as_source(graph: Graph, firing: Firing, path: str) -> Source:
    """These neurons as presynaptic ones: their spikes are counted and noted, and their traces followed."""
    row = Tally(firing.n, firing.fired, add_raster(graph, path, firing.n), graph.signal("spikes"))
    graph.call(Phase.FIRE, tally, graph.part(row), Mode.ACT)
    return add_source(graph, firing.fired, firing.n, firing.tau_trace, firing.level, firing.usual_trace, firing.active)
