"""How values of a space are split into parts that have a channel each, and put together again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..link.values import Values
from ..sensors.space import EventSpace
from .channels import Leaf

FEW = 256  # numbers that are written as float64 whatever they are, so that viewers plot them
LAYERS, LEAST_SIDE = 32, 8  # pictures that may lie one below the other; pixels
OWN = {"f2": "f4", "b1": "u1"}  # what numbers without a message of their own are written as
Get = Callable[[Any], Any]
Part = tuple[Leaf, gymnasium.Space[Any], Get]


def parts_of(space: gymnasium.Space[Any]) -> list[Part]:
    """The parts of a space in its order, each with how it is taken out of a value."""
    return list(_parts(space, "", lambda value: value))


def _parts(space: gymnasium.Space[Any], path: str, get: Get) -> Iterator[Part]:
    match space:
        case spaces.Dict():
            for key, part in space.spaces.items():
                yield from _parts(part, f"{path}/{key}", _inner(get, key))
        case spaces.Tuple():
            for k, part in enumerate(space.spaces):
                yield from _parts(part, f"{path}/{k}", _inner(get, k))
        case _:
            yield leaf_of(space, path), space, get


def _inner(get: Get, key: Any) -> Get:
    return lambda value: get(value)[key]


def leaf_of(space: gymnasium.Space[Any], path: str) -> Leaf:
    """How values of a space without parts are written. Raises `UnsupportedSpace`."""
    Values(space)
    match space:
        case EventSpace():
            return Leaf(path, "events", height=space.height, width=space.width)
        case spaces.Discrete():
            return _array(path, np.dtype(np.int64), (), "f8" if abs(int(space.start) + int(space.n)) < 2**53 else "i8")
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return _array(path, np.dtype(space.dtype), space.shape)
    return Leaf(path, "frames")


def _array(path: str, dtype: np.dtype[Any], shape: tuple[int, ...], on_wire: str = "") -> Leaf:
    code = f"{dtype.kind}{dtype.itemsize}"
    picture, height, width = _picture(code, shape)
    if picture:
        return Leaf(path, "picture", code, shape, picture=picture, height=height, width=width)
    own = math.prod(shape) > FEW or (dtype.itemsize == 8 and dtype.kind != "f")
    return Leaf(path, "numbers", code, shape, on_wire=on_wire or (OWN.get(code, code) if own else "f8"))


def _picture(code: str, shape: tuple[int, ...]) -> tuple[str, int, int]:
    """Encoding, height and width of a picture, or of several below each other; no encoding for what is none."""
    if code not in ("u1", "f4") or len(shape) not in (2, 3):
        return "", 0, 0
    if code == "u1" and len(shape) == 3 and shape[2] == 3 and min(shape[:2]) >= LEAST_SIDE:
        return "rgb8", shape[0], shape[1]
    layers, height, width = (1, *shape) if len(shape) == 2 else (1, *shape[:2]) if shape[2] == 1 else shape
    if min(height, width) < LEAST_SIDE or layers > LAYERS:
        return "", 0, 0
    return "mono8" if code == "u1" else "32FC1", layers * height, width
