"""Winner-take-all: groups of neurons compete, the winner is the action, and only the winner's later spikes may be paired.

Until `decide_after` each group gets an exploration current and is inhibited by the spikes of the others; then the group
with the most spikes wins, is boosted, and silences the others. The policy that the weights alone predict is a softmax of
the groups' expected input; predictive plasticity subtracts it. Exploration currents persist from one decision to the next
where the active cells are new, so that an untried direction is followed for a while.

Credit: pairings of the winner, less what the policy expected (the score function of a softmax policy, Williams 1992).
A Box action has one selection for each dimension, over ordered levels. What one level learns spreads over its neighbours
by a Gaussian kernel g, rows of unit length: the winner's pairing is credited to level k with (g gᵀ)_ka − Σ_i (g gᵀ)_ki p_i.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import Kernel, inline, kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..rows import HEAD, f32, i32, i64, normal, uniform
from ..settings import Choosing, WarmUp

INHIBITION_DECAY = 0.005  # s, of the inhibition that a spike leaves
SILENCE = f32(-1e9)


class Selection(NamedTuple):
    """Row of a selection among `groups` of `per_group` neurons."""

    groups: int
    per_group: int
    input: int  # f4[n]
    expected: int  # f4[n]
    fired: int  # f4[n]
    gate: int  # f4[n]
    noise: int  # f4[groups]: exploration currents
    recent: int  # f4[groups]: decaying count of spikes
    score: int  # f4[groups]: spikes so far
    predicted: int  # f4[groups]: the policy that the weights predict
    kernel: int  # f4[groups, groups]: g gᵀ
    coefficients: int  # f4[n]: see `plasticity.rstdp`
    winner: int  # i4
    sigma: int  # f4: standard deviation of the exploration currents
    theta: int  # f4: temperature of the predicted policy
    inhibition: int  # f4
    decay: int  # f4: of the inhibition, a step
    boost: int  # f4
    persistence: int  # f4
    cooling: int  # f4
    novelty: int  # f8: mean novelty of the active cells
    success: int  # f8
    decide_at: int  # step
    noise_stream: int
    tie_stream: int
    babble_persistence: int  # f4
    redraw_stream: int  # the same for all selections: they explore and persist together
    silent: int  # the choice where nobody fires, of those that have one


at = places(Selection)


@inline
def _heat(f4, row, f8):  # type: ignore[no-untyped-def]
    """Share of the exploration that success leaves."""
    return f32(1.0) - f4[row[at.cooling]] * f32(f8[row[at.success]])


@kernel
def predict(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The policy that the weights predict, and a clean slate."""
    groups, per_group, p = row[at.groups], row[at.per_group], row[at.predicted]
    top, total, theta = f32(-1e30), f32(0.0), f4[row[at.theta]] * _heat(f4, row, f8)
    for k in range(groups):
        drive = f32(0.0)
        for i in range(k * per_group, (k + 1) * per_group):
            drive += f4[row[at.expected] + i]
            f4[row[at.gate] + i] = f32(0.0)
        f4[p + k] = drive / (f32(per_group) * theta)
        top = max(top, f4[p + k])
        f4[row[at.recent] + k] = f32(0.0)
        f4[row[at.score] + k] = f32(1e-3) * uniform(f8, row[at.tie_stream], k)
    for k in range(groups):
        f4[p + k] = math.exp(f4[p + k] - top)
        total += f4[p + k]
    for k in range(groups):
        f4[p + k] /= total


@kernel
def explore(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Draw exploration currents, or keep those of the decision before."""
    keep = f4[row[at.persistence]] * f8[row[at.novelty]]
    if f8[HEAD.fresh] != 0.0 or uniform(f8, row[at.redraw_stream], 0) >= keep:
        sigma = f4[row[at.sigma]] * _heat(f4, row, f8)
        for k in range(row[at.groups]):
            f4[row[at.noise] + k] = sigma * normal(f8, row[at.noise_stream], k)


@kernel
def babble(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """A winner by lot, or the one before."""
    if f8[HEAD.first] != 0.0 or uniform(f8, row[at.redraw_stream], 0) >= f4[row[at.babble_persistence]]:
        i4[row[at.winner]] = i32(uniform(f8, row[at.noise_stream], 0) * f32(row[at.groups]))


@kernel
def exploit(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """No exploration."""
    for k in range(row[at.groups]):
        f4[row[at.noise] + k] = f32(0.0)


@kernel
def compete(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Currents of this step: noise and inhibition before the decision, boost and silence after it."""
    groups, per_group, step = row[at.groups], row[at.per_group], i64(f8[HEAD.step])
    fired, arrived, recent = row[at.fired], row[at.input], row[at.recent]
    if step <= row[at.decide_at]:
        total = f32(0.0)
        for k in range(groups):
            spikes = f32(0.0)
            if step > 0:  # what fired before belongs to the decision before
                for i in range(k * per_group, (k + 1) * per_group):
                    spikes += f4[fired + i]
            f4[row[at.score] + k] += spikes
            f4[recent + k] = (f4[recent + k] + spikes) * f4[row[at.decay]]
            total += f4[recent + k]
        if step < row[at.decide_at]:
            for k in range(groups):
                others = (total - f4[recent + k]) / f32(per_group)
                current = f4[row[at.noise] + k] - f4[row[at.inhibition]] * others
                for i in range(k * per_group, (k + 1) * per_group):
                    f4[arrived + i] += current
            return
        best = 0
        for k in range(groups):
            if f4[row[at.score] + k] > f4[row[at.score] + best]:
                best = k
        choose(f4, i4, row, best)
    hold(f4, i4, row)


@inline
def hold(f4, i4, row):  # type: ignore[no-untyped-def]
    """Boost the winner and silence the others."""
    per_group, winner = row[at.per_group], i4[row[at.winner]]
    for k in range(row[at.groups]):
        current = f4[row[at.boost]] if k == winner else SILENCE
        for i in range(k * per_group, (k + 1) * per_group):
            f4[row[at.input] + i] += current


@inline
def choose(f4, i4, row, best):  # type: ignore[no-untyped-def]
    """The winner, whose spikes may be paired from now on, and the credit of every level."""
    groups, per_group = row[at.groups], row[at.per_group]
    i4[row[at.winner]] = i32(best)
    for k in range(groups):
        predicted = f32(0.0)
        for i in range(groups):
            predicted += f4[row[at.kernel] + k * groups + i] * f4[row[at.predicted] + i]
        for i in range(k * per_group, (k + 1) * per_group):
            f4[row[at.gate] + i] = f32(1.0) if k == best else f32(0.0)
            f4[row[at.coefficients] + i] = f4[row[at.kernel] + k * groups + best] - predicted


def level_rows(groups: int, spread: float | None) -> NDArray[np.float64]:
    """g: Gaussian rows of unit length; the identity where actions have no order (`spread` None)."""
    if spread is None:
        return np.eye(groups)
    k = np.arange(groups)
    g = np.exp(-0.5 * ((k[:, None] - k) / (spread * (groups - 1))) ** 2)
    return np.asarray(g / np.sqrt((g**2).sum(axis=1, keepdims=True)))


def level_kernel(groups: int, spread: float | None) -> NDArray[np.float64]:
    """g gᵀ."""
    g = level_rows(groups, spread)
    return np.asarray(g @ g.T)


def reach(groups: int, spread: float | None) -> float:
    """How many times larger than onto unordered actions weights onto `groups` levels may become.

    What one level learns its neighbours learn too, and only differences decide. With k̄ the mean of g gᵀ, a level's credit
    exceeds the mean credit by 1 − k̄, where levels without a kernel have 1 − 1/n: the ratio of both.
    """
    return float((1.0 - 1.0 / groups) / max(1.0 - level_kernel(groups, spread).mean(), 1e-3))


def add_selection(
    graph: Graph,
    name: str,
    config: Choosing,
    warm_up: WarmUp,
    population: Population,
    groups: int,
    ordered: bool,
    by: Kernel = compete,
    silent: int = 0,
) -> Selection:
    """Add a selection among `groups` equal groups of the population; `by`: how they compete."""
    n, lasting = population.n, Arena.LASTING
    selection = Selection(
        groups=groups, per_group=n // groups, input=population.input, expected=population.expected, fired=population.fired,
        gate=population.gate, noise=graph.f4(groups), recent=graph.f4(groups), score=graph.f4(groups),
        predicted=graph.f4(groups),
        kernel=graph.f4(groups * groups, level_kernel(groups, config.spread if ordered else None), lasting),
        coefficients=graph.f4(n), winner=graph.i4(1), sigma=graph.f4(1, config.noise, lasting),
        theta=graph.f4(1, config.temperature * max(config.noise, 1e-6), lasting),
        inhibition=graph.f4(1, config.inhibition, lasting),
        decay=graph.f4(1, math.exp(-1.0 / graph.steps(INHIBITION_DECAY)), lasting), boost=graph.f4(1, config.boost, lasting),
        persistence=graph.f4(1, config.persistence, lasting), cooling=graph.f4(1, config.cooling, lasting),
        novelty=graph.signal("novelty", 1.0), success=graph.signal("success"),
        decide_at=round(graph.steps(config.decide_after)), noise_stream=graph.stream(f"{name}.noise"),
        tie_stream=graph.stream(f"{name}.tie"), babble_persistence=graph.f4(1, warm_up.persistence, lasting),
        redraw_stream=graph.stream("redraw"), silent=silent,
    )  # fmt: skip
    graph.name(f"selection.{name}.winner", "i4", selection.winner, (1,))
    graph.name(f"selection.{name}.noise", "f4", selection.noise, (groups,))
    graph.name(f"selection.{name}.predicted", "f4", selection.predicted, (groups,))
    graph.index(selection.winner, 1, groups)
    part = graph.part(selection)
    graph.call(Phase.COMPETE, predict, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.COMPETE, explore, part, Mode.ACT)
    graph.call(Phase.COMPETE, babble, part, Mode.WARM_UP)
    graph.call(Phase.COMPETE, exploit, part, Mode.LOOK)
    graph.call(Phase.SELECT, by, part, Mode.ACT | Mode.LOOK)
    return selection
