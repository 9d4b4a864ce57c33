"""Reward-modulated STDP on dense projections: pairings, eligibility, and one neuromodulator that turns it into weights.

At every postsynaptic spike the pairing C_ji grows by the presynaptic trace x_j (pre before post; Song, Miller and Abbott
2000). Once a control step, in this order (Izhikevich 2007; Frémaux and Gerstner 2016, eq. 9-11),

    w_ji ← clip(w_ji + g m E_ji),    E_ji ← λ E_ji + C_ji,    C_ji ← 0

so m, which knows the reward for the control step before, meets the eligibility as it stood at the end of that step. Variants:
a *replacing* trace is capped at one usual pairing (Singh and Sutton 1996); *pre-only* adds a share of a pairing for input
alone, so that silenced neurons recover; *predictive* subtracts from the winner's mean pairing what the policy expected,
the score function of a softmax policy (Williams 1992), and spreads it over neighbouring levels. Where a decoder explores by
currents (`decoders.currents`), these are what is paired, in place of spikes.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import inline, kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..network.decision.source import Source
from ..rows import HEAD, f32, i32, i64
from ..settings import Pes, ProjectionConfig, RStdp


class Third(NamedTuple):
    """The third factor of a rule and what it is measured in; symbols of f8 signals, and numbers."""

    modulator: int  # m
    gain: float  # g, already divided by what a usual pairing amounts to
    decay: float  # λ, a control step
    usual_pairing: float  # C of an active input with an active neuron
    scale: int  # weights are stored divided by this signal


class Predicted(NamedTuple):
    """What a selection tells predictive plasticity."""

    per_group: int  # neurons of a group
    coefficients: int  # f4[n_post]: share of the winner's mean pairing that a neuron gets
    winner: int  # i4


class Rule(NamedTuple):
    """Row of R-STDP on a dense projection."""

    n_pre: int
    n_post: int
    trace: int  # f4[n_pre]
    fired: int  # f4[n_post]: the postsynaptic factor, spikes mostly
    gate: int  # f4[n_post]
    weights: int  # f4[n_pre, n_post]
    eligibility: int  # f4[n_pre, n_post]
    pairs: int  # f4[n_post, n_pre]
    paired: int  # i4[n_post]: whether a neuron has any pairings, and, when weights change, which ones have
    pairing: int  # f4[TURNED, n_post]: of the inputs in hand, zero in between
    parameters: int  # f4[8]
    modulator: int  # f8
    scale: int  # f8
    per_group: int  # 0 if not predictive
    coefficients: int
    winner: int
    delay: int  # control steps until a pairing becomes eligible
    late: int  # f4[delay, n_pre, n_post]: pairings that wait


at = places(Rule)
LOW, HIGH, GAIN, DECAY, CAP, PRE_ONLY, USUAL_TRACE, KEPT = range(8)
NO_CAP = 1e30
TURNED = 16  # inputs whose pairings are turned at a time: a cache line of them
FEW = 32  # neurons that are looked at together
STILL_ACTIVE = f32(0.4)  # of its usual trace: an input with less earns no pre-only share


def parameters(config: RStdp | Pes, bounds: tuple[float, float], third: Third, usual_trace: float) -> list[float]:
    """The numbers of a rule, in the order LOW, HIGH, GAIN, DECAY, CAP, PRE_ONLY, USUAL_TRACE, KEPT."""
    cap, pre_only = NO_CAP, 0.0
    if isinstance(config, RStdp):
        cap = third.usual_pairing if config.trace == "replacing" else NO_CAP
        pre_only = config.pre_only * third.usual_pairing
    kept = 1.0 - config.leak if isinstance(config, Pes) else 1.0
    return [*bounds, third.gain, third.decay, cap, pre_only, usual_trace, kept]


@inline
def take_in(f4, e, pairing, n, decay, extra, cap, per_group, winner, coefficients):  # type: ignore[no-untyped-def]
    """E ← λ E + C for one input: capped, or with the winner's mean pairing shared out by `coefficients`."""
    if per_group == 0:
        for i in range(n):
            f4[e + i] = min(decay * f4[e + i] + f4[pairing + i] + extra, cap)
    else:
        first, mean = winner * per_group, f32(0.0)
        for i in range(first, first + per_group):
            mean += f4[pairing + i]
        mean /= f32(per_group)
        for i in range(n):
            f4[e + i] = decay * f4[e + i] + mean * f4[coefficients + i] + extra
        for i in range(first, first + per_group):
            f4[e + i] += f4[pairing + i] - mean


@inline
def list_paired(i4, row):  # type: ignore[no-untyped-def]
    """Neurons that have pairings, as a list in place of a mark each; returns how many."""
    paired, count = row[at.paired], 0
    for i in range(row[at.n_post]):
        if i4[paired + i] != 0:
            i4[paired + count] = i32(i)
            count += 1
    return count


@inline
def turn(f4, i4, row, j, m, count):  # type: ignore[no-untyped-def]
    """Take the pairings of m inputs from j on, which lie by neuron, and put them in hand, by input."""
    n_pre, n, pairing = row[at.n_pre], row[at.n_post], row[at.pairing]
    if row[at.delay] > 0:  # others were left in their place
        for k in range(m * n):
            f4[pairing + k] = f32(0.0)
    for a in range(count):
        i = i64(i4[row[at.paired] + a])
        c = row[at.pairs] + i * n_pre + j
        for k in range(m):
            f4[pairing + k * n + i] = f4[c + k]
            f4[c + k] = f32(0.0)


@inline
def let_go(f4, i4, row, count):  # type: ignore[no-untyped-def]
    """No pairings are in hand, and no neuron has any."""
    n = row[at.n_post]
    for a in range(count):
        i = i64(i4[row[at.paired] + a])
        for k in range(TURNED):
            f4[row[at.pairing] + k * n + i] = f32(0.0)
    for k in range(n):
        i4[row[at.paired] + k] = 0


@inline
def wait(f4, row, j, pairing):  # type: ignore[no-untyped-def]
    """The pairing in hand of input j joins those that wait, and the one that waited longest takes its place."""
    n = row[at.n_post]
    for k in range(row[at.delay]):
        late = row[at.late] + (k * row[at.n_pre] + j) * n
        for i in range(n):
            f4[late + i], f4[pairing + i] = f4[pairing + i], f4[late + i]


@kernel
def pair(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """C_ji += x_j at every postsynaptic spike that the gate lets through."""
    n_pre, n, trace, fired, gate = row[at.n_pre], row[at.n_post], row[at.trace], row[at.fired], row[at.gate]
    for first in range(0, n, FEW):  # most are silent
        end, active = min(first + FEW, n), i32(0)
        for i in range(first, end):
            active += i32(1) if f4[fired + i] != f32(0.0) else i32(0)
        if active == 0:
            continue
        for i in range(first, end):
            y = f4[fired + i] * f4[gate + i]
            if y != f32(0.0):
                i4[row[at.paired] + i] = 1
                c = row[at.pairs] + i * n_pre
                for j in range(n_pre):
                    f4[c + j] += y * f4[trace + j]


@kernel
def change(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """w += g m E, then E ← λ E + C."""
    n_pre, n, p = row[at.n_pre], row[at.n_post], row[at.parameters]
    scale, ended = f32(f8[row[at.scale]]), f8[HEAD.ended] != 0.0
    decay, cap = f4[p + DECAY], f4[p + CAP]
    low, high, m = f4[p + LOW] / scale, f4[p + HIGH] / scale, f4[p + GAIN] * f32(f8[row[at.modulator]])
    kept, count = f4[p + KEPT], list_paired(i4, row)
    for j in range(n_pre):
        w, e, pairing = row[at.weights] + j * n, row[at.eligibility] + j * n, row[at.pairing] + (j % TURNED) * n
        if j % TURNED == 0:
            turn(f4, i4, row, j, min(TURNED, n_pre - j), count)
        for i in range(n):
            f4[w + i] = min(max(kept * f4[w + i] + m * f4[e + i], low), high)
        if ended:
            for i in range(n):
                f4[e + i] = f32(0.0)
            for k in range(row[at.delay]):
                for i in range(n):
                    f4[row[at.late] + (k * n_pre + j) * n + i] = f32(0.0)
            continue
        extra = f4[p + PRE_ONLY] if f4[row[at.trace] + j] > STILL_ACTIVE * f4[p + USUAL_TRACE] else f32(0.0)
        wait(f4, row, j, pairing)
        winner = i4[row[at.winner]] if row[at.per_group] > 0 else 0
        take_in(f4, e, pairing, n, decay, extra, cap, row[at.per_group], winner, row[at.coefficients])
    let_go(f4, i4, row, count)


def name_pairing(graph: Graph, name: str, third: Third) -> None:
    """Make readable what eligibility is measured in."""
    graph.name(f"projection.{name}.usual_pairing", "f8", graph.f8(1, third.usual_pairing), (1,))


def add_rstdp(
    graph: Graph,
    name: str,
    projection: ProjectionConfig,
    config: RStdp | Pes,
    pre: Source,
    post: Population,
    weights: int,
    third: Third,
    predicted: Predicted | None,
) -> None:
    """Make the dense projection with these `weights` plastic."""
    size = pre.n * post.n
    delay = config.delay if isinstance(config, Pes) else 0
    groups = predicted or Predicted(0, 0, 0)
    eligibility = graph.f4(size, arena=Arena.LASTING)
    graph.name(f"projection.{name}.eligibility", "f4", eligibility, (pre.n, post.n))
    name_pairing(graph, name, third)
    part = graph.part(
        Rule(
            n_pre=pre.n, n_post=post.n, trace=pre.trace, fired=post.fired, gate=post.gate, weights=weights,
            eligibility=eligibility, pairs=graph.f4(size, arena=Arena.LASTING),
            paired=graph.i4(post.n, arena=Arena.LASTING), pairing=graph.f4(TURNED * post.n, arena=Arena.LASTING),
            parameters=graph.f4(8, parameters(config, projection.bounds, third, pre.usual_trace), Arena.LASTING),
            modulator=third.modulator, scale=third.scale,
            per_group=groups.per_group, coefficients=groups.coefficients, winner=groups.winner,
            delay=delay, late=graph.f4(delay * size, arena=Arena.LASTING),
        )
    )  # fmt: skip
    graph.call(Phase.PAIR, pair, part, Mode.ACT)
    graph.call(Phase.CHANGE, change, part, Mode.ACT | Mode.TERMINATE | Mode.CLOSE)
