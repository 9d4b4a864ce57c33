"""What of an event camera changes, and whether a state of it may be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .cells import at, row

CHANGING = (row.level, row.other, row.reference, row.leak)  # rows of the cells
LEAST, MOST = -(2**61), 2**61  # µs


def check_state(state: Mapping[str, NDArray[Any]], own: Mapping[str, NDArray[Any]]) -> None:
    """Raise `BadInput` if a state does not fit a camera whose own state is given, or would be no state of any camera."""
    if not isinstance(state, Mapping):
        raise BadInput(f"event camera: a state must be what state() returned, got {type(state).__name__}")
    for name, value in own.items():
        given = state.get(name)
        if not isinstance(given, np.ndarray) or given.shape != value.shape or given.dtype != value.dtype:
            came = f"{given.dtype} {list(given.shape)}" if isinstance(given, np.ndarray) else type(given).__name__
            raise BadInput(f"event camera: state {name!r} must be {value.dtype} {list(value.shape)}, got {came}")
    for name, what in (("chip", "width, height and seed"), ("pixel", "settings of the pixel")):
        if not np.array_equal(state[name], own[name]):
            raise BadInput(
                f"event camera: the state is of a camera with other {what}: {state[name].tolist()}, "
                f"this one has {own[name].tolist()}"
            )
    counters = state["counters"].tolist()
    sound = np.all(np.isfinite(state["cells"])) and counters[at.newest] in (row.level, row.other)
    if not sound or counters[at.begun] not in (0, 1) or not LEAST <= counters[at.base] <= counters[at.start] <= MOST:
        raise BadInput("event camera: the state is damaged: its numbers are none that a camera has")
