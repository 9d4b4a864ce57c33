"""Any Gymnasium observation space as a flat vector of numbers, some of which are discrete levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..errors import UnsupportedSpace

MOST_DIMENSIONS = 1024
MOST_LEVELS = 100_000
SUPPORTED = "Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of these"


class Layout(NamedTuple):
    """How an observation lies in a vector."""

    names: tuple[str, ...]  # of each dimension, as users index it
    levels: NDArray[np.int64]  # shape (size,): the number of levels of a discrete dimension, 0 for a continuous one
    flatten: Callable[[Any], Any]  # observation -> anything that np.asarray turns into a vector of shape (size,)

    @property
    def size(self) -> int:
        return len(self.names)


def layout_of(space: Space[Any]) -> Layout:
    """The layout of an observation space.

    Raises `UnsupportedSpace` for a space that cannot be flattened or has more than 1024 dimensions.
    """
    layout = _layout(space, "observation")
    if layout.size > MOST_DIMENSIONS:
        raise UnsupportedSpace(
            f"observation space {space}: has {layout.size} dimensions, more than {MOST_DIMENSIONS}; images need an encoder "
            "of their own, or an environment wrapper that extracts features"
        )
    if layout.size == 0:
        raise UnsupportedSpace(f"observation space {space}: is empty")
    return layout


def _layout(space: Space[Any], name: str) -> Layout:
    match space:
        case spaces.Box():
            shape = space.shape
            names = (
                (name,)
                if shape == ()
                else tuple(f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(shape))
            )
            return Layout(names, np.zeros(len(names), np.int64), np.ravel)
        case spaces.Discrete():
            start = int(space.start)
            return Layout((name,), _levels(np.array([space.n])), lambda value: [int(value) - start])
        case spaces.MultiDiscrete():
            names = tuple(f"{name}[{i}]" for i in range(space.nvec.size))
            offset = space.start.ravel()
            return Layout(names, _levels(space.nvec.ravel()), lambda value: np.ravel(value) - offset)
        case spaces.MultiBinary():
            size = int(np.prod(space.shape))
            return Layout(tuple(f"{name}[{i}]" for i in range(size)), np.full(size, 2), np.ravel)
        case spaces.Tuple():
            return _join([(_layout(part, f"{name}[{i}]"), i) for i, part in enumerate(space.spaces)])
        case spaces.Dict():
            return _join([(_layout(part, f"{name}[{key!r}]"), key) for key, part in space.spaces.items()])
        case _:
            raise UnsupportedSpace(f"observation space {space}: is not supported; supported are {SUPPORTED}")


def _levels(n: NDArray[Any]) -> NDArray[np.int64]:
    """Levels of discrete dimensions; too many to tell apart are as good as continuous."""
    return np.where(n > MOST_LEVELS, 0, n).astype(np.int64)


def _join(parts: list[tuple[Layout, Any]]) -> Layout:
    names = tuple(name for layout, _ in parts for name in layout.names)
    levels = np.concatenate([np.zeros(0, np.int64), *(layout.levels for layout, _ in parts)])
    return Layout(
        names, levels, lambda value: np.concatenate([np.ravel(layout.flatten(value[key])) for layout, key in parts])
    )
