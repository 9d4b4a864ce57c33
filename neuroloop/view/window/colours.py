"""Numbers as colours, and pictures as PNG with a palette, which are small."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SERIES = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (213, 94, 0), (204, 121, 167), (240, 228, 66), (120, 140, 255),
    (170, 170, 170),
)  # fmt: skip
"""Okabe and Ito (2008): told apart by everybody, on dark ground; blue is lighter, as theirs is lost there."""
FIRE = ((0, 0, 0), (60, 15, 90), (190, 50, 80), (250, 150, 40), (255, 250, 200))  # from nothing to much
SIGNED = ((60, 130, 255), (20, 40, 90), (0, 0, 0), (100, 35, 20), (255, 110, 60))  # from less to more than nothing
EVENTS = ((60, 130, 255), (24, 24, 28), (255, 110, 60))  # OFF, nothing, ON


def palette(anchors: tuple[tuple[int, int, int], ...], n: int = 256) -> Pixels:
    """`n` colours on the way from one anchor to the next, shape (n, 3)."""
    at, x = np.linspace(0.0, 1.0, len(anchors)), np.linspace(0.0, 1.0, n)
    channels = np.array(anchors, np.float64).T
    mixed = np.array([np.interp(x, at, channel) for channel in channels]).T
    colours: Pixels = np.rint(mixed).astype(np.uint8)
    return colours


def to_bytes(values: NDArray[np.floating], low: float, high: float) -> Pixels:
    """Numbers as places on a palette; what is no number lies in the middle."""
    scaled = 255.0 * (values - low) / max(high - low, 1e-30)
    finite: NDArray[np.float64] = np.nan_to_num(scaled, nan=127.5, posinf=255.0, neginf=0.0)
    return finite.clip(0.0, 255.0).astype(np.uint8)


def png(pixels: Pixels, colours: Pixels) -> bytes:
    """A picture of bytes (height, width) in the colours of a palette (256, 3), as PNG (ISO/IEC 15948)."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 1)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(*part) for part in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
