"""Temporal-difference error of a spiking critic as the neuromodulator (Frémaux, Sprekeler and Gerstner 2013).

The critic's mean spike count n̄ in a control step gives V = low + (high − low) (n̄ − n_low) / (n_high − n_low), and
δ = r + γ V' − V (Sutton 1988). Projections onto the critic are modulated by δ in units of its drive; all others by δ over
its running rms, clipped, or by δ as it is. The rms has a floor in units of the returns' spread, or an agent that fails no more
would learn from the count noise of its critic. Success calms both (see `success.py`).

The *automatic* value range follows what values were needed: it starts at the range of the discounted rewards seen in the
warm-up, widens at once and narrows slowly. It never leaves out V without input, or the weights would have to bring every
state back into it, and end at their bounds. A new cell starts with the largest discounted reward seen: optimism in the
face of the unknown (Brafman and Tennenholtz 2002). At the first control step after the warm-up V was 0, so the rms starts
at the size of a whole value and the gain of the actor starts small: a slow start, wanted, since without it CartPole and
Pendulum were left unsolved on some seeds.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Graph, Mode, Phase
from ..network.decision.lif import Population, spikes_of
from ..rows import HEAD, f32
from ..settings import Lif, TdLearner
from .returns import add_returns, clipped, rms

NARROWEST = 1e-3  # value range, in units of the greatest discounted reward
TINIEST = 1e-9  # and where no reward was seen yet


class Td(NamedTuple):
    """Row of a TD learner. All but the populations' arrays are f8."""

    n: int  # critic neurons
    counts: int  # i4[n]
    bias: int  # f4[n]
    spread: int  # f4[n]: what a neuron's bias differs from the mean
    awake: int  # 1 once learning began
    return_sd: int  # see `returns.py`, and so on
    most_return: int
    least_return: int
    most_reward: int
    least_reward: int
    low: int  # the value range
    high: int
    need_low: int  # what was needed of it
    need_high: int
    value_at_rest: int  # V without input
    unit: int  # value per unit of drive
    scale: int  # weights onto the critic are stored divided by this
    start: int  # mean of new weights onto the critic
    value: int  # V, of this control step
    error: int  # δ
    mean_square: int  # of δ
    for_critic: int  # neuromodulators
    for_others: int
    success: int  # see `success.py`
    parameters: int


class Parameters(NamedTuple):
    """Numbers of a TD learner, in one f8 array."""

    gamma: float
    drive_low: float
    drive_high: float
    count_low: float
    count_high: float
    pad: float
    leak: float
    normalised: float  # 1: δ over its rms
    clip: float
    rate: float
    floor: float
    calming: float
    most_weight: float  # bound of new weights


at = places(Td)
par = places(Parameters)


@kernel
def fit_range(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Fit the value range to what was needed: weights are rescaled, biases shifted so that V without input stays."""
    p, awake = row[at.parameters], f8[row[at.awake]] != 0.0
    low, high, pad = f8[row[at.low]], f8[row[at.high]], f8[p + par.pad]
    if not awake:
        f8[row[at.value_at_rest]] = f8[row[at.need_high]] = f8[row[at.most_return]]
        f8[row[at.need_low]] = f8[row[at.least_return]]
    f8[row[at.need_high]] = max(f8[row[at.need_high]], f8[row[at.most_return]])
    gamma = f8[p + par.gamma]
    if gamma < 1.0:  # no value lies outside what rewards so far could add up to
        f8[row[at.need_high]] = min(f8[row[at.need_high]], f8[row[at.most_reward]] / (1.0 - gamma))
        f8[row[at.need_low]] = max(f8[row[at.need_low]], f8[row[at.least_reward]] / (1.0 - gamma))
    need_low = min(f8[row[at.need_low]], f8[row[at.value_at_rest]])
    need_high = max(f8[row[at.need_high]], f8[row[at.value_at_rest]])
    least = NARROWEST * max(abs(f8[row[at.most_return]]), abs(f8[row[at.least_return]])) + TINIEST
    span = max(need_high - need_low, least)
    if not awake or span * (1.0 + 2.0 * pad) < 0.7 * (high - low):
        low, high = need_low - pad * span, need_high + pad * span
    else:
        if need_low < low:
            low = need_low - pad * span
        if need_high > high:
            high = need_high + pad * span
    if low != f8[row[at.low]] or high != f8[row[at.high]]:
        unit = (high - low) / (f8[p + par.drive_high] - f8[p + par.drive_low])
        if awake:
            f8[row[at.scale]] *= f8[row[at.unit]] / unit
        f8[row[at.unit]], f8[row[at.low]], f8[row[at.high]] = unit, low, high
        bias = f8[p + par.drive_low] + (f8[row[at.value_at_rest]] - low) / unit
        for i in range(row[at.n]):
            f4[row[at.bias] + i] = f32(bias) + f4[row[at.spread] + i]
    start = (f8[row[at.most_return]] - f8[row[at.value_at_rest]]) / f8[row[at.unit]]
    f8[row[at.start]] = min(max(start, -f8[p + par.most_weight]), f8[p + par.most_weight])


@kernel
def teach(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Read V, compute δ and the neuromodulators."""
    p, value = row[at.parameters], 0.0
    if f8[HEAD.ended] == 0.0:
        spikes = 0
        for i in range(row[at.n]):
            spikes += i4[row[at.counts] + i]
        count_low, count_high = f8[p + par.count_low], f8[p + par.count_high]
        value = f8[row[at.low]] + (f8[row[at.high]] - f8[row[at.low]]) * (spikes / row[at.n] - count_low) / (
            count_high - count_low
        )
    f8[row[at.for_critic]] = f8[row[at.for_others]] = 0.0
    if f8[HEAD.first] == 0.0 or f8[row[at.awake]] == 0.0:
        before, target = f8[row[at.value]], f8[HEAD.reward] + f8[p + par.gamma] * value
        error, need_low, need_high, square = target - before, row[at.need_low], row[at.need_high], row[at.mean_square]
        f8[row[at.error]] = error
        f8[need_low] = min(f8[need_low] + f8[p + par.leak] * (before - f8[need_low]), target)
        f8[need_high] = max(f8[need_high] + f8[p + par.leak] * (before - f8[need_high]), target)
        size = rms(f8, square, f8[p + par.rate], error)
        calm = 1.0 - f8[p + par.calming] * f8[row[at.success]]
        f8[row[at.for_critic]] = calm * error / (f8[row[at.unit]] * f8[row[at.scale]])
        if f8[p + par.normalised] != 0.0:
            error = clipped(error / (size + f8[p + par.floor] * f8[row[at.return_sd]]), f8[p + par.clip])
        f8[row[at.for_others]] = calm * error
    f8[row[at.value]] = value
    f8[row[at.awake]] = 1.0


@kernel
def hush(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """No neuromodulator."""
    f8[row[at.for_critic]] = f8[row[at.for_others]] = 0.0


class Signals(NamedTuple):
    """Symbols of what a TD learner sends to projections."""

    for_critic: int  # neuromodulators
    for_others: int
    scale: int  # weights onto the critic are stored divided by this
    start: int  # mean of new weights onto the critic


def td_signals(graph: Graph) -> Signals:
    """The signals, which projections need before the learner is added."""
    return Signals(
        graph.signal("modulator.critic"), graph.signal("modulator.others"), graph.signal("value.scale", 1.0),
        graph.signal("value.start")
    )  # fmt: skip


def critic_bias(config: TdLearner) -> float:
    """The bias with which a critic without input says V = 0. An automatic range sets it later."""
    if isinstance(config.value_range, str):
        return 0.0
    (low, high), (drive_low, drive_high) = config.value_range, config.drive_range
    return drive_low - low * (drive_high - drive_low) / (high - low)


def usual_count(config: TdLearner, lif: Lif, duration: float) -> float:
    """Spikes of a critic neuron in `duration` (s) at the middle of the value range."""
    return spikes_of(sum(config.drive_range) / 2.0, lif.tau_mem, lif.t_ref, duration)


def add_td(graph: Graph, config: TdLearner, signals: Signals, critic: Population, lif: Lif, most_weight: float) -> None:
    """Add the learner.

    `lif` describes the critic, `most_weight` bounds the weights that new cells get.
    """
    signal, returns, duration = graph.signal, add_returns(graph, config.gamma), graph.clock.n_steps * graph.clock.dt
    automatic = isinstance(config.value_range, str)
    low, high = (0.0, 0.0) if isinstance(config.value_range, str) else config.value_range
    drive_low, drive_high = config.drive_range
    numbers = Parameters(
        gamma=config.gamma, drive_low=drive_low, drive_high=drive_high,
        count_low=spikes_of(drive_low, lif.tau_mem, lif.t_ref, duration),
        count_high=spikes_of(drive_high, lif.tau_mem, lif.t_ref, duration),
        pad=config.range_pad, leak=config.range_leak, normalised=float(config.error == "normalised"),
        clip=config.error_clip, rate=config.error_rate, floor=config.error_floor, calming=config.calming,
        most_weight=most_weight,
    )  # fmt: skip
    part = graph.part(
        Td(
            n=critic.n, counts=critic.counts, bias=critic.bias, spread=critic.spread,
            awake=signal("awake"),
            return_sd=returns.sd, most_return=returns.most, least_return=returns.least,
            most_reward=returns.most_reward, least_reward=returns.least_reward,
            low=signal("value.low", low), high=signal("value.high", high),
            need_low=signal("value.need_low"), need_high=signal("value.need_high"), value_at_rest=signal("value.at_rest"),
            unit=signal("value.unit", (high - low) / (drive_high - drive_low)), scale=signals.scale,
            start=signals.start, value=signal("value"),
            error=signal("td_error"), mean_square=signal("td_error.mean_square", config.error_start**2),
            for_critic=signals.for_critic, for_others=signals.for_others, success=signal("success"),
            parameters=graph.f8(len(numbers), numbers),
        )
    )  # fmt: skip
    if automatic:
        graph.call(Phase.RANGE, fit_range, part, Mode.ACT | Mode.TERMINATE)
    graph.call(Phase.TEACH, teach, part, Mode.ACT | Mode.TERMINATE)
    graph.call(Phase.TEACH, hush, part, Mode.CLOSE)
