"""An endless corridor with pillars, a function of its seed: laid segment by segment, whoever drives through it.

A passage of clearance `CLEARANCE` winds through it, along straight lines between knots that are `SEGMENT` apart; pillars
stand anywhere else, so that a disc of that radius can always follow it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEGMENT = 4.0  # m
CLEARANCE = 0.75  # m on both sides of the passage; the rover turns on the spot within 0.62 m
FREE = 3.0  # m without pillars, where the rover starts
END = -2.0  # m, where a wall closes the corridor behind it
APART = 0.1  # m between two pillars, at least
TRIES = 20  # to place a pillar, before the segment has one less

Pillars = NDArray[np.float64]


class Layout(NamedTuple):
    """What a corridor is drawn from: m, and pillars a m²."""

    width: float
    density: float
    radius: float


class Corridor:
    """Walls at y = +-width / 2, and pillars, rows of (x, y, radius) in m."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.half = layout.width / 2
        self._rng = np.random.default_rng(seed)
        self._knots = [0.0, 0.0]  # y of the passage at 0, SEGMENT, 2 SEGMENT ...
        self._segments: list[list[tuple[float, float, float]]] = []

    def pillars(self, first: int, last: int) -> Pillars:
        """Those of segments `first` to `last`, segment k from k to k + 1 times SEGMENT."""
        while len(self._segments) <= last:
            self._lay(len(self._segments))
        rows = [row for segment in self._segments[max(first, 0) : last + 1] for row in segment]
        return np.array(rows, np.float64).reshape(-1, 3)

    def passage(self, last: int) -> NDArray[np.float64]:
        """Knots (x, y) of the free passage up to the end of segment `last`."""
        self.pillars(0, last)
        return np.array([(k * SEGMENT, y) for k, y in enumerate(self._knots[: last + 2])])

    def _lay(self, k: int) -> None:
        width, density, radius = self.layout
        margin = max(self.half - CLEARANCE, 0.0)
        self._knots.append(float(self._rng.uniform(-margin, margin)))  # the end of the segment behind this one
        wanted = int(density * width * SEGMENT + self._rng.random())
        before = self._segments[-1] if k else []
        placed: list[tuple[float, float, float]] = []
        for _ in range(wanted):
            for u, v in self._rng.random((TRIES, 2)).tolist():
                x, y = (k + u) * SEGMENT, (2.0 * v - 1.0) * (self.half - radius)
                distances = (math.hypot(x - a, y - b) for a, b, _ in before + placed)
                if (
                    x > FREE + radius
                    and all(d > 2.0 * radius + APART for d in distances)
                    and self._off_passage(k, x, y)
                ):
                    placed.append((x, y, radius))
                    break
        self._segments.append(placed)

    def _off_passage(self, k: int, x: float, y: float) -> bool:
        """Whether a pillar leaves the passage free; it reaches no farther than into the segments beside it."""
        far = CLEARANCE + self.layout.radius
        return all(self._from_line(j, x, y) >= far for j in range(max(k - 1, 0), k + 2))

    def _from_line(self, j: int, x: float, y: float) -> float:
        """Distance of a point from the passage's line through segment j."""
        y0, rise = self._knots[j], self._knots[j + 1] - self._knots[j]
        along = ((x - j * SEGMENT) * SEGMENT + (y - y0) * rise) / (SEGMENT**2 + rise**2)
        along = min(max(along, 0.0), 1.0)
        return math.hypot(x - (j + along) * SEGMENT, y - y0 - along * rise)
