"""Learning curves: a picture with matplotlib, or a line of block characters without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .written import write_figure

if TYPE_CHECKING:
    from ..loop.lockstep import Progress

DPI = 150  # of a picture
BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Means of `values` over at most `width` equal stretches, as block characters."""
    if len(values) == 0:
        return ""
    means = [float(np.mean(part)) for part in np.array_split(np.asarray(values, np.float64), min(width, len(values)))]
    low, span = min(means), max(means) - min(means)
    return "".join(BLOCKS[round((mean - low) / span * (len(BLOCKS) - 1))] if span > 0 else BLOCKS[0] for mean in means)


def draw_curve(progress: Progress, title: str, path: Path) -> Path:
    """Draw the learning curve of a run as a picture.

    Raises `MissingExtra` without matplotlib, `ValueError` before the first episode ended.
    """
    if not progress.returns:
        raise ValueError("no episode ended yet")
    from .plots.learning import plot_learning_curve

    return write_figure(plot_learning_curve(progress, title=title, width="two"), path, dpi=DPI)
