"""Gymnasium action spaces as one choice among a few groups for each dimension, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces

from ..errors import UnsupportedSpace

SUPPORTED = "Discrete, MultiDiscrete, MultiBinary and bounded Box"
Winners = Sequence[int]


class ActionCode(NamedTuple):
    """How choices become an action."""

    groups: tuple[int, ...]  # number of choices, one entry for each dimension of the action
    ordered: bool  # whether neighbouring choices are similar
    decode: Callable[[Winners], Any]


def code_of(space: Space[Any], levels: int) -> ActionCode:
    """The code of an action space; a Box has `levels` evenly spaced values a dimension, ends included.

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
            if not space.is_bounded():
                raise UnsupportedSpace(
                    f"action space {space}: a Box needs finite bounds; wrap the environment to give it some"
                )
            low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
            share = np.linspace(0.0, 1.0, levels)[:, None]
            values = ((1.0 - share) * low + share * high).clip(low, high)
            table = (np.rint(values) if np.issubdtype(space.dtype, np.integer) else values).astype(space.dtype)
            dims, box_shape = np.arange(low.size), space.shape
            return ActionCode((levels,) * low.size, True, lambda winners: table[winners, dims].reshape(box_shape))
        case _:
            raise UnsupportedSpace(f"action space {space}: is not supported; supported are {SUPPORTED}")
