"""Which events pass where there are more than may: of N, event j passes if ⌊(j + 1) B / N⌋ > ⌊j B / N⌋, B the number allowed.

So B events pass, evenly in the order of arrival, and always the same ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from .._numba import inline


def _pass_of(j: Any, allowed: Any, n: Any) -> Any:
    return (j + 1) * allowed // n > j * allowed // n


passes = inline(_pass_of)  # for compiled code: whether event j of n passes


def thinned(events: NDArray[Any], most_events: int) -> NDArray[Any]:
    """At most so many of the events, evenly; the very array where it holds no more. Raises `BadInput`."""
    allowed = arguments.whole("most_events", most_events, 0)
    if events.size <= allowed:
        return events
    chosen: NDArray[Any] = events[_pass_of(np.arange(events.size), allowed, events.size)]
    return chosen
