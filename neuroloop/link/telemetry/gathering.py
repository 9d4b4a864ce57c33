"""What a tap gathers of a tick: values of spaces that can travel, and arrays of several parts as one frame with their sums."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ...errors import PlantError, UnsupportedSpace
from ..spaces import Spec, describe
from ..values import Frame, Values


def body_of(frames: list[Any]) -> bytes:
    """Frames one after another."""
    return b"".join(frames)


def sizes_of(frames: list[Frame]) -> tuple[int, ...]:
    """Bytes of each frame."""
    return tuple([len(frame) if isinstance(frame, bytes) else frame.nbytes for frame in frames])


class Travelling:
    """Values of a space as frames; none, where the space has no description, or the value is not one of its."""

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        self.spec: Spec | None = None
        self._values: Values | None = None
        try:
            self.spec, self._values = describe(space), Values(space)
        except UnsupportedSpace:
            self.spec = None

    def write(self, value: Any) -> list[Frame]:
        """The frames of a value; those of arrays are the value's own memory."""
        if self._values is None:
            return []
        try:
            return self._values.write(value)
        except PlantError:
            return []


class Joined:
    """Views that are read together, one after another, as int32."""

    def __init__(self, parts: dict[str, NDArray[Any]]) -> None:
        used = {name: part.reshape(-1) for name, part in parts.items() if part.size}
        self.sizes = {name: part.size for name, part in used.items()}
        self._parts, self._joined = list(used.values()), np.zeros(sum(self.sizes.values()), "<i4")
        self._begins = np.cumsum([0, *self.sizes.values()])[:-1]
        self._sums = np.zeros(len(used), np.int32)

    def read(self) -> NDArray[np.int32]:
        """All of them as they are now; the next reading overwrites it."""
        if self._parts:
            np.concatenate(self._parts, out=self._joined)
        return self._joined

    def sums(self) -> dict[str, int]:
        """What each part had in the latest reading, by name."""
        if not self._parts:
            return {}
        np.add.reduceat(self._joined, self._begins, out=self._sums)
        return dict(zip(self.sizes, self._sums.tolist(), strict=True))
