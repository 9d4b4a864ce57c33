"""A warning that may come often: the first at once, those after it now and then, as counts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

BETWEEN = 10.0  # s between two lines


class Sparing:
    """Hands lines to `tell`, at most one each `between` s."""

    def __init__(self, tell: Callable[[str], None], between: float = BETWEEN) -> None:
        self._tell, self._between = tell, between
        self._counts, self._due = Counter[str](), 0.0

    def say(self, what: str) -> None:
        """It happened."""
        self._counts[what] += 1
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Tell what was not told yet."""
        if self._counts:
            self._tell("; ".join(what if n == 1 else f"{what} ({n} times)" for what, n in self._counts.items()))
            self._counts.clear()
            self._due = time.monotonic() + self._between
