"""Leaky integrator: a pair of groups whose spikes each pull for a while, as the twitch of a motor unit does.

At every step, with s the spikes a neuron of a group and α = 1 − e^(−dt/τ), y₁ ← y₁ + α (s/dt − y₁): the rate, filtered. With
order 2 a second filter of the same τ follows, so that a spike's force rises and falls as (t/τ) e^(−t/τ), the twitch of
a critically damped muscle (Milner-Brown, Stein and Yemm 1973). Torque: x = (y₊ − y₋) / full_rate at the control step's
end, cut to [−1, 1], from rest to the end of the range that it points to.

Credit: node perturbation (`currents.py`) with opposite signs in both groups. Force outlasts a control step, so what a current
did is felt some decisions later: eligibility has to last as long (`lambda`), and persistence helps.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..rows import HEAD
from ..settings import LeakyIntegrator
from .currents import Currents
from .limits import Stage, value_of
from .rate import add_pair


class Muscle(NamedTuple):
    """Row of one dimension."""

    per_group: int
    fired: int  # f4[2, per_group]: plus, then minus
    order: int
    filtered: int  # f8[2]: y₊ − y₋ after one filter, and after two; Hz
    share: int  # f8: α
    rate: int  # f8: Hz of a neuron, for one spike of the group in a step
    full_rate: int  # f8
    command: int  # f8, and so on
    low: int
    rest: int
    high: int


at = places(Muscle)


@kernel
def twitch(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Filter the spikes of this step. Both filters are linear, so they see the difference of the groups."""
    y, per_group = row[at.filtered], row[at.per_group]
    if f8[HEAD.fresh] != 0.0 and f8[HEAD.step] == 0.0:
        f8[y] = f8[y + 1] = 0.0
    pull = 0.0
    for i in range(per_group):
        pull += f4[row[at.fired] + i] - f4[row[at.fired] + per_group + i]
    f8[y] += f8[row[at.share]] * (f8[row[at.rate]] * pull - f8[y])
    f8[y + 1] += f8[row[at.share]] * (f8[y] - f8[y + 1])


@kernel
def pull(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The force at the end of the control step."""
    x = f8[row[at.filtered] + row[at.order] - 1] / f8[row[at.full_rate]]
    f8[row[at.command]] = value_of(x, f8[row[at.low]], f8[row[at.rest]], f8[row[at.high]])


def add_leaky_integrator(
    graph: Graph, name: str, config: LeakyIntegrator, population: Population, stage: Stage, d: int
) -> Currents:
    """Add the read-out of dimension `d` by the two halves of the population."""
    per_group = population.n // 2
    muscle = Muscle(
        per_group=per_group, fired=population.fired, order=config.order, filtered=graph.f8(2, arena=Arena.TRANSIENT),
        share=graph.f8(1, -math.expm1(-1.0 / graph.steps(config.tau))), rate=graph.f8(1, 1.0 / (per_group * graph.clock.dt)),
        full_rate=graph.f8(1, config.full_rate), command=stage.command + d, low=stage.low + d, rest=stage.rest + d,
        high=stage.high + d,
    )  # fmt: skip
    part = graph.part(muscle)
    graph.call(Phase.TRAVEL, twitch, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.DECODE, pull, part, Mode.ACT | Mode.LOOK)
    return add_pair(graph, name, config, population)
