"""What an image must be to be seen, and its luma: Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from .._numba import compiled_for
from ..errors import BadInput
from ..rows import f32
from .front_end import FRAME

BRIGHTEST = 80.0  # ln units: e to the power of it is still a float32
_FLOATS = types.Array(types.float32, 1, "C", readonly=True)


@compiled_for(types.void(FRAME, types.uint8[::1]))
def luma_of_bytes(colours, out):  # type: ignore[no-untyped-def]
    """Luma, rounded to a byte."""
    for i in range(out.size):
        total = 19595 * int(colours[3 * i]) + 38470 * int(colours[3 * i + 1]) + 7471 * int(colours[3 * i + 2])
        out[i] = (total + 32768) >> 16


@compiled_for(types.void(_FLOATS, types.float32[::1]))
def luma_of_floats(colours, out):  # type: ignore[no-untyped-def]
    """Luma."""
    for i in range(out.size):
        out[i] = f32(0.299) * colours[3 * i] + f32(0.587) * colours[3 * i + 1] + f32(0.114) * colours[3 * i + 2]


class Images:
    """Checks images of a camera and makes one flat array of them: bytes, or float32."""

    def __init__(self, width: int, height: int) -> None:
        self._grey, self._colour = (height, width), (height, width, 3)
        self._bytes = np.empty(width * height, np.uint8)
        self._floats = np.empty(width * height, np.float32)

    def linear(self, frame: Any) -> NDArray[Any]:
        """Linear intensities from 0 to 1, or from 0 to 255 as bytes. Raises `BadInput`."""
        frame = self._image(frame)
        if frame.dtype == np.uint8:
            flat = np.ascontiguousarray(frame).reshape(-1)
            if frame.ndim == 2:
                return flat
            luma_of_bytes.now(flat, self._bytes)
            return self._bytes
        if frame.dtype.kind != "f":
            raise BadInput(f"event camera: a frame must be uint8, or floats from 0 to 1, got {frame.dtype}")
        self._check(frame, 0.0, 1.0, "floats from 0 to 1 (divide by 255, or give uint8)")
        if frame.ndim == 3:
            luma_of_floats.now(np.ascontiguousarray(frame, np.float32).reshape(-1), self._floats)
        else:
            self._floats.reshape(self._grey)[:] = frame
        return self._floats

    def logarithmic(self, frame: Any) -> NDArray[np.float32]:
        """Intensities whose natural logarithms the frame holds. Raises `BadInput`."""
        frame = self._image(frame)
        if frame.dtype.kind != "f" or frame.ndim != 2:
            raise BadInput(
                f"event camera: a logarithmic frame must be floats of shape {list(self._grey)}, "
                f"got {frame.dtype} of shape {list(frame.shape)}"
            )
        self._check(frame, -np.inf, BRIGHTEST, f"natural logarithms up to {BRIGHTEST:g}")
        np.exp(frame, out=self._floats.reshape(self._grey), casting="same_kind")
        return self._floats

    def _image(self, frame: Any) -> NDArray[Any]:
        if not isinstance(frame, np.ndarray):
            raise BadInput(f"event camera: a frame must be a NumPy array, got {type(frame).__name__}")
        if frame.shape not in (self._grey, self._colour):
            raise BadInput(
                f"event camera: a frame must have shape {list(self._grey)} or {list(self._colour)}, got {list(frame.shape)}"
            )
        return frame

    def _check(self, frame: NDArray[Any], low: float, high: float, what: str) -> None:
        """NaN is neither at least nor at most anything."""
        if float(frame.min()) >= low and float(frame.max()) <= high:
            return
        where = np.argwhere(~((frame >= low) & (frame <= high)))[0]
        place = f"row {where[0]}, column {where[1]}"
        raise BadInput(f"event camera: a frame must hold {what}, got {frame[tuple(where)]} at {place}")
