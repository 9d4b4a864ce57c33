"""What an observation holds as plain arrays: to be kept in a checkpoint, and compared when an episode was brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Seen = list[NDArray[Any]]
CLOSE = 1e-5  # relative: what other versions and processors may do to the last bits


def seen(observation: Any) -> Seen:
    """Copies of the arrays in an observation, in an order of their own; what are no numbers, as bytes."""
    if isinstance(observation, Mapping):
        return [array for key in sorted(observation, key=str) for array in seen(observation[key])]
    if isinstance(observation, tuple | list):
        return [array for part in observation for array in seen(part)]
    array = np.array(observation)
    return [array if array.dtype.kind in "biuf" else np.frombuffer(array.tobytes(), np.uint8)]


def difference(before: Sequence[NDArray[Any]], now: Sequence[NDArray[Any]]) -> str | None:
    """How two observations differ, in words; None if they are the same, or nearly."""
    if len(before) != len(now):
        return f"it has {len(now)} parts, had {len(before)}"
    for k, (old, new) in enumerate(zip(before, now, strict=True)):
        where = f"part {k} of it" if len(now) > 1 else "it"
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            return f"{where} is {new.dtype}{list(new.shape)}, was {old.dtype}{list(old.shape)}"
        far = ~np.isclose(new, old, rtol=CLOSE, atol=CLOSE, equal_nan=True) if old.dtype.kind == "f" else new != old
        if far.any():
            return f"{int(far.sum())} of {far.size} numbers in {where} are others"
    return None
