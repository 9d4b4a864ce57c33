"""Area averaging: each pixel of the smaller picture is the mean of the larger one's light that falls on it.

Borders of pixels need not meet: light is shared by the area that lies on either side. What comes out is float32 from 0 to 1,
so that an average of bytes keeps what lies between them. Encoded bytes are decoded one by one, before they are averaged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from .._numba import compiled_for
from ..errors import BadInput
from ..rows import f32, i64

_OUT = types.Array(types.float32, 3, "C")
_SPANS, _SHARES, _LINE = types.int64[:, ::1], types.float32[:, ::1], types.float32[::1]


def _scale(frame, table, rows, row_shares, columns, column_shares, line, factor, out):  # type: ignore[no-untyped-def]
    """`rows[i]`: first and last row that output row i covers; `row_shares[i]`: the shares of these two that it gets.

    `table`: the light of each byte, or of no length for what is light already.
    """
    channels = frame.shape[2]
    for i in range(out.shape[0]):
        line[:] = f32(0.0)
        for y in range(rows[i, 0], rows[i, 1] + 1):
            share = row_shares[i, 0] if y == rows[i, 0] else row_shares[i, 1] if y == rows[i, 1] else f32(1.0)
            source = frame[y].reshape(-1)
            if table.size > 0:
                for k in range(line.size):
                    line[k] += share * table[i64(source[k])]
            else:
                for k in range(line.size):
                    line[k] += share * f32(source[k])
        for j in range(out.shape[1]):
            first, last = columns[j, 0], columns[j, 1]
            for c in range(channels):
                total = column_shares[j, 0] * line[first * channels + c]
                for x in range(first + 1, last):
                    total += line[x * channels + c]
                if last > first:
                    total += column_shares[j, 1] * line[last * channels + c]
                out[i, j, c] = min(max(total * factor, f32(0.0)), f32(1.0))


def _takes(pixel: Any) -> Any:
    frame = types.Array(pixel, 3, "C", readonly=True)
    return types.void(frame, _LINE, _SPANS, _SHARES, _SPANS, _SHARES, _LINE, types.float32, _OUT)


_scale_bytes, _scale_floats = compiled_for(_takes(types.uint8))(_scale), compiled_for(_takes(types.float32))(_scale)


_LINEAR = np.empty(0, np.float32)


class Scaler:
    """From pictures of `shape` (height, width) or (height, width, channels) to `size` (width, height).

    `light`, float32[256]: the light of each byte; None: bytes are linear.
    """

    def __init__(self, shape: tuple[int, ...], size: tuple[int, int], light: NDArray[np.float32] | None = None) -> None:
        height, width, *channels = shape
        if size[0] > width or size[1] > height:
            raise BadInput(f"size: must be at most the picture's own {(width, height)}, got {size}")
        self._shape = height, width, *(channels or [1])
        self._spans = *_spans(height, size[1]), *_spans(width, size[0])
        self._line = np.zeros(width * self._shape[2], np.float32)
        self._light = _LINEAR if light is None else light
        self._area = (height / size[1]) * (width / size[0])
        self._out = np.zeros((size[1], size[0], self._shape[2]), np.float32)
        self._view = self._out if channels else self._out[:, :, 0]

    def __call__(self, frame: NDArray[Any]) -> NDArray[np.float32]:
        """The smaller picture, valid until the next call. `frame`: uint8, or floats from 0 to 1."""
        if frame.dtype == np.uint8:
            kernel, light, frame = _scale_bytes, self._light, np.ascontiguousarray(frame)
        else:
            kernel, light, frame = _scale_floats, _LINEAR, np.ascontiguousarray(frame, np.float32)
        factor = 1.0 / (self._area * (255.0 if kernel is _scale_bytes and not light.size else 1.0))
        kernel.now(frame.reshape(self._shape), light, *self._spans, self._line, factor, self._out)
        return self._view


def _spans(size: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The first and last of `size` pixels that each of `n` covers, and its shares of these two; exact, in whole numbers."""
    begins, ends = np.arange(n) * size, (np.arange(n) + 1) * size  # in units of 1 / n pixels
    first, last = begins // n, (ends - 1) // n
    shares = np.where(first == last, ends - begins, (first + 1) * n - begins), ends - last * n
    return np.stack([first, last], axis=1), (np.stack(shares, axis=1) / n).astype(np.float32)
