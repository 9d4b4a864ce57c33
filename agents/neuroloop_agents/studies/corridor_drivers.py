"""Drivers of ObstacleAvoidance-v0 that learn nothing: chance, straight on, follow-the-gap and a potential field.

Follow-the-gap (Sezer and Gokcekus 2012, simplified) turns to the widest view; the potential field (Khatib 1986) adds a pull
along the corridor and a push from each range, and turns to where they lead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SECTORS = 9  # range finders, from right to left, over 180 degrees; before the other readings
HEADING = SECTORS + 2  # where in the observation it is
AHEAD = slice(3, 6)  # the sectors in the middle
ANGLES = np.radians(180.0 * ((np.arange(SECTORS) + 0.5) / SECTORS - 0.5))
Action = NDArray[np.float32]
Driver = Callable[[NDArray[np.float32]], Action]


def action(speed: float, turn: float) -> Action:
    """Both in units of the action, cut to its bounds."""
    return np.clip((speed, turn), -1.0, 1.0).astype(np.float32)


def gap(seen: NDArray[np.float32]) -> Action:
    """Turn to where the view is far and the corridor goes on; slow down before what is near."""
    ranges, heading = seen[:SECTORS], seen[HEADING]
    best = int(np.argmax(np.minimum(ranges, 3.0) + np.cos(ANGLES + heading)))
    return action(max((ranges[AHEAD].min() - 0.5) / 1.5, -0.2), 1.5 * ANGLES[best])


def field(seen: NDArray[np.float32]) -> Action:
    """Turn to the sum of a pull along the corridor and pushes of 1 / range − 1 / 2 m; slow down before what is near."""
    ranges, heading = seen[:SECTORS], seen[HEADING]
    push = 0.35 * np.maximum(1.0 / np.maximum(ranges, 0.05) - 0.5, 0.0)
    ahead = np.cos(heading) - 0.5 * push @ np.cos(ANGLES)
    aside = -np.sin(heading) - push @ np.sin(ANGLES)
    return action(max((ranges[AHEAD].min() - 0.35) / 1.2, -0.3), 2.0 * np.arctan2(aside, max(ahead, 0.1)))


def _chance(rng: np.random.Generator) -> Driver:
    return lambda seen: rng.uniform(-1.0, 1.0, 2).astype(np.float32)


def _turns(rng: np.random.Generator) -> Driver:
    return lambda seen: action(1.0, rng.uniform(-1.0, 1.0))


DRIVERS: dict[str, Callable[[np.random.Generator], Driver]] = {
    "random": _chance,
    "random turns at full speed": _turns,
    "straight on": lambda rng: lambda seen: action(1.0, 0.0),
    "follow-the-gap": lambda rng: gap,
    "potential field": lambda rng: field,
}
