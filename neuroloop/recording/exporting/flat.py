"""Parts of observations and actions as columns with names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ...types import EVENT, Tick
from ..channels import Leaf
from ..layout import parts_of
from ..reader import Recording

FEW = 64  # numbers that have a column each


class Field(NamedTuple):
    """A part of what a tick holds."""

    name: str  # observation/camera
    leaf: Leaf
    get: Callable[[Tick], Any]

    @property
    def n(self) -> int:
        """Numbers of it."""
        return math.prod(self.leaf.shape)

    @property
    def columns(self) -> list[str]:
        """Names of its numbers, none where it has too many."""
        if self.leaf.kind != "numbers" or self.n > FEW:
            return []
        return [f"{self.name}{''.join(f'[{k}]' for k in place)}" for place in np.ndindex(*self.leaf.shape)]


def fields_of(recording: Recording) -> list[Field]:
    """What observations and actions consist of."""
    observation = _fields("observation", recording.observation_space, lambda tick: tick.observation)
    return [*observation, *_fields("action", recording.action_space, lambda tick: tick.action)]


def _fields(root: str, space: Space[Any], of: Callable[[Tick], Any]) -> Iterator[Field]:
    for leaf, _, get in parts_of(space):
        yield Field(f"{root}{leaf.path}", leaf, _both(get, of))


def _both(get: Callable[[Any], Any], of: Callable[[Tick], Any]) -> Callable[[Tick], Any]:
    return lambda tick: get(of(tick))


def dtype_of(field: Field) -> np.dtype[Any]:
    """Of its array."""
    return EVENT if field.leaf.kind == "events" else np.dtype(field.leaf.dtype)


def spikes_in(raster: NDArray[Any]) -> int:
    """How many spikes bits of neurons are, or how many cells were active."""
    return int(np.bitwise_count(raster.view(np.uint32)).sum()) if raster.ndim == 2 else raster.size
