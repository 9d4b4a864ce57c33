"""What the doctor says: a figure, whether it is healthy, why it matters, and what to change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from .record import Record


class Severity(IntEnum):
    """How bad a finding is."""

    FINE = 0
    NOTE = 1  # worth knowing
    WARNING = 2  # outside of what healthy agents show
    PROBLEM = 3  # this keeps an agent from learning

    def __str__(self) -> str:
        return self.name.lower()


class Finding(NamedTuple):
    """One of them."""

    name: str
    where: str  # the part or dimension; "" for the agent as a whole
    severity: Severity
    figure: float | None
    unit: str
    healthy: str  # the range of figures that is
    why: str = ""  # it matters; said of what is not fine
    change: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        figure = self.figure if self.figure is not None and math.isfinite(self.figure) else None
        return self._asdict() | {"severity": str(self.severity), "figure": figure}


Check = Callable[[Record], Iterator[Finding]]


def shown(figure: float, unit: str) -> str:
    """A share of something as a percentage, any other figure as it is."""
    return f"{100.0 * figure:.3g} %" if unit.startswith("of ") else f"{figure:.3g}"


class Limits(NamedTuple):
    """Of a figure. Beyond `warning`, and worse beyond `problem`: above them if they rise, below them if they fall."""

    warning: float
    problem: float
    unit: str = ""
    highest: Severity = Severity.PROBLEM

    def judge(self, figure: float) -> Severity:
        """How bad the figure is; no number is as bad as can be."""
        sign = 1.0 if self.problem > self.warning else -1.0
        if not sign * figure <= sign * self.problem:
            return self.highest
        return min(Severity.WARNING, self.highest) if sign * figure > sign * self.warning else Severity.FINE

    @property
    def healthy(self) -> str:
        side = "at most" if self.problem > self.warning else "at least"
        return f"{side} {shown(self.warning, self.unit)}"

    def finding(self, name: str, where: str, figure: float, why: str, change: str) -> Finding:
        """The figure as a finding."""
        severity = self.judge(figure)
        words = (why, change) if severity is not Severity.FINE else ("", "")
        return Finding(name, where, severity, float(figure), self.unit, self.healthy, *words)
