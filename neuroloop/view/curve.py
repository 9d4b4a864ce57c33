"""Learning curves: a picture with matplotlib, or a line of block characters without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MissingExtra

if TYPE_CHECKING:
    from ..loop.lockstep import Progress

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Means of `values` over at most `width` equal stretches, as block characters."""
    if len(values) == 0:
        return ""
    means = [float(np.mean(part)) for part in np.array_split(np.asarray(values, np.float64), min(width, len(values)))]
    low, span = min(means), max(means) - min(means)
    return "".join(BLOCKS[round((mean - low) / span * (len(BLOCKS) - 1))] if span > 0 else BLOCKS[0] for mean in means)


def draw_curve(progress: Progress, title: str, path: Path) -> Path:
    """Draw the returns of a run over its steps, with the mean of 100 and the criterion.

    Raises `MissingExtra` without matplotlib, `ValueError` before the first episode ended.
    """
    if not progress.returns:
        raise ValueError("no episode ended yet")
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtra("a learning curve as a picture", "plot") from None
    from ..loop.lockstep import WINDOW

    returns, steps = np.array(progress.returns), np.cumsum(progress.lengths)
    figure = Figure(figsize=(7.0, 3.6), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, returns, ".", color="#9db8d2", markersize=4, label="return of an episode")
    if returns.size >= WINDOW:
        means = np.convolve(returns, np.ones(WINDOW) / WINDOW, "valid")
        axes.plot(steps[WINDOW - 1 :], means, color="#1f4e79", linewidth=2, label="mean of 100")
    if progress.criterion is not None:
        axes.axhline(
            progress.criterion, color="#c0504d", linewidth=1, linestyle="--", label=f"solved: {progress.criterion:g}"
        )
    axes.set(title=title, xlabel="environment steps", ylabel="return")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
