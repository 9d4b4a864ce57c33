"""What a sweep tried, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import MissingExtra
from .written import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3


class Tried(NamedTuple):
    """A trial that ended with a value."""

    number: int
    value: float
    settings: dict[str, float | str]


def draw_search(
    trials: Sequence[Tried], failed: Sequence[int], log: set[str], less_is_better: bool, title: str, path: Path
) -> Path:
    """Draw the values over trials with the best so far, and over each setting.

    `failed` are numbers of trials without a value, `log` the settings with a logarithmic axis.

    Raises `MissingExtra` without matplotlib, `ValueError` without trials.
    """
    if not trials:
        raise ValueError("no trial ended with a value")
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ModuleNotFoundError:
        raise MissingExtra("a sweep as a picture", "plot") from None
    trials = sorted(trials)
    numbers, values = [t.number for t in trials], [t.value for t in trials]
    names = list(trials[0].settings)
    n_rows = -(-(1 + len(names)) // COLUMNS)
    figure = Figure(figsize=(3.4 * COLUMNS, 2.7 * n_rows), dpi=150, layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(n_rows, COLUMNS, squeeze=False).ravel()
    best = (np.minimum if less_is_better else np.maximum).accumulate(values)
    grid[0].plot(numbers, values, ".", color="#9db8d2")
    grid[0].step(numbers, best, where="post", color="#1f4e79")
    if failed:
        grid[0].plot(
            failed, [(max if less_is_better else min)(values)] * len(failed), "x", color="#c0504d", label="failed"
        )
        grid[0].legend(frameon=False, fontsize=8)
    grid[0].set(xlabel="trial", ylabel="objective")
    grid[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes, name in zip(grid[1:], names, strict=False):
        axes.scatter([t.settings[name] for t in trials], values, c=numbers, cmap="viridis", s=14)
        axes.set_xlabel(name, fontsize=8)
        if name in log:
            axes.set_xscale("log")
            _ticks(axes, [float(t.settings[name]) for t in trials])
    for axes in grid[: 1 + len(names)]:
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[1 + len(names) :]:
        axes.set_axis_off()
    return write_figure(figure, path)


def _ticks(axes: Axes, values: list[float]) -> None:
    """Three ticks on a logarithmic axis, whose own are too many or too few below two decades."""
    from matplotlib.ticker import NullLocator

    low, high = min(values), max(values)
    axes.set_xticks(ticks := [low, (low * high) ** 0.5, high], [f"{tick:.2g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
