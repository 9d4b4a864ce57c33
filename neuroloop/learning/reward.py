"""The reward as the neuromodulator, with or without a baseline; no critic.

*R-STDP* (MSTDPET, Florian 2007; Izhikevich 2007) hands the reward on as it is: m = r. *R-max* (Frémaux, Sprekeler
and Gerstner 2010) subtracts what was to be expected, the running mean of rewards: m = r − r̄, r̄ ← r̄ + ρ (r − r̄),
so that what reinforces is doing better than usual, whatever the reward's sign and offset. With predictive plasticity it is
the policy gradient of Baxter and Bartlett (2001). *normalised* divides m by its running rms and clips it, as a TD learner
does.

What m cannot know: R-STDP pays alike for all that happens while rewards are constant, and both pay for luck, since nothing
predicts the reward of the state at hand. Eligibility alone bridges delays.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Graph, Mode, Phase
from ..rows import HEAD
from ..settings import RewardLearner, RMaxLearner
from .returns import EVERY_REWARD, add_returns, clipped, rms


class Paid(NamedTuple):
    """Row of a learner from rewards alone. All are f8."""

    awake: int  # 1 once learning began
    n_rewards: int  # of rewards so far
    mean: int  # r̄
    error: int  # m as it is
    mean_square: int  # of m
    modulator: int
    parameters: int


class Parameters(NamedTuple):
    """Numbers of the learner, in one f8 array."""

    mean_rate: float  # 0: no baseline
    normalised: float
    clip: float
    rate: float


at, par = places(Paid), places(Parameters)


@kernel
def compare(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """m = r − r̄ with r̄ of the rewards before; then r̄ takes r in, and until the rate allows no better, as the mean of all."""
    f8[row[at.error]] = 0.0
    if f8[HEAD.first] == 0.0:
        rate = f8[row[at.parameters] + par.mean_rate]
        if rate > 0.0:
            error = f8[HEAD.reward] - f8[row[at.mean]]
            f8[row[at.mean]] += max(rate, 1.0 / f8[row[at.n_rewards]]) * error
            f8[row[at.error]] = error if f8[row[at.n_rewards]] > 1.0 else 0.0
        else:
            f8[row[at.error]] = f8[HEAD.reward]


@kernel
def teach(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Send the neuromodulator."""
    p, error, square = row[at.parameters], f8[row[at.error]], row[at.mean_square]
    if f8[p + par.normalised] != 0.0 and f8[HEAD.first] == 0.0:
        error = clipped(error / (rms(f8, square, f8[p + par.rate], error) + 1e-9), f8[p + par.clip])
    f8[row[at.modulator]] = error
    f8[row[at.awake]] = 1.0


@kernel
def hush(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """No neuromodulator."""
    f8[row[at.modulator]] = 0.0


def add_reward(graph: Graph, config: RMaxLearner | RewardLearner, modulator: int) -> None:
    """Add the learner, which sends the signal `modulator`."""
    returns = add_returns(graph, config.gamma)
    numbers = Parameters(
        mean_rate=config.mean_rate if isinstance(config, RMaxLearner) else 0.0,
        normalised=float(config.error == "normalised"), clip=config.error_clip, rate=config.error_rate,
    )  # fmt: skip
    part = graph.part(
        Paid(
            awake=graph.signal("awake"), n_rewards=returns.n_rewards, mean=graph.signal("reward.mean"),
            error=graph.signal("td_error"), mean_square=graph.signal("td_error.mean_square"),
            modulator=modulator, parameters=graph.f8(len(numbers), numbers),
        )
    )  # fmt: skip
    graph.call(Phase.STATISTICS, compare, part, EVERY_REWARD)
    graph.call(Phase.TEACH, teach, part, Mode.ACT | Mode.TERMINATE)
    graph.call(Phase.TEACH, hush, part, Mode.CLOSE)
