"""Any Gymnasium observation space as a flat vector of numbers, some of which are discrete levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..errors import UnsupportedSpace

MOST_DIMENSIONS = 1024
MOST_LEVELS = 100_000
SUPPORTED = "Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of these"
ROOT = "observation"


class Layout(NamedTuple):
    """How an observation lies in a vector."""

    names: tuple[str, ...]  # of each dimension, as users index it
    levels: NDArray[np.int64]  # shape (size,): the number of levels of a discrete dimension, 0 for a continuous one
    flatten: Callable[[Any], Any]  # observation -> anything that np.asarray turns into a vector of shape (size,)
    low: NDArray[np.float64]  # shape (size,): bounds of a continuous dimension, infinite where there are none
    high: NDArray[np.float64]

    @property
    def size(self) -> int:
        return len(self.names)

    def take(self, chosen: NDArray[np.int64]) -> Layout:
        """The layout of some of the dimensions."""
        size, whole = self.size, self.flatten
        if np.array_equal(chosen, np.arange(size)):
            return self

        def flatten(value: Any) -> NDArray[Any]:
            flat: NDArray[Any] = np.asarray(whole(value))
            if flat.shape != (size,):
                raise ValueError(f"{self.names[0]} and what follows should be {size} numbers, got {flat.size}")
            return flat[chosen]

        names = tuple(self.names[d] for d in chosen)
        return Layout(names, self.levels[chosen], flatten, self.low[chosen], self.high[chosen])

    def unbounded(self) -> Layout:
        """The same without bounds: for what is computed from these dimensions."""
        return self._replace(low=np.full(self.size, -np.inf), high=np.full(self.size, np.inf))


def layout_of(space: Space[Any]) -> Layout:
    """The layout of an observation space.

    Raises `UnsupportedSpace` for a space that cannot be flattened or has more than 1024 dimensions.
    """
    layout = lay_out(space, ROOT)
    check_size(layout, f"observation space {space}")
    if layout.size == 0:
        raise UnsupportedSpace(f"observation space {space}: is empty")
    return layout


def check_size(layout: Layout, what: str) -> None:
    """Raise `UnsupportedSpace` for more than 1024 dimensions."""
    if layout.size > MOST_DIMENSIONS:
        raise UnsupportedSpace(
            f"{what}: has {layout.size} dimensions, more than {MOST_DIMENSIONS}; images need an encoder "
            "of their own, or an environment wrapper that extracts features"
        )


def lay_out(space: Space[Any], name: str) -> Layout:
    """The layout of a space of any size that is called `name`. Raises `UnsupportedSpace` if it cannot be flattened."""
    match space:
        case spaces.Box():
            shape = space.shape
            names = (
                (name,)
                if shape == ()
                else tuple(f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(shape))
            )
            bounds = (np.ravel(np.asarray(end, np.float64)) for end in (space.low, space.high))
            return Layout(names, np.zeros(len(names), np.int64), np.ravel, *bounds)
        case spaces.Discrete():
            return _discrete((name,), np.array([space.n]), _level(int(space.start)))
        case spaces.MultiDiscrete():
            names = tuple(f"{name}[{i}]" for i in range(space.nvec.size))
            offset = space.start.ravel()
            return _discrete(names, space.nvec.ravel(), lambda value: np.ravel(value) - offset)
        case spaces.MultiBinary():
            size = int(np.prod(space.shape))
            return _discrete(tuple(f"{name}[{i}]" for i in range(size)), np.full(size, 2), np.ravel)
        case spaces.Tuple():
            return join([(lay_out(part, f"{name}[{i}]"), _item(i)) for i, part in enumerate(space.spaces)])
        case spaces.Dict():
            return join([(lay_out(part, f"{name}[{key!r}]"), _item(key)) for key, part in space.spaces.items()])
        case _:
            raise UnsupportedSpace(f"observation space {space}: is not supported; supported are {SUPPORTED}")


def _discrete(names: tuple[str, ...], n: NDArray[Any], flatten: Callable[[Any], Any]) -> Layout:
    """Levels of discrete dimensions; too many to tell apart are as good as continuous."""
    levels = np.where(n > MOST_LEVELS, 0, n).astype(np.int64)
    return Layout(names, levels, flatten, np.zeros(len(names)), np.asarray(n, np.float64) - 1.0)


def _level(start: int) -> Callable[[Any], list[Any]]:
    def flatten(value: Any) -> list[Any]:
        level = int(value)
        return [(level if level == value else value) - start]  # 2.5 stays what it is, and is refused

    return flatten


def _item(key: Any) -> Callable[[Any], Any]:
    return lambda value: value[key]


def join(parts: Sequence[tuple[Layout, Callable[[Any], Any]]]) -> Layout:
    """Layouts one after the other, each of what a function takes out of the observation."""
    names = tuple(name for layout, _ in parts for name in layout.names)
    levels = np.concatenate([np.zeros(0, np.int64), *(layout.levels for layout, _ in parts)])
    low, high = (np.concatenate([np.zeros(0), *(part[end] for part, _ in parts)]) for end in (3, 4))

    def flatten(value: Any) -> NDArray[Any]:
        return np.concatenate([np.zeros(0), *(np.ravel(layout.flatten(take(value))) for layout, take in parts)])

    return Layout(names, levels, flatten, low, high)


def real(value: Any) -> NDArray[np.float64]:
    """Numbers as float64. Raises `TypeError` or `ValueError` for what is none; complex numbers and text are none."""
    array = np.asarray(value)
    if array.dtype.kind in "cSU":
        raise TypeError(f"{array.dtype} is no real number")
    return array.astype(np.float64, copy=False)


def misfit(space: Space[Any], value: Any, name: str = ROOT) -> str | None:
    """Where an observation does not fit its space: the first key that is missing, or whose value has another shape."""
    match space:
        case spaces.Dict():
            if not isinstance(value, Mapping):
                return f"{name} should be a dictionary, got {type(value).__name__}"
            for key, part in space.spaces.items():
                if key not in value:
                    came = f"only {', '.join(map(repr, value))}" if value else "nothing"
                    return f"{name}: key {key!r} is missing, {came} came"
                if found := misfit(part, value[key], f"{name}[{key!r}]"):
                    return found
        case spaces.Tuple():
            if not isinstance(value, Sequence) or len(value) != len(space.spaces):
                return f"{name} should have {len(space.spaces)} entries, got {value!r}"
            for i, part in enumerate(space.spaces):
                if found := misfit(part, value[i], f"{name}[{i}]"):
                    return found
        case spaces.Box() | spaces.Discrete() | spaces.MultiDiscrete() | spaces.MultiBinary():
            try:
                shape = real(value).shape
            except (TypeError, ValueError):
                return f"{name} should be numbers, got {value!r}"
            if shape != space.shape:
                return f"{name} has shape {shape}, expected {space.shape}"
    return None
