"""Counts of whole numbers in buckets no wider than a 128th of what they hold: percentiles of any number of them in fixed room.

Below 256 every number has a bucket; above, each power of two is cut into 128. (HdrHistogram's way, G. Tene, 2012.)
"""

from __future__ import annotations

from array import array
from itertools import accumulate

FINE = 8  # bits that a bucket's number keeps
LONGEST = 63  # bits of the numbers


class Buckets:
    """Numbers ≥ 0 below 2⁶³; less than 0 counts as 0."""

    def __init__(self) -> None:
        self._counts = array("q", bytes(8 * (_place((1 << LONGEST) - 1) + 1)))
        self.n, self.most = 0, 0

    def add(self, value: int) -> None:
        """Count a number. Allocates nothing."""
        value = max(value, 0)
        self._counts[_place(value)] += 1
        self.n += 1
        if value > self.most:
            self.most = value

    def percentile(self, percent: float) -> float:
        """At least so many percent of all numbers are not above it; a bucket's middle, or the greatest number."""
        wanted = max(1, -(-self.n * percent // 100))
        for place, so_far in enumerate(accumulate(self._counts)):
            if so_far >= wanted:
                return min(_middle(place), float(self.most))
        return float(self.most)


def _place(value: int) -> int:
    shift = value.bit_length() - FINE
    return value if shift <= 0 else (shift << FINE - 1) + (value >> shift)


def _middle(place: int) -> float:
    shift = (place >> FINE - 1) - 1
    if shift <= 0:
        return float(place)
    low = place - (shift << FINE - 1) << shift
    return low + ((1 << shift) - 1) / 2
