"""Learning curves: what a run has left of one, its area, and curves of many runs on one axis.

The curve of a run is the mean of its last 100 returns (of all, if fewer) over environment steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..loop.lockstep import WINDOW

POINTS = 200  # kept of a curve up to where it was solved, and so many more after it
Curve = tuple[list[int], list[float]]  # environment steps, and the mean there


def means_of(returns: Sequence[float]) -> NDArray[np.float64]:
    """The mean of the last 100 returns, or of all if fewer, after every episode."""
    sums = np.concatenate(([0.0], np.cumsum(np.asarray(returns, np.float64))))
    n = np.arange(1, sums.size)
    first = np.maximum(n - WINDOW, 0)
    means: NDArray[np.float64] = (sums[n] - sums[first]) / (n - first)
    return means


def curve_of(returns: Sequence[float], lengths: Sequence[int], solved_at: int | None) -> Curve:
    """The learning curve at up to 200 points before it was solved and 200 after, spaced evenly in steps."""
    if not returns:
        return [], []
    steps, means = np.cumsum(np.asarray(lengths, np.int64)), means_of(returns)
    corner = steps[-1] if solved_at is None else min(solved_at, steps[-1])
    wanted = np.concatenate((np.linspace(steps[0], corner, POINTS), np.linspace(corner, steps[-1], POINTS)))
    kept = np.unique(np.searchsorted(steps, wanted, "right") - 1)
    return steps[kept].tolist(), [float(f"{mean:.6g}") for mean in means[kept]]


def area_of(returns: Sequence[float], lengths: Sequence[int], over: int) -> float | None:
    """Mean return per environment step over the first `over` steps; every step counts with the return of its episode.

    Steps beyond the last finished episode count with the mean of the last 100 returns. None without an episode.
    """
    if not returns:
        return None
    ends = np.minimum(np.cumsum(np.asarray(lengths, np.int64)), over)
    steps = np.diff(ends, prepend=0)
    rest = over - int(ends[-1])
    return float((np.dot(steps, returns) + rest * means_of(returns)[-1]) / over)


def on_axis(curves: Sequence[Curve], axis: NDArray[Any]) -> NDArray[np.float64]:
    """Curves at the steps of `axis`, shape (curves, axis): NaN before the first point, the last value after the last."""
    rows = np.full((len(curves), axis.size), np.nan)
    for row, (steps, means) in zip(rows, curves, strict=True):
        if steps:
            at = np.searchsorted(steps, axis, "right") - 1
            row[:] = np.where(at >= 0, np.asarray(means)[np.maximum(at, 0)], np.nan)
    return rows
