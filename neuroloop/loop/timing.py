"""How well ticks kept their time: lateness, period, compute time and age of what was observed, of every tick."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Timed
from .buckets import Buckets

KEPT = 1 << 16  # latest ticks whose numbers are kept one by one: at 1 kHz a minute
COLUMNS = (*Timed._fields, "held")
SPREADS = COLUMNS[:4]  # those that are times
AGE, NO_AGE = COLUMNS.index("age"), -1
TIMING = "timing"  # the key of `info` under which an environment in real time says how it kept its time
EDGES = (0, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # µs, of the histogram
EDGES_NS = [1000 * edge for edge in EDGES[1:]]


class Spread(NamedTuple):
    """Percentiles, µs."""

    p50: float
    p99: float
    p999: float
    most: float


class Timing:
    """Notes of ticks, int64 ns, in room that is there from the beginning: noting keeps nothing, however long it goes on.

    Every tick counts. Of the latest `KEPT` all numbers are kept; once there are more, percentiles come from `Buckets`.
    """

    def __init__(self) -> None:
        self.n, self.missed, self.held = 0, 0, 0  # ticks, ticks that were left out, and ticks that were made up for
        self._notes = np.empty((KEPT, len(COLUMNS)), np.int64)
        self._notes.fill(0)  # so that its pages are there before the clock runs
        self._all = {name: Buckets() for name in SPREADS}
        self._late, self._period, self._compute, self._age = self._all.values()
        self._bars = array("q", [0] * len(EDGES))
        self._begun = 0

    def note(
        self, begun_ns: int, late_ns: int, left_out: int, compute_ns: int, age_ns: int | None, held: int = 0
    ) -> Timed:
        """A tick began so, was so late, took so long, and saw what was so old (None: it acted on nothing that was seen); ticks
        before it that were left out, and that were made up for."""
        timed = Timed(late_ns, begun_ns - self._begun if self.n else 0, compute_ns, age_ns or 0, left_out)
        self._notes[self.n % KEPT] = (*timed, held)
        self._late.add(late_ns)
        self._compute.add(compute_ns)
        if age_ns is None:
            self._notes[self.n % KEPT, AGE] = NO_AGE
        else:
            self._age.add(age_ns)
        if self.n:
            self._period.add(timed.period)
        self._bars[bisect_right(EDGES_NS, late_ns)] += 1
        self._begun = begun_ns
        self.n += 1
        self.missed += left_out
        self.held += held
        return timed

    def column(self, name: str) -> NDArray[np.int64]:
        """One number of every tick that is kept, oldest first; the first tick of all has no period, and those that
        acted on nothing that was seen have no age."""
        column = self._notes[:, COLUMNS.index(name)]
        column = column[name == "period" : self.n] if self.n <= KEPT else np.roll(column, -(self.n % KEPT))
        return column[column != NO_AGE] if name == "age" else column

    def spread(self, name: str) -> Spread | None:
        """Percentiles of a column; None where nothing was noted."""
        counted = self._all[name]
        if not counted.n:
            return None
        if self.n <= KEPT:
            found = [float(x) for x in np.percentile(self.column(name), [50, 99, 99.9])]
        else:
            found = [counted.percentile(percent) for percent in (50, 99, 99.9)]
        return Spread(*(x / 1e3 for x in (*found, counted.most)))

    def histogram(self) -> list[tuple[float, float, int]]:
        """Lateness: (from, to, ticks), µs; the last one has no end."""
        return list(zip(EDGES, [*EDGES[1:], np.inf], self._bars, strict=True))

    def report(self) -> dict[str, Any]:
        """All of it as plain numbers, µs."""
        spreads = {name: self.spread(name) for name in SPREADS}
        found: dict[str, Any] = {f"{name}_us": s._asdict() for name, s in spreads.items() if s is not None}
        bars = [[low, None if np.isinf(high) else high, n] for low, high, n in self.histogram()]
        return found | {"ticks": self.n, "missed": self.missed, "held": self.held, "histogram_us": bars}
