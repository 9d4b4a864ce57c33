"""First spike: whichever group fires first is the choice (Thorpe, Delorme and Van Rullen 2001).

Groups that fire in the same step go on to the next one, unless one of them fired more than the others; so it goes on among
the best until one is left, or `decide_after` is reached, when the lowest number wins: no lot is drawn. If nobody fired by
then, the choice is 0, or of a Box's levels the one nearest to rest. The winner is boosted and silences the others.

Credit: as `winner_take_all.py` has it, by the same parts. Only the winner's later spikes are paired, from which the policy
that the weights predict is subtracted. The race follows the same softmax as a count of spikes, at the same temperature.
"""

from __future__ import annotations

from .._numba import inline, kernel
from ..graph import Graph
from ..network.decision.lif import Population
from ..rows import HEAD, f32, i64
from ..settings import FirstSpike, WarmUp
from .winner_take_all import Selection, add_selection, at, choose, hold

OUT, WAITING, LEADS, WON = f32(-1.0), f32(0.0), f32(1.0), f32(2.0)  # what `recent` holds of a group


@inline
def _run(f4, row):  # type: ignore[no-untyped-def]
    """One step of the race; the number of groups that are left, and the last of them."""
    groups, per_group, recent = row[at.groups], row[at.per_group], row[at.recent]
    most = f32(0.0)
    for k in range(groups):
        spikes = f32(0.0)
        for i in range(k * per_group, (k + 1) * per_group):
            spikes += f4[row[at.fired] + i]
        f4[row[at.score] + k] = spikes
        if f4[recent + k] != OUT:
            most = max(most, spikes)
    left, last = 0, 0
    for k in range(groups):
        if f4[recent + k] != OUT and f4[row[at.score] + k] == most:
            left, last = left + 1, k
            if most > f32(0.0):
                f4[recent + k] = LEADS
        elif most > f32(0.0):
            f4[recent + k] = OUT
    return left if most > f32(0.0) else 0, last


@kernel
def race(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Currents of this step: noise before the decision, boost and silence after it."""
    groups, per_group, step, recent = row[at.groups], row[at.per_group], i64(f8[HEAD.step]), row[at.recent]
    won, leader = False, -1
    for k in range(groups):
        won = won or f4[recent + k] == WON
    if not won and step > 0:  # what fired before belongs to the decision before
        left, best = _run(f4, row)
        if left != 1 and step == row[at.decide_at]:
            for k in range(groups):
                if leader < 0 and f4[recent + k] == LEADS:
                    leader = k
            best, left = leader if leader >= 0 else row[at.silent], 1
        if left == 1:
            choose(f4, i4, row, best)
            f4[recent + best] = WON
            won = True
    if won:
        hold(f4, i4, row)
    else:
        for k in range(groups):
            for i in range(k * per_group, (k + 1) * per_group):
                f4[row[at.input] + i] += f4[row[at.noise] + k]


def add_first_spike(
    graph: Graph,
    name: str,
    config: FirstSpike,
    warm_up: WarmUp,
    population: Population,
    groups: int,
    ordered: bool,
    silent: int,
) -> Selection:
    """Add a race among `groups` equal groups of the population; `silent`: the choice where nobody fires."""
    return add_selection(graph, name, config, warm_up, population, groups, ordered, race, silent)
