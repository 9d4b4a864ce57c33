"""Statistics of the reward so far, which learners measure other things in.

G ← γ G + r is the episode's reward so far, discounted; of it the count, the mean and the standard deviation (Welford 1962)
and the extremes. All learners that need the reward's past share the part.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import inline, kernel, places
from ..graph import Graph, Mode, Phase
from ..rows import HEAD

EVERY_REWARD = Mode.ACT | Mode.WARM_UP | Mode.TERMINATE | Mode.CLOSE_WARM_UP


class Returns(NamedTuple):
    """Row of the statistics. All are f8."""

    gamma: int
    discounted: int  # G
    n_rewards: int
    mean: int
    squares: int  # sum of squared deviations
    sd: int
    most: int
    least: int
    most_reward: int  # at least 0
    least_reward: int  # at most 0


at = places(Returns)


@inline
def rms(f8, square, rate, error):  # type: ignore[no-untyped-def]
    """The running rms of errors, once its square has taken this one in; the first one sets it."""
    f8[square] += rate * (error * error - f8[square]) if f8[square] > 0.0 else error * error
    return math.sqrt(f8[square])


@inline
def clipped(x, most):  # type: ignore[no-untyped-def]
    """`x` within ±`most`."""
    return min(max(x, -most), most)


@kernel
def gather(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Take in the reward; an episode's first control step has none."""
    g, n, mean, squares = row[at.discounted], row[at.n_rewards], row[at.mean], row[at.squares]
    if f8[HEAD.first] != 0.0:
        f8[g] = 0.0
        return
    f8[g] = f8[row[at.gamma]] * f8[g] + f8[HEAD.reward]
    f8[n] += 1.0
    deviation = f8[g] - f8[mean]
    f8[mean] += deviation / f8[n]
    f8[squares] += deviation * (f8[g] - f8[mean])
    f8[row[at.sd]] = math.sqrt(f8[squares] / f8[n]) + 1e-6
    f8[row[at.most]] = max(f8[row[at.most]], f8[g])
    f8[row[at.least]] = min(f8[row[at.least]], f8[g])
    f8[row[at.most_reward]] = max(f8[row[at.most_reward]], f8[HEAD.reward])
    f8[row[at.least_reward]] = min(f8[row[at.least_reward]], f8[HEAD.reward])


def add_returns(graph: Graph, gamma: float) -> Returns:
    """Add the statistics, discounted by `gamma` a decision."""
    signal = graph.signal
    returns = Returns(
        gamma=graph.f8(1, gamma), discounted=signal("return"), n_rewards=signal("return.count"), mean=signal("return.mean"),
        squares=signal("return.squares"), sd=signal("return.sd", 1e-6), most=signal("return.most", -1e300),
        least=signal("return.least", 1e300), most_reward=signal("reward.most"), least_reward=signal("reward.least"),
    )  # fmt: skip
    graph.call(Phase.STATISTICS, gather, graph.part(returns), EVERY_REWARD)
    return returns
