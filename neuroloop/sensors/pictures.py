"""Where an environment shows a picture: in its observation, or by rendering it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import BadInput, PlantError, unknown

RENDERED = "render"  # the key that stands for what the environment renders
COLOURS = (1, 3)
SMALLEST = 8  # pixels a side of what is taken for a picture unasked

Env = gymnasium.Env[Any, Any]


class Picture(NamedTuple):
    """How to get the picture of a moment: uint8, or floats from 0 to 1, (height, width) or (height, width, 3)."""

    name: str
    shape: tuple[int, int] | None  # height and width, where they are known beforehand
    of: Callable[[Any], NDArray[Any]]  # of an observation


def picture_of(env: Env, key: str | None) -> Picture:
    """The picture named by `key`, or the only one there is: of the observation first, else rendered. Raises `BadInput`."""
    space = env.observation_space
    boxes = _boxes(space)
    if key == RENDERED and RENDERED not in boxes:
        return _rendered(env)
    if key is not None:
        if key not in boxes:
            raise BadInput(f"key: {unknown('picture', key, [*boxes, RENDERED])}")
        return _observed(key, boxes[key], isinstance(space, spaces.Dict))
    found = [name for name, box in boxes.items() if _plainly(box)]
    if len(found) > 1:
        raise BadInput(f"key: is needed, since the observation holds several pictures: {', '.join(found)}")
    if found:
        return _observed(found[0], boxes[found[0]], isinstance(space, spaces.Dict))
    return _rendered(env)


def _boxes(space: spaces.Space[Any]) -> dict[str, spaces.Box]:
    parts = space.spaces if isinstance(space, spaces.Dict) else {"observation": space}
    return {name: part for name, part in parts.items() if isinstance(part, spaces.Box) and _layout(part.shape)}


def _layout(shape: tuple[int, ...]) -> tuple[int, int, bool] | None:
    """Height, width and whether channels come first; None for what is no picture."""
    if len(shape) == 2:
        return shape[0], shape[1], False
    if len(shape) == 3 and shape[2] in COLOURS:
        return shape[0], shape[1], False
    if len(shape) == 3 and shape[0] in COLOURS:
        return shape[1], shape[2], True
    return None


def _plainly(box: spaces.Box) -> bool:
    height, width, _ = _layout(box.shape) or (0, 0, False)
    return box.dtype == np.uint8 and min(height, width) >= SMALLEST


def _observed(name: str, box: spaces.Box, inside: bool) -> Picture:
    height, width, first = _layout(box.shape) or (0, 0, False)
    low, high = float(box.low.min()), float(box.high.max())
    whole = box.dtype == np.uint8
    if not whole and not (box.dtype is not None and box.dtype.kind == "f" and math.isfinite(high - low) and high > low):
        raise BadInput(f"key: a picture must be uint8, or floats within finite bounds; {name!r} is {box}")

    def of(observation: Any) -> NDArray[Any]:
        picture = np.asarray(observation[name] if inside else observation)
        if picture.shape != box.shape or picture.dtype != box.dtype:
            raise PlantError(
                f"{name}: must be {box.dtype} of shape {box.shape}, got {picture.dtype} of {picture.shape}"
            )
        picture = np.moveaxis(picture, 0, -1) if first else picture
        picture = picture[:, :, 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
        return picture if whole else np.clip((picture - low) / (high - low), 0.0, 1.0)

    return Picture(name, (height, width), of)


def _rendered(env: Env) -> Picture:
    if env.render_mode != "rgb_array":
        raise BadInput(
            f"{env}: shows no picture; make it with render_mode='rgb_array' (it has render_mode={env.render_mode!r}), or "
            "name the picture in its observation by `key`"
        )

    def of(_: Any) -> NDArray[Any]:
        picture: Any = env.render()
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape[2:] not in ((3,), ()):
            raise PlantError(f"render() must return uint8 of shape (height, width, 3), got {_kind(picture)}")
        return picture

    return Picture(RENDERED, None, of)


def _kind(value: Any) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def seconds_a_step(env: Env) -> float | None:
    """What a step lasts, s, as the environment says: by its `dt`, or by the frame rate of its metadata."""
    for value in (getattr(env.unwrapped, "dt", None), 1.0 / (env.metadata.get("render_fps") or math.inf)):
        if isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0.0 < value < math.inf:
            return float(value)
    return None
