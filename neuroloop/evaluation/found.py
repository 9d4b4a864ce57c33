"""What a suite of speed has found so far: figures beside their targets, and rows without one."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .figures import Figure

Report = Callable[[str], Any]


class Found:
    """Figures and rows as they come. More is better of those that are `high`."""

    def __init__(self, report: Report, targets: Mapping[str, float], high: Container[str] = ()) -> None:
        self.figures: list[Figure] = []
        self.rows: list[dict[str, Any]] = []
        self._report, self._targets, self._high = report, targets, high

    def figure(self, name: str, value: float, unit: str, samples: ArrayLike, n: int | None = None) -> None:
        """A number beside its target, and the samples behind it; `n` where these stand for more measurements."""
        spread = np.asarray(samples, np.float64)
        low, high = float(spread.min()), float(spread.max())
        better: Literal["low", "high"] = "high" if name in self._high else "low"
        counted = spread.size if n is None else n
        self.figures.append(Figure(name, value, unit, counted, self._targets[name], better, low, high))
        self._report(f"{name}: {value:.4g} {unit}")

    def row(self, figure: str, what: str, value: float, unit: str, note: str = "") -> None:
        """A number without one."""
        self.rows.append({"figure": figure, "what": what, "value": value, "unit": unit, "note": note})

    def spread(self, figure: str, what: str, samples: NDArray[Any], unit: str, note: str = "") -> None:
        """Percentiles."""
        for name, percent in (("p50", 50), ("p99", 99), ("p99.9", 99.9), ("max", 100)):
            self.row(figure, f"{what} {name}", float(np.percentile(samples, percent)), unit, note)
