"""Figures for papers, one call each: of a recording, of a checkpoint, of a run's folder, or of arrays.

    figure = plot_raster("run.mcap", first=100, last=150)
    figure.savefig("raster.pdf")

Every call returns a matplotlib `Figure`. Importing this loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._lazy import lazily

if TYPE_CHECKING:  # `as` says that the names are exported
    from .learning import plot_learning_curve as plot_learning_curve
    from .raster import plot_raster as plot_raster
    from .signals import plot_signals as plot_signals
    from .timing import plot_timing as plot_timing
    from .trajectory import plot_trajectory as plot_trajectory
    from .turns import Turns as Turns
    from .weights import plot_weights as plot_weights

_HOME = {
    "Turns": "turns",
    "plot_learning_curve": "learning",
    "plot_raster": "raster",
    "plot_signals": "signals",
    "plot_timing": "timing",
    "plot_trajectory": "trajectory",
    "plot_weights": "weights",
}
__all__ = sorted(_HOME)
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    return __all__
