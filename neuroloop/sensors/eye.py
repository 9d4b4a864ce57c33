"""An event camera that takes pictures as environments show them: decodes their bytes, and averages them down to its size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput, PlantError
from ..settings.sensors import Pixel
from .camera import EventCamera
from .gamma import Gamma, light_of_bytes
from .scaling import Scaler
from .source import Frames


class Eye:
    """`size`: (width, height) of the camera; `gamma`, `pixel` and `seed`: see `EventCameraWrapper`. Raises `BadInput`."""

    def __init__(self, size: tuple[int, int], pixel: str | Pixel, gamma: Gamma, seed: int) -> None:
        light = light_of_bytes(gamma)
        self._light = None if gamma == 1.0 else light
        self.size = size
        self.camera = EventCamera(*size, pixel, arguments.seed("seed", seed))
        self._scaler: Scaler | None = None
        self._shape: tuple[int, ...] | None = None
        self.latest: NDArray[Any] | None = None  # frame that was seen, for those who watch

    def reset(self, noise: int) -> None:
        """Begin an episode, with its seed of the noise."""
        self.camera.reset(noise)

    def see(self, frames: Frames) -> list[NDArray[Any]]:
        """The events of each frame. Raises `PlantError`, or `BadInput` where light or time make no sense."""
        seen = []
        for t_us, frame in frames:
            if frame.shape != self._shape:
                self._fit(frame)
            seen.append(self.camera.see(self._light_of(frame), t_us).copy())
            self.latest = frame
        return seen

    def _light_of(self, frame: NDArray[Any]) -> NDArray[Any]:
        """What the camera sees of a frame."""
        if self._scaler is not None:
            return self._scaler(frame)
        return frame if self._light is None or frame.dtype != np.uint8 else self._light[frame]

    def _fit(self, frame: NDArray[Any]) -> None:
        """Make ready for frames of this shape."""
        if frame.ndim not in (2, 3):
            raise PlantError(f"frames must be of shape (height, width) or (height, width, 3), got {frame.shape}")
        if self._shape is not None:
            raise PlantError(f"frames must keep their shape, got {frame.shape} after {self._shape}")
        if frame.shape[:2] != (self.size[1], self.size[0]):
            self._scaler = Scaler(frame.shape, self.size, self._light)
        self._shape = frame.shape


def checked_size(size: Any) -> tuple[int, int]:
    """Width and height of a camera. Raises `BadInput`."""
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise BadInput(f"size: must be (width, height), got {size!r}")
    return arguments.whole("size[0]", size[0], 1), arguments.whole("size[1]", size[1], 1)
