"""Population vector: groups stand for values, and the action is the mean of these, weighted by rates.

For each dimension, a = Σ_k n_k c_k / Σ_k n_k with spike counts n_k and preferred values c_k, evenly over the action's range,
ends included (Georgopoulos, Schwartz and Kettner 1986). `gain` stretches what a differs from the middle, since the ends are
only reached where all but one group are silent. Nobody fires: rest.

Credit: node perturbation (`currents.py`) along Gaussian rows over the groups, so that neighbours explore, and learn, alike.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..settings import PopulationVector
from .currents import Currents, add_currents
from .limits import Stage
from .winner_take_all import level_rows


class Vector(NamedTuple):
    """Row of one dimension."""

    groups: int
    per_group: int
    counts: int  # i4[groups, per_group]
    gain: int  # f8
    command: int  # f8, and so on
    low: int
    rest: int
    high: int


at = places(Vector)


@kernel
def read(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The mean of the preferred values."""
    low, high, last = f8[row[at.low]], f8[row[at.high]], float(row[at.groups] - 1)
    total, weighted = 0, 0.0
    for k in range(row[at.groups]):
        for i in range(k * row[at.per_group], (k + 1) * row[at.per_group]):
            total += i4[row[at.counts] + i]
            weighted += i4[row[at.counts] + i] * (float(k) / last)
    share = 0.5
    if total > 0:
        share = min(max(0.5 + f8[row[at.gain]] * (weighted / total - 0.5), 0.0), 1.0)
    f8[row[at.command]] = (1.0 - share) * low + share * high if total > 0 else f8[row[at.rest]]


def add_population_vector(
    graph: Graph, name: str, config: PopulationVector, population: Population, groups: int, stage: Stage, d: int
) -> Currents:
    """Add the read-out of dimension `d` by `groups` equal groups of the population."""
    currents = add_currents(graph, name, config, population, level_rows(groups, config.spread))
    vector = Vector(
        groups=groups, per_group=population.n // groups, counts=population.counts,
        gain=graph.f8(1, config.gain, Arena.LASTING), command=stage.command + d, low=stage.low + d, rest=stage.rest + d,
        high=stage.high + d,
    )  # fmt: skip
    graph.call(Phase.DECODE, read, graph.part(vector), Mode.ACT | Mode.LOOK)
    return currents
