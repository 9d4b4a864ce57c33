"""Rate pair: two groups a dimension pull in opposite directions, as antagonist muscles do.

x = (r₊ − r₋) / full_rate with mean rates of a control step in Hz, cut to [−1, 1]; a lies between rest (x = 0) and the end of
the action's range that x points to. Equal rates, and silence, are rest: a pair that contracts together holds still.

Credit: node perturbation (`currents.py`) with one number a dimension and opposite signs in both groups, so that what excites
one side calms the other (push-pull). A current common to both would not move the action, so none is drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numba import inline, kernel, places
from ..graph import Graph, Mode, Phase
from ..network.decision.lif import Population
from ..settings import LeakyIntegrator, Pwm, Rate
from .currents import Currents, add_currents
from .limits import Stage, value_of

PUSH_PULL = np.array([[1.0], [-1.0]])


class Difference(NamedTuple):
    """Row of one dimension."""

    per_group: int
    counts: int  # i4[2, per_group]: plus, then minus
    unit: int  # f8: x per spike
    command: int  # f8, and so on
    low: int
    rest: int
    high: int


at = places(Difference)


@inline
def difference(i4, counts, per_group):  # type: ignore[no-untyped-def]
    """Spikes of the group that pulls up less those of the one that pulls down."""
    total = 0
    for i in range(per_group):
        total += i4[counts + i] - i4[counts + per_group + i]
    return float(total)


@kernel
def read(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The difference of rates."""
    x = f8[row[at.unit]] * difference(i4, row[at.counts], row[at.per_group])
    f8[row[at.command]] = value_of(x, f8[row[at.low]], f8[row[at.rest]], f8[row[at.high]])


def add_pair(graph: Graph, name: str, config: Rate | LeakyIntegrator | Pwm, population: Population) -> Currents:
    """Exploration of a pair of groups."""
    return add_currents(graph, name, config, population, PUSH_PULL)


def unit_of(graph: Graph, per_group: int, full_rate: float) -> int:
    """Symbol of what one spike in a control step is, in units of the difference of rates that asks for all."""
    return graph.f8(1, 1.0 / (per_group * graph.clock.n_steps * graph.clock.dt * full_rate))


def add_rate(graph: Graph, name: str, config: Rate, population: Population, stage: Stage, d: int) -> Currents:
    """Add the read-out of dimension `d` by the two halves of the population."""
    per_group = population.n // 2
    row = Difference(
        per_group=per_group, counts=population.counts, unit=unit_of(graph, per_group, config.full_rate),
        command=stage.command + d, low=stage.low + d, rest=stage.rest + d, high=stage.high + d,
    )  # fmt: skip
    graph.call(Phase.DECODE, read, graph.part(row), Mode.ACT | Mode.LOOK)
    return add_pair(graph, name, config, population)
