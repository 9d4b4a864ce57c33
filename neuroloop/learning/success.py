"""How well it goes, from the returns alone and the same for every task: exploration cools as it succeeds.

At an episode's end with return R: R̄ ← R̄ + max(rate, 1/n) (R − R̄); the worst W = min R̄; the best
B = max(B − release (B − R̄), R); q = (R̄ − W) / (B − W); success = clip((q − begins) / (full − begins), 0, 1). It is 0
while the agent acts at random and until 20 episodes ended.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Graph, Mode, Phase
from ..rows import HEAD
from ..settings import SuccessConfig

FEW = 20.0  # episodes whose mean says nothing yet


class Success(NamedTuple):
    """Row of the signal. All are f8."""

    total: int  # reward of the episode so far
    steps: int  # control steps of the episode so far
    episodes: int
    mean: int  # R̄
    worst: int  # W
    best: int  # B
    success: int
    awake: int
    parameters: int


class Parameters(NamedTuple):
    """Numbers of the signal, in one f8 array."""

    rate: float
    release: float
    begins: float
    full: float


at = places(Success)
par = places(Parameters)


@kernel
def judge(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Add up rewards; judge an episode when the next one begins."""
    if f8[HEAD.first] == 0.0:
        f8[row[at.total]] += f8[HEAD.reward]
        f8[row[at.steps]] += 1.0
        return
    if f8[row[at.steps]] == 0.0:
        return
    p, mean, best, worst = row[at.parameters], row[at.mean], row[at.best], row[at.worst]
    total = f8[row[at.total]]
    f8[row[at.total]] = f8[row[at.steps]] = 0.0
    f8[row[at.episodes]] += 1.0
    n = f8[row[at.episodes]]
    f8[mean] += max(f8[p + par.rate], 1.0 / n) * (total - f8[mean])
    f8[best] = total if n == 1.0 else max(f8[best] - f8[p + par.release] * (f8[best] - f8[mean]), total)
    if n < FEW:
        return
    f8[worst] = f8[mean] if n == FEW else min(f8[worst], f8[mean])
    share = (f8[mean] - f8[worst]) / (f8[best] - f8[worst] + 1e-9)
    share = (share - f8[p + par.begins]) / (f8[p + par.full] - f8[p + par.begins])
    f8[row[at.success]] = min(max(share, 0.0), 1.0) if f8[row[at.awake]] != 0.0 else 0.0


def add_success(graph: Graph, config: SuccessConfig) -> None:
    """Add the signal `success` to the graph."""
    numbers = Parameters(config.rate, config.release, config.begins, config.full)
    signal = graph.signal
    part = graph.part(
        Success(
            total=signal("success.total"), steps=signal("success.steps"), episodes=signal("success.episodes"),
            mean=signal("success.mean"), worst=signal("success.worst"), best=signal("success.best"),
            success=signal("success"), awake=signal("awake"), parameters=graph.f8(len(numbers), numbers),
        )
    )  # fmt: skip
    graph.call(Phase.STATISTICS, judge, part, Mode.ACT | Mode.WARM_UP | Mode.TERMINATE | Mode.CLOSE_WARM_UP)
