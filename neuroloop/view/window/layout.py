"""What of an observation is shown how: pictures, events, series of numbers, or a picture of numbers over time."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from ...sensors.space import EventSpace
from .naming import Group, groups_of, n_numbers

MOST_SERIES = 64  # numbers that are plotted as series
LEAST_SIDE = 8  # px of what is a picture
Kind = Literal["picture", "polarity", "events", "series", "rolled"]


class Part(NamedTuple):
    """A part of an observation."""

    path: tuple[str | int, ...]  # how it is taken out of the observation
    name: str
    kind: Kind
    groups: tuple[Group, ...] = ()  # of series
    size: tuple[int, int] = (0, 0)  # width and height in px
    n: int = 0  # numbers of a long vector

    def of(self, observation: Any) -> Any:
        """Its value."""
        for key in self.path:
            observation = observation[key]
        return observation


def parts_of(space: gymnasium.Space[Any] | None, env_id: str, path: tuple[str | int, ...] = ()) -> list[Part]:
    """How the parts of an observation are shown; those that cannot be are left out."""
    name = "/".join(map(str, path)) or "observation"
    match space:
        case EventSpace():
            return [Part(path, name, "events", size=(space.width, space.height))]
        case spaces.Dict():
            return [part for key, inner in space.spaces.items() for part in parts_of(inner, env_id, (*path, key))]
        case spaces.Tuple():
            return [part for k, inner in enumerate(space.spaces) for part in parts_of(inner, env_id, (*path, k))]
        case spaces.Box() | spaces.Discrete() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return [_numbers(space, env_id, path, name)]
    return []


def _numbers(space: gymnasium.Space[Any], env_id: str, path: tuple[str | int, ...], name: str) -> Part:
    shape, n = space.shape or (), n_numbers(space)
    if len(shape) in (2, 3) and is_picture(shape, np.dtype(space.dtype)):
        return Part(path, name, "picture")
    if len(shape) == 3 and shape[2] == 2:  # OFF and ON, as `EventFrames` gives them
        return Part(path, name, "polarity")
    if n <= MOST_SERIES:
        return Part(path, name, "series", tuple(groups_of(env_id, n, name)))
    return Part(path, name, "rolled", n=n)


def is_picture(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether arrays look like pictures: bytes, or one layer of numbers."""
    if min(shape[:2]) < LEAST_SIDE:
        return False
    return len(shape) == 2 or shape[2] == 1 or (shape[2] in (3, 4) and dtype == np.uint8)
