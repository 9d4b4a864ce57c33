"""Gymnasium action spaces as choices among groups of neurons, or as values, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..errors import UnsupportedSpace

SUPPORTED = "Discrete, MultiDiscrete, MultiBinary and bounded Box"
Winners = Sequence[int]


class Values(NamedTuple):
    """A bounded Box as flat numbers. Rest is 0, or the value next to it."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    shape: tuple[int, ...]
    dtype: Any

    @property
    def rest(self) -> NDArray[np.float64]:
        """What an actuator does that is asked for nothing."""
        return np.zeros_like(self.low).clip(self.low, self.high)

    @property
    def whole(self) -> bool:
        """Whether actions are whole numbers."""
        return bool(np.issubdtype(self.dtype, np.integer))

    def levels(self, n: int) -> NDArray[np.float64]:
        """`n` evenly spaced values a dimension, ends included, shape (n, dimensions); whole if the actions are."""
        share = np.linspace(0.0, 1.0, n)[:, None]
        values = ((1.0 - share) * self.low + share * self.high).clip(self.low, self.high)
        return np.asarray(np.rint(values) if self.whole else values)

    def maker(self) -> Callable[[NDArray[np.float64]], NDArray[Any]]:
        """A function that makes the action of numbers within the bounds."""
        shape, dtype = self.shape, self.dtype
        if self.whole:
            return lambda values: np.rint(values).astype(dtype).reshape(shape)
        return lambda values: values.astype(dtype).reshape(shape)


class ActionCode(NamedTuple):
    """What a decoder reads, and how that becomes an action."""

    groups: tuple[int, ...]  # of neurons, in each population: one a dimension of the action, mostly
    ordered: bool  # whether neighbouring groups are similar
    decode: Callable[[Any], Any]  # of winners, or of the output stage's numbers
    values: Values | None = None  # of a Box
    staged: bool = False  # whether there is an output stage


def values_of(space: spaces.Box) -> Values:
    """The numbers of a Box. Raises `UnsupportedSpace` if the Box is not bounded."""
    if not space.is_bounded():
        raise UnsupportedSpace(f"action space {space}: a Box needs finite bounds; wrap the environment to give it some")
    low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
    return Values(low, high, space.shape, space.dtype)


def code_of(space: Space[Any], levels: int) -> ActionCode:
    """The code of an action space by choices; a Box has `levels` evenly spaced values a dimension, ends included.

    Raises `UnsupportedSpace`.
    """
    match space:
        case spaces.Discrete():
            start = int(space.start)
            return ActionCode((int(space.n),), False, lambda winners: start + winners[0])
        case spaces.MultiDiscrete():
            offset, shape, dtype = space.start.ravel(), space.shape, space.dtype
            groups = tuple(int(n) for n in space.nvec.ravel())
            return ActionCode(groups, False, lambda winners: (offset + winners).astype(dtype).reshape(shape))
        case spaces.MultiBinary():
            binary_shape = space.shape
            size = int(np.prod(binary_shape))
            return ActionCode((2,) * size, False, lambda winners: np.array(winners, np.int8).reshape(binary_shape))
        case spaces.Box():
            values = values_of(space)
            table, dims, box_shape = values.levels(levels).astype(space.dtype), np.arange(values.low.size), space.shape
            return ActionCode(
                (levels,) * values.low.size, True, lambda winners: table[winners, dims].reshape(box_shape), values
            )
        case _:
            raise UnsupportedSpace(f"action space {space}: is not supported; supported are {SUPPORTED}")


def code_of_values(space: Space[Any], groups: int, together: bool = False) -> ActionCode:
    """The code of a Box by values, with so many groups a dimension; `together`: in one population for all.

    Raises `UnsupportedSpace`.
    """
    if not isinstance(space, spaces.Box):
        raise UnsupportedSpace(
            f"action space {space}: this decoder gives numbers, for a bounded Box; choices take "
            "decoder.kind = 'winner-take-all' or 'first-spike'"
        )
    values = values_of(space)
    sizes = (groups * values.low.size,) if together else (groups,) * values.low.size
    return ActionCode(sizes, True, values.maker(), values, staged=True)


def code_of_switches(space: Space[Any]) -> ActionCode:
    """The code of what is only switched: a pair of groups a dimension, and on or off, or a value of a Box.

    Raises `UnsupportedSpace`.
    """
    if isinstance(space, spaces.Box):
        return code_of_values(space, 2)
    two = (isinstance(space, spaces.Discrete) and space.n == 2) or (
        isinstance(space, spaces.MultiDiscrete) and bool((space.nvec == 2).all())
    )
    if not two and not isinstance(space, spaces.MultiBinary):
        raise UnsupportedSpace(
            f"action space {space}: decoder.kind = 'pwm' switches, so it needs a bounded Box, MultiBinary, or choices of "
            "two; more take 'winner-take-all' or 'first-spike'"
        )
    return code_of(space, 2)
