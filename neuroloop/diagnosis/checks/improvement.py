"""Returns: whether learning shows in them at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..advice import bolder
from ..findings import Finding, Severity
from ..record import WINDOW, Floats, Record

STEPS = 10_000  # plant steps below which nothing is said
EPISODES = 50
SHARE = 0.05  # of the way from a random policy to the criterion: as good as nothing
SPREAD = 0.25  # standard deviations of a random policy's returns: the same where no criterion is known
ERRORS = 2.0  # standard errors that two means must differ by


def improvement(record: Record) -> Iterator[Finding]:
    """Neither better than at the beginning, nor than a random policy, nor at the criterion, after long enough."""
    returns, floor = record.returns, record.random_return
    if record.kind == "random" or record.reached or record.random is None or floor is None:
        return
    if record.n_plant_steps < STEPS or returns.size < EPISODES:
        return
    n = min(WINDOW, returns.size // 4)
    early, late = returns[:n], returns[-n:]
    least = SPREAD * float(record.random.std()) if record.criterion is None else SHARE * (record.criterion - floor)
    if _better(late, early, least) or _better(late, record.random, least):
        return
    wanted = max(least, ERRORS * _error(late, record.random))
    yield Finding(
        "does not improve", "", Severity.PROBLEM, float(late.mean()), f"mean return of the last {n} episodes",
        f"above {floor + wanted:.4g}",
        f"after {record.n_plant_steps} steps it is next to nothing better than at the beginning ({early.mean():.4g}, first {n} "
        f"episodes) and than a random policy ({floor:.4g}): what it learns does not reach its actions",
        f"first what other findings say; else let every error teach more: {bolder(record)}; if the goal was just never met, "
        "watch longer (--steps)",
    )  # fmt: skip


def _better(a: Floats, b: Floats, least: float) -> bool:
    """Whether the mean of `a` lies above that of `b` by more than `least`, and by more than chance."""
    return float(a.mean() - b.mean()) > max(least, ERRORS * _error(a, b))


def _error(a: Floats, b: Floats) -> float:
    """Standard error of the difference of two means."""
    return float(np.sqrt(a.var() / a.size + b.var() / b.size))
