"""A linear actor-critic(λ) on an encoder's cells: what the spiking agents would be without spikes, and so their ceiling.

With M cells active at a time, sums over the active ones,

    V = Σ w_j,    h_k = Σ_i g_ki Σ w_ji,    p = softmax(h),    a = argmax(h + ξ) with Gumbel noise ξ, hence a ~ p
    δ = r + γ V' − V,    δ̂ = clip(δ / (rms δ + floor σ_G))
    w_j ← w_j + α_v/M δ z_j,    w_ji ← clip(w_ji + α_a/M δ̂ z_ji)
    z_j = 1 where active, else γ λ_v z_j,    z_ji ← γ λ_a z_ji + Σ_k g_ki (1[k = a] − p_k) where active

(Barto, Sutton and Anderson 1983; Sutton and Barto 2018, chapter 13.5, with tile coding, 9.5.4). g spreads over the levels
of a Box, rows of unit length; else it is the identity. A new cell predicts the best discounted reward seen (Brafman and
Tennenholtz 2002); ξ persists where cells are new. Success (see `success.py`) cools, which divides h, and calms δ and δ̂. Credit
is as `neuroloop.learning` says, but for one thing that spikes cannot do: weights change by δ before they decide, not after.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import inline, kernel, places
from ..decoders.actions import ActionCode
from ..decoders.winner_take_all import level_rows
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.cells import CellSource
from ..network.decision.readout import Readout, add_readout, read
from ..rows import HEAD, i32, uniform
from ..settings import LinearConfig
from .returns import add_returns, clipped, rms

NO_LIMIT = 1e30


class Critic(NamedTuple):
    """Row of the TD error. All are f8."""

    expected: int  # V' as the weights were
    value: int  # V, as the weights are after the change
    start: int  # weight of a new cell
    modules: int  # M
    n_rewards: int
    most_return: int
    return_sd: int
    error: int  # δ
    mean_square: int  # of δ
    normalised: int  # δ̂
    awake: int  # 1 once learning began
    success: int
    parameters: int


class Parameters(NamedTuple):
    """Numbers of the TD error, in one f8 array."""

    gamma: float
    clip: float
    rate: float
    floor: float
    calming: float


class Actor(NamedTuple):
    """Row of one dimension's choice among `n`. Arrays have shape (n,) and are f8 unless said otherwise."""

    n: int
    output: int  # Σ w_ji
    score: int  # Σ_k g_ki (1[k = a] − p_k)
    preference: int  # h
    noise: int  # ξ
    levels: int  # (n, n): g
    winner: int  # i4: a
    novelty: int  # mean novelty of the active cells
    success: int
    cooling: int
    persistence: int  # (2,): of ξ where all is new, and of the winner while babbling
    noise_stream: int
    redraw_stream: int  # the same for all dimensions


td, par, choice = places(Critic), places(Parameters), places(Actor)


@kernel
def hope(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """A wholly new state is worth the best discounted reward seen, if there was any."""
    f8[row[td.start]] = f8[row[td.most_return]] / row[td.modules] if f8[row[td.n_rewards]] > 0.0 else 0.0


@kernel
def compare(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """δ, unless nothing was decided before."""
    p, square = row[td.parameters], row[td.mean_square]
    f8[row[td.error]] = f8[row[td.normalised]] = 0.0
    if f8[HEAD.first] == 0.0 and f8[row[td.awake]] != 0.0:
        expected = 0.0 if f8[HEAD.ended] != 0.0 else f8[row[td.expected]]
        error = f8[HEAD.reward] + f8[p + par.gamma] * expected - f8[row[td.value]]
        size = rms(f8, square, f8[p + par.rate], error) + f8[p + par.floor] * f8[row[td.return_sd]]
        calm = 1.0 - f8[p + par.calming] * f8[row[td.success]]
        f8[row[td.error]] = calm * error
        f8[row[td.normalised]] = clipped(error / size, f8[p + par.clip]) * calm
    f8[row[td.awake]] = 1.0


@kernel
def keep(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """V, which the next δ compares with."""
    f8[row[td.value]] = f8[row[td.expected]]


@inline
def _prefer(f8, row):  # type: ignore[no-untyped-def]
    """h, and the largest of h + ξ."""
    n, best, heat = row[choice.n], 0, 1.0 - f8[row[choice.cooling]] * f8[row[choice.success]]
    for k in range(n):
        h = 0.0
        for i in range(n):
            h += f8[row[choice.levels] + k * n + i] * f8[row[choice.output] + i]
        f8[row[choice.preference] + k] = h / heat
        if h / heat + f8[row[choice.noise] + k] > f8[row[choice.preference] + best] + f8[row[choice.noise] + best]:
            best = k
    return best


@kernel
def choose(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """a, and what its cells become eligible for."""
    n, noise = row[choice.n], row[choice.noise]
    keep = f8[row[choice.persistence]] * f8[row[choice.novelty]]
    if f8[HEAD.fresh] != 0.0 or uniform(f8, row[choice.redraw_stream], 0) >= keep:
        for k in range(n):
            f8[noise + k] = -math.log(-math.log(uniform(f8, row[choice.noise_stream], k) + 1e-12) + 1e-12)
    best = _prefer(f8, row)
    i4[row[choice.winner]] = i32(best)
    top, total = f8[row[choice.preference]], 0.0
    for k in range(n):
        top = max(top, f8[row[choice.preference] + k])
        f8[row[choice.score] + k] = 0.0
    for k in range(n):
        total += math.exp(f8[row[choice.preference] + k] - top)
    for k in range(n):
        surprise = (1.0 if k == best else 0.0) - math.exp(f8[row[choice.preference] + k] - top) / total
        for i in range(n):
            f8[row[choice.score] + i] += f8[row[choice.levels] + k * n + i] * surprise


@kernel
def babble(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An action by lot, or the one before."""
    if f8[HEAD.first] != 0.0 or uniform(f8, row[choice.redraw_stream], 0) >= f8[row[choice.persistence] + 1]:
        i4[row[choice.winner]] = i32(uniform(f8, row[choice.noise_stream], 0) * row[choice.n])


@kernel
def exploit(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The action that is preferred."""
    for k in range(row[choice.n]):
        f8[row[choice.noise] + k] = 0.0
    i4[row[choice.winner]] = i32(_prefer(f8, row))


def add_linear(graph: Graph, config: LinearConfig, pre: CellSource, actions: ActionCode) -> None:
    """Add critic and actor: one choice for each dimension of the action, and one δ for all."""
    learner, modules = config.learner, pre.cells.n_active
    returns, start = add_returns(graph, learner.gamma), graph.signal("value.start")
    error, normalised = graph.signal("td_error"), graph.signal("td_error.normalised")
    numbers = Parameters(learner.gamma, learner.error_clip, learner.error_rate, learner.error_floor, learner.calming)
    value, reading = add_readout(
        graph, "value", pre, 1, start=start, modulator=error, score=graph.signal("one", 1.0),
        gain=learner.value_gain / modules, decay=learner.gamma * learner.value_decay, limit=NO_LIMIT, replacing=True,
    )  # fmt: skip
    critic = graph.part(
        Critic(
            expected=value.output, value=graph.signal("value"), start=start, modules=modules,
            n_rewards=returns.n_rewards, most_return=returns.most, return_sd=returns.sd, error=error,
            mean_square=graph.signal("td_error.mean_square"), normalised=normalised,
            awake=graph.signal("awake"), success=graph.signal("success"), parameters=graph.f8(len(numbers), numbers),
        )
    )  # fmt: skip
    graph.call(Phase.RANGE, hope, critic, Mode.ACT)
    graph.call(Phase.SUM, read, reading, Mode.ACT)
    graph.call(Phase.COMPETE, compare, critic, Mode.ACT | Mode.TERMINATE)
    graph.call(Phase.SELECT, keep, critic, Mode.ACT)
    for d, n in enumerate(actions.groups):
        score = graph.f8(n, arena=Arena.TRANSIENT)
        policy, _ = add_readout(
            graph, f"policy[{d}]", pre, n, start=graph.signal("nothing"), modulator=normalised, score=score,
            gain=learner.policy_gain / modules, decay=learner.gamma * learner.policy_decay,
            limit=learner.policy_limit / modules, replacing=False,
        )  # fmt: skip
        _add_actor(graph, config, d, policy, score, actions)


def _add_actor(graph: Graph, config: LinearConfig, d: int, policy: Readout, score: int, actions: ActionCode) -> None:
    n, transient = policy.n, Arena.TRANSIENT
    levels = level_rows(n, config.decoder.spread if actions.ordered else None)
    actor = Actor(
        n=n, output=policy.output, score=score, preference=graph.f8(n, arena=transient), noise=graph.f8(n, arena=transient),
        levels=graph.f8(n * n, levels), winner=graph.i4(1), novelty=graph.signal("novelty", 1.0),
        success=graph.signal("success"), cooling=graph.f8(1, config.decoder.cooling),
        persistence=graph.f8(2, [config.decoder.persistence, config.warm_up.persistence]),
        noise_stream=graph.stream(f"{d}.noise"), redraw_stream=graph.stream("redraw"),
    )  # fmt: skip
    graph.name(f"selection.{d}.winner", "i4", actor.winner, (1,))
    graph.index(actor.winner, 1, n)
    part = graph.part(actor)
    graph.call(Phase.SELECT, choose, part, Mode.ACT)
    graph.call(Phase.COMPETE, babble, part, Mode.WARM_UP)
    graph.call(Phase.SELECT, exploit, part, Mode.LOOK)
