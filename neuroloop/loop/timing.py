"""How well ticks kept their time: lateness, period, compute time and age of what was observed, of every tick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Timed

BLOCK = 1 << 14  # ticks that room is made for at a time
COLUMNS = Timed._fields
TIMING = "timing"  # the key of `info` under which an environment in real time says how it kept its time
EDGES = (0, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # µs, of the histogram


class Spread(NamedTuple):
    """Percentiles, µs."""

    p50: float
    p99: float
    p999: float
    most: float


class Timing:
    """Notes of ticks, int64 ns. Room is made in blocks, between which noting allocates nothing."""

    def __init__(self) -> None:
        self.n = 0
        self._notes = np.zeros((BLOCK, len(COLUMNS)), np.int64)
        self._begun = 0

    def note(self, begun_ns: int, late_ns: int, left_out: int, compute_ns: int, age_ns: int) -> Timed:
        """A tick began so, was so late, took so long, and saw what was so old; ticks that were left out before it."""
        if self.n == len(self._notes):
            self._notes = np.concatenate([self._notes, np.zeros((BLOCK, len(COLUMNS)), np.int64)])
        timed = Timed(late_ns, begun_ns - self._begun if self.n else 0, compute_ns, age_ns, left_out)
        self._notes[self.n] = timed
        self._begun = begun_ns
        self.n += 1
        return timed

    def column(self, name: str) -> NDArray[np.int64]:
        """One number of every tick; the first tick has no period."""
        column = self._notes[: self.n, COLUMNS.index(name)]
        return column[1:] if name == "period" else column

    def spread(self, name: str) -> Spread | None:
        """Percentiles of a column; None where nothing was noted."""
        column = self.column(name)
        if not column.size:
            return None
        return Spread(*(float(x) / 1e3 for x in (*np.percentile(column, [50, 99, 99.9]), column.max())))

    @property
    def missed(self) -> int:
        """Ticks that were left out."""
        return int(self.column("left_out").sum())

    def histogram(self, name: str = "late") -> list[tuple[float, float, int]]:
        """(from, to, ticks), µs; the last one has no end."""
        counts, _ = np.histogram(self.column(name) / 1e3, [*EDGES, np.inf])
        return [(a, b, int(n)) for a, b, n in zip(EDGES, [*EDGES[1:], np.inf], counts, strict=True)]

    def report(self) -> dict[str, Any]:
        """All of it as plain numbers, µs."""
        spreads = {name: self.spread(name) for name in COLUMNS[:4]}
        found: dict[str, Any] = {f"{name}_us": s._asdict() for name, s in spreads.items() if s is not None}
        bars = [[low, None if np.isinf(high) else high, n] for low, high, n in self.histogram()]
        return found | {"ticks": self.n, "missed": self.missed, "histogram_us": bars}
