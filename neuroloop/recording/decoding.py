"""Messages of a recording as the values that they were written from."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import LinkError
from ..link.values import Values
from . import cdr, raw_image
from .channels import EVENTS_ENCODING, FRAMES_ENCODING, Leaf
from .records import CODES

Decode = Callable[[memoryview], Any]


def decoder_of(leaf: Leaf, space: gymnasium.Space[Any]) -> Decode:
    """How messages of a part become values. The decoder raises `ValueError` for what is none."""
    if leaf.kind == "numbers":
        return _numbers(leaf, isinstance(space, spaces.Discrete))
    if leaf.kind == "picture":
        return lambda message: _picture(message, leaf)
    values = Values(space)

    def decode(message: memoryview) -> Any:
        try:
            return values.read([message] if leaf.kind == "events" else list(_frames(message)))
        except LinkError as error:
            raise ValueError(str(error)) from None

    return decode


def encoding_of(leaf: Leaf) -> str:
    """The message encoding that a part's channel must have."""
    return {"numbers": "cdr", "picture": "protobuf", "events": EVENTS_ENCODING, "frames": FRAMES_ENCODING}[leaf.kind]


def rebuilt(space: gymnasium.Space[Any], parts: Iterator[Any]) -> Any:
    """A value of a space from its parts, in their order."""
    match space:
        case spaces.Dict():
            return {key: rebuilt(part, parts) for key, part in space.spaces.items()}
        case spaces.Tuple():
            return tuple(rebuilt(part, parts) for part in space.spaces)
    return next(parts)


def floats(message: memoryview, n: int) -> NDArray[np.float64]:
    """The numbers of a message that has columns. Raises `ValueError`."""
    array, label = cdr.decode(message, "f8")
    if array.size != n or label:
        raise ValueError(f"{n} numbers were expected, {array.size} came")
    return array  # type: ignore[return-value]


def _numbers(leaf: Leaf, scalar: bool) -> Decode:
    n = math.prod(leaf.shape)

    def decode(message: memoryview) -> Any:
        array, label = cdr.decode(message, leaf.on_wire)
        if array.size != n or label not in CODES:
            raise ValueError(f"{n} numbers were expected, {array.size} {label} came")
        value = array.astype(label or leaf.dtype).reshape(leaf.shape)
        return value[()] if scalar else value

    return decode


def _picture(message: memoryview, leaf: Leaf) -> NDArray[Any]:
    image = raw_image.decode(message)
    if (image.encoding, image.height, image.width) != (leaf.picture, leaf.height, leaf.width):
        raise ValueError(f"a picture of {leaf.height} × {leaf.width} was expected, {image[:3]} came")
    return np.frombuffer(image.data, f"<{leaf.dtype}").reshape(leaf.shape).copy()


def _frames(message: memoryview) -> Iterator[memoryview]:
    place = 0
    while place < len(message):
        if place + 4 > len(message):
            raise ValueError("a frame ends early")
        (size,) = struct.unpack_from("<I", message, place)
        if place + 4 + size > len(message):
            raise ValueError("a frame ends early")
        yield message[place + 4 : place + 4 + size]
        place += 4 + size
