"""Statistics over few seeds: interquartile means with bootstrap intervals, and intervals of fractions.

IQM and stratified bootstrap: R. Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice,
NeurIPS 2021, section 4: the mean of the middle half of all runs, and percentiles of it over resamples in which every task
keeps its number of runs. Fractions: E. B. Wilson, JASA 22 (1927), eq. 4.

Values may be infinite (a seed that was never solved); what depends on them is infinite then. NaN is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
Z_95 = 1.959963984540054  # of the normal distribution
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # over the last axis


class Interval(NamedTuple):
    """Where 95 % of the resamples lie."""

    low: float
    high: float


def iqm(values: ArrayLike) -> NDArray[np.float64]:
    """Mean over the last axis without its lowest and its highest quarter; a quarter is rounded down to whole values."""
    values = np.sort(np.asarray(values, np.float64), axis=-1)
    if values.shape[-1] == 0 or np.isnan(values).any():
        raise ValueError("iqm: needs at least one value, and no NaN")
    cut = values.shape[-1] // 4
    middle: NDArray[np.float64] = values[..., cut : values.shape[-1] - cut].mean(axis=-1)
    return middle


def stratified_bootstrap(strata: Sequence[ArrayLike], statistic: Statistic = iqm, seed: int = 0) -> Interval | None:
    """95 % percentile interval of `statistic` over all values; each stratum is resampled by itself.

    None where no stratum has two values, since one says nothing about its spread.
    """
    values = [np.asarray(stratum, np.float64) for stratum in strata]
    if all(stratum.size < 2 for stratum in values):
        return None
    streams = np.random.SeedSequence(seed).spawn(len(values))
    drawn = [
        stratum[np.random.default_rng(stream).integers(0, stratum.size, (RESAMPLES, stratum.size))]
        for stratum, stream in zip(values, streams, strict=True)
    ]
    spread = np.sort(statistic(np.concatenate(drawn, axis=1)))  # by order: infinite values do not interpolate
    return Interval(float(spread[int(0.025 * RESAMPLES)]), float(spread[math.ceil(0.975 * RESAMPLES) - 1]))


def wilson(successes: int, n: int) -> Interval:
    """95 % interval of the chance behind `successes` of `n`; it does not collapse at 0 or 1."""
    p, z2 = successes / n, Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
