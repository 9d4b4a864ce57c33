"""Learning curves: one run with every return and the spread of the last 100, or several with their bootstrap interval.

Interquartile mean and bootstrap: see `evaluation.statistics`. Curves of runs: see `evaluation.curves`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, unknown
from ...evaluation.curves import curve_of, means_of, on_axis
from ...evaluation.statistics import iqm, stratified_bootstrap
from ...loop.lockstep import WINDOW, Progress
from .runs import Episodes, Run, episodes_of
from .style import BLACK, BLUE, COLOURS, GREY, EngFormatter, Printed, Width, drawn, legend_above

Statistic = Literal["iqm", "mean"]
POINTS = 200  # of the axis where runs are compared, and of a band
BAND = (10.0, 90.0)  # percentiles of the last 100 returns that the band of one run spans


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = np.mean(values, axis=-1)
    return means


STATISTICS: dict[str, tuple[str, Callable[..., NDArray[np.float64]]]] = {
    "iqm": ("interquartile mean", iqm),
    "mean": ("mean", _mean),
}
Runs = str | Path | Run | Progress | Episodes | Sequence["str | Path | Run | Progress | Episodes"]


class Middle(NamedTuple):
    """Several runs of one agent on one axis; a run that ended counts with its last mean."""

    steps: NDArray[np.float64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]  # NaN where there is one run
    high: NDArray[np.float64]


def plot_learning_curve(
    runs: Runs, *, criterion: float | None = None, statistic: Statistic = "iqm", title: str = "", width: Width = "one"
) -> Printed:
    """Returns over environment steps.

    `runs`: checkpoints, folders of runs, what `agent.progress` holds, or `Episodes` of your own. One run is shown with every
    return, the mean of the last 100 and the 10 % to 90 % band of those; several as the `statistic` over runs of their means,
    with its 95 % bootstrap interval, a colour for each agent, or for each folder of several. Raises `BadInput`
    where no episode ended.
    """
    if statistic not in STATISTICS:
        raise BadInput(f"statistic: {unknown('statistic', str(statistic), STATISTICS)}")
    found = [run for run in episodes_of(runs) if run.returns]
    if not found:
        raise BadInput("a learning curve needs an episode that ended, and there is none")
    criterion = found[0].criterion if criterion is None else criterion
    with drawn(width, 2.4, title) as figure:
        axes = figure.add_subplot()
        if len(found) == 1:
            _one(axes, found[0])
        else:
            _several(axes, found, statistic)
        if criterion is not None:
            axes.axhline(
                criterion, color=BLACK, linewidth=0.8, linestyle="--", label=f"criterion {criterion:g}", zorder=1
            )
        axes.set_xlabel("environment steps")
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        legend_above(axes, 1 if len(found) > 1 else 2)
    return figure


def band_of(returns: Sequence[float]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Episodes, and the percentiles of `BAND` of the last 100 returns there, at up to 200 of them."""
    values = np.asarray(returns, np.float64)
    at = np.unique(np.linspace(0, values.size - 1, POINTS).astype(np.int64))
    spread = np.array([np.percentile(values[max(0, n + 1 - WINDOW) : n + 1], BAND) for n in at])
    return at, spread[:, 0], spread[:, 1]


def middle_of(runs: Sequence[Episodes], statistic: Statistic) -> Middle:
    """The statistic over runs at every step where all have a mean, and its interval."""
    curves = [curve_of(run.returns, run.lengths, run.solved_at) for run in runs]
    steps = np.linspace(max(curve[0][0] for curve in curves), max(curve[0][-1] for curve in curves), POINTS)
    rows, of = on_axis(curves, steps), STATISTICS[statistic][1]
    intervals = [stratified_bootstrap([column], of) for column in rows.T]
    low, high = np.array([(np.nan, np.nan) if i is None else i for i in intervals]).T
    return Middle(steps, of(rows.T), low, high)


def _one(axes: Any, run: Episodes) -> None:
    steps = np.cumsum(run.lengths)
    axes.plot(steps, run.returns, ".", color=GREY, markersize=2.5, markeredgewidth=0, label="episode", zorder=1)
    at, low, high = band_of(run.returns)
    axes.fill_between(steps[at], low, high, color=BLUE, alpha=0.2, linewidth=0, label="10 to 90 % of last 100")
    axes.plot(steps, means_of(run.returns), color=BLUE, label="mean of last 100")
    axes.set_ylabel("return")


def _several(axes: Any, runs: Sequence[Episodes], statistic: Statistic) -> None:
    names = list(dict.fromkeys(run.name for run in runs))
    for n, name in enumerate(names):
        group, colour = [run for run in runs if run.name == name], COLOURS[n % len(COLOURS)]
        found = middle_of(group, statistic)
        for run in group:
            steps, means = curve_of(run.returns, run.lengths, run.solved_at)
            axes.plot(steps, means, color=colour, linewidth=0.5, alpha=0.4)
        interval = None if n else "95 % interval (bootstrap)"
        axes.fill_between(found.steps, found.low, found.high, color=colour, alpha=0.2, linewidth=0, label=interval)
        label = f"{name}: {STATISTICS[statistic][0]} of {len(group)} runs" if len(group) > 1 else name
        axes.plot(found.steps, found.middle, color=colour, linewidth=1.6, label=label)
    axes.set_ylabel("mean return of last 100")
