"""What a detector tells of a ball: where it is in the picture, found from geometry instead of pixels, and when it is hidden.

A pinhole camera of focal length f looks along (pan, tilt) from the point that directions are measured from. With forward, left
and up of the camera, a direction d falls f (d · left) / (d · forward) pixels left of the picture's middle.
"""

import math
from typing import NamedTuple

from neuroloop_envs._bullet import Vector
from neuroloop_envs._paths import Direction

BOARD_SIZE = (0.02, 0.3, 1.6)  # m: thickness, width, height


class Sighting(NamedTuple):
    """Where the ball is in the picture, in halves of its width and height, clipped at its edges: + is left and up."""

    left: float
    up: float
    visible: bool


class Board(NamedTuple):
    """An upright board of `BOARD_SIZE` that faces the eye: where its middle is, rad, m away and m above the eye."""

    azimuth: float
    distance: float
    middle: float


def vector(azimuth: float, elevation: float) -> Vector:
    """A direction as a vector of length 1."""
    level = math.cos(elevation)
    return level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)


def axes_of(pan: float, tilt: float) -> tuple[Vector, Vector]:
    """Forward and up of a camera that points at (pan, tilt)."""
    return vector(pan, tilt), vector(pan, tilt + 0.5 * math.pi)


def hidden(direction: Direction, board: Board) -> bool:
    """Whether a board stands in a line of sight that is longer than its distance."""
    off = math.remainder(direction[0] - board.azimuth, 2.0 * math.pi)
    if abs(off) >= 0.5 * math.pi:
        return False
    rise = board.distance / math.cos(off) * math.tan(direction[1])
    across = board.distance * math.tan(off)
    return abs(across) <= 0.5 * BOARD_SIZE[1] and abs(rise - board.middle) <= 0.5 * BOARD_SIZE[2]


def sight(direction: Direction, pan: float, tilt: float, half_tangents: Direction, boards: list[Board]) -> Sighting:
    """What a camera sees whose picture reaches to `half_tangents` (tangents of half its angles of view)."""
    azimuth, elevation = direction
    off, level = azimuth - pan, math.cos(elevation)
    ahead = level * math.cos(off)  # of the turret, which does not nod
    forward = ahead * math.cos(tilt) + math.sin(elevation) * math.sin(tilt)
    left = level * math.sin(off)
    up = math.sin(elevation) * math.cos(tilt) - ahead * math.sin(tilt)
    if forward <= 0.0:
        return Sighting(math.copysign(1.0, left), math.copysign(1.0, up), False)
    x, y = left / forward / half_tangents[0], up / forward / half_tangents[1]
    seen = abs(x) <= 1.0 and abs(y) <= 1.0 and not any(hidden(direction, board) for board in boards)
    return Sighting(min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0), seen)
