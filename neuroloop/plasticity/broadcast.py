"""Learning in a hidden layer from what is broadcast to it: no error travels back along the synapses that made it.

Whatever reads a hidden neuron i sends it a learning signal at every decision (Bellec et al. 2020, eq. 5 and 37-40),

    L_i = Σ_k B_ik (1[k = a] − p_k) + c B_iV

over the actions k of every selection, and for the critic; p is the policy that the weights predicted, a the winner. Where
a decoder explores by currents ξ instead, ½ ξ_k / σ of its groups k stands for 1[k = a] − p_k. With the modulator m of the
learner, a TD error, and local pairings C_ji,

    w_ji ← clip(w_ji + g m E_ji),    E_ji ← λ E_ji + L_i C_ji,    C_ji ← 0

in the order of `rstdp.py`, so credit is the same. Pairings are Σ_t ψ_i ε_j for *e-prop*, and for *feedback alignment*
presynaptic traces at postsynaptic spikes, plus a share of them for input alone: without it a neuron that fell silent stays
silent, and credit goes with a neuron's own rate. B is *symmetric*, the mean weight from i to what k stands for, or *random* and
fixed, drawn once (Lillicrap et al. 2016; one random number for each neuron and error, Nøkland 2016).
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32
from .rstdp import Third


class Signals(NamedTuple):
    """Row of what one reader with `n_out` groups of `per_group` neurons sends to `n` hidden neurons."""

    n: int
    n_out: int
    per_group: int
    signal: int  # f4[n]: L
    feedback: int  # f4[n, n_out]: B
    weights: int  # f4[n, n_out × per_group]: of the projection whose mean is B; 0 if B is fixed
    scale: int  # f8: a signal that multiplies those weights
    predicted: int  # f4[n_out]: p; 0 for a critic
    winner: int  # i4: a
    noise: int  # f4[n_out]: ξ; 0 for a critic or a selection
    share: int  # f4: c for a critic, 1 for a selection, ½ / σ for currents


class Rule(NamedTuple):
    """Row of broadcast learning on a dense projection."""

    n_pre: int
    n_post: int
    before: int  # f4[n_pre]: presynaptic factor
    after: int  # f4[n_post]: postsynaptic factor
    weights: int  # f4[n_pre, n_post]
    eligibility: int  # f4[n_pre, n_post]
    pairs: int  # f4[n_pre, n_post]
    signal: int  # f4[n_post]: L
    parameters: int  # f4[5]
    modulator: int  # f8


to, at = places(Signals), places(Rule)
LOW, HIGH, GAIN, DECAY, PRE_ONLY = range(5)


@kernel
def silence(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """No learning signal yet."""
    for i in range(row[at.n_post]):
        f4[row[at.signal] + i] = f32(0.0)


@kernel
def mirror(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """B is what the weights are."""
    per_group, width = row[to.per_group], row[to.n_out] * row[to.per_group]
    scale = f32(f8[row[to.scale]]) / f32(per_group)
    for i in range(row[to.n]):
        for k in range(row[to.n_out]):
            total, w = f32(0.0), row[to.weights] + i * width + k * per_group
            for h in range(per_group):
                total += f4[w + h]
            f4[row[to.feedback] + i * row[to.n_out] + k] = scale * total


@kernel
def send(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """L += B e, with e the surprise of a selection, or the share of a critic."""
    n_out = row[to.n_out]
    for i in range(row[to.n]):
        total, b = f32(0.0), row[to.feedback] + i * n_out
        if row[to.noise] != 0:
            for k in range(n_out):
                total += f4[b + k] * f4[row[to.noise] + k]
        elif row[to.predicted] == 0:
            total = f4[b]
        else:
            total = f4[b + i4[row[to.winner]]]
            for k in range(n_out):
                total -= f4[b + k] * f4[row[to.predicted] + k]
        f4[row[to.signal] + i] += f4[row[to.share]] * total


@kernel
def pair(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """C_ji += what is local at this step."""
    n, after, pre_only = row[at.n_post], row[at.after], f4[row[at.parameters] + PRE_ONLY]
    for j in range(row[at.n_pre]):
        x, c = f4[row[at.before] + j], row[at.pairs] + j * n
        if x != f32(0.0):
            for i in range(n):
                f4[c + i] += x * (f4[after + i] + pre_only)


@kernel
def change(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """w += g m E, then E ← λ E + L C."""
    n, p, signal, ended = row[at.n_post], row[at.parameters], row[at.signal], f8[HEAD.ended] != 0.0
    low, high, decay, m = f4[p + LOW], f4[p + HIGH], f4[p + DECAY], f4[p + GAIN] * f32(f8[row[at.modulator]])
    for j in range(row[at.n_pre]):
        w, e, c = row[at.weights] + j * n, row[at.eligibility] + j * n, row[at.pairs] + j * n
        for i in range(n):
            f4[w + i] = min(max(f4[w + i] + m * f4[e + i], low), high)
            left = decay * f4[e + i] + f4[signal + i] * f4[c + i]
            f4[e + i] = left if abs(left) > f32(1e-20) and not ended else f32(0.0)
            f4[c + i] = f32(0.0)


def add_broadcast(
    graph: Graph,
    n_pre: int,
    n_post: int,
    before: int,
    after: int,
    weights: int,
    bounds: tuple[float, float],
    third: Third,
    pre_only: float,
) -> int:
    """Make a dense projection with these `weights` plastic; returns the symbol of its learning signals.

    `pre_only` is added to the postsynaptic factor at every step.
    """
    size, lasting = n_pre * n_post, Arena.LASTING
    rule = Rule(
        n_pre=n_pre, n_post=n_post, before=before, after=after, weights=weights,
        eligibility=graph.f4(size, arena=lasting), pairs=graph.f4(size, arena=lasting), signal=graph.f4(n_post),
        parameters=graph.f4(5, [*bounds, third.gain, third.decay, pre_only], lasting), modulator=third.modulator,
    )  # fmt: skip
    part = graph.part(rule)
    graph.call(Phase.PAIR, pair, part, Mode.ACT)
    graph.call(Phase.TEACH, silence, part, Mode.ACT)
    graph.call(Phase.CHANGE, change, part, Mode.ACT | Mode.TERMINATE | Mode.CLOSE)
    return rule.signal


class Reader(NamedTuple):
    """Who reads a hidden population, and would have it fire otherwise."""

    n_out: int
    per_group: int
    predicted: int  # f4[n_out]; 0: a critic
    winner: int  # i4
    share: float
    noise: int = 0  # f4[n_out]; 0: no currents


def add_signals(graph: Graph, n: int, signal: int, reader: Reader, mirrored: tuple[int, int] | None) -> None:
    """Have a reader send learning signals: by the `mirrored` (weights, scale) of the projection to it, or at random."""
    size = n * reader.n_out
    drawn = None if mirrored else graph.rng.standard_normal(size)
    weights, scale = mirrored or (0, 0)
    signals = Signals(
        n=n, n_out=reader.n_out, per_group=reader.per_group, signal=signal,
        feedback=graph.f4(size, drawn, Arena.LASTING), weights=weights, scale=scale, predicted=reader.predicted,
        winner=reader.winner, noise=reader.noise, share=graph.f4(1, reader.share, Arena.LASTING),
    )  # fmt: skip
    part = graph.part(signals)
    if mirrored:
        graph.call(Phase.TEACH, mirror, part, Mode.ACT)
    graph.call(Phase.TEACH, send, part, Mode.ACT)
