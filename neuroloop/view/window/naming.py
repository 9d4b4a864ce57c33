"""What the numbers of an observation and of an action are called, in groups that are plotted together.

Gymnasium has no names for them, so those of its classic tasks and of our worlds stand here, as their documentation gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

MOST_UNNAMED = 16  # numbers of a group, where nobody knows what they are
ARM = tuple(f"joint {k}" for k in range(1, 8))
LEGS = tuple(f"{leg} {part}" for leg in ("FR", "FL", "RR", "RL") for part in ("hip", "upper", "lower"))
CART_POLE = (
    ("cart", ("position, m", "velocity, m/s")),
    ("pole", ("angle, rad", "angular velocity, rad/s")),
)
Named = tuple[tuple[str, tuple[str, ...]], ...]

OBSERVATIONS: dict[str, Named] = {
    "CartPole": CART_POLE,
    "PoleBalance": CART_POLE,
    "PoleBalanceHard": CART_POLE,
    "MountainCar": (("car", ("position", "velocity")),),
    "MountainCarContinuous": (("car", ("position", "velocity")),),
    "Pendulum": (("pendulum", ("cos angle", "sin angle", "angular velocity, rad/s")),),
    "Acrobot": (
        ("angles", ("cos 1", "sin 1", "cos 2", "sin 2")),
        ("velocities, rad/s", ("joint 1", "joint 2")),
    ),
    "LunarLander": (
        ("pose", ("x", "y", "angle")), ("velocity", ("x", "y", "turn")), ("legs", ("left", "right")),
    ),
    "LaneKeeping": (("car", ("lateral error, m", "heading error, rad", "speed, m/s", "steering, rad")),),
    "TargetTracking": (
        ("ball in the picture", ("left", "up", "left a second", "up a second", "visible")),
        ("head", ("pan, rad", "tilt, rad", "pan, rad/s", "tilt, rad/s")), ("asked", ("pan", "tilt")),
    ),
    "ArmReaching": (
        ("joint angles, rad", ARM), ("joint velocities, rad/s", ARM), ("hand, m", ("x", "y", "z")),
        ("hand to target, m", ("x", "y", "z")), ("joint error, rad", ARM),
    ),
    "ArmTracking": (
        ("joint angles, rad", ARM), ("joint velocities, rad/s", ARM), ("reference angles, rad", ARM),
        ("reference velocities, rad/s", ARM), ("reference accelerations, rad/s²", ARM), ("missing angles, rad", ARM),
        ("missing velocities, rad/s", ARM),
    ),
    "QuadrupedWalk": (
        ("joint angles, rad", LEGS), ("joint velocities, rad/s", LEGS), ("trunk, rad", ("roll", "pitch", "heading")),
        ("angular velocity, rad/s", ("x", "y", "z")), ("acceleration, m/s²", ("x", "y", "z")),
        ("feet on the ground", ("FR", "FL", "RR", "RL")),
    ),
}  # fmt: skip
ACTIONS: dict[str, tuple[str, ...]] = {
    "PoleBalance": ("force",), "PoleBalanceHard": ("force",), "MountainCarContinuous": ("force",),
    "Pendulum": ("torque",), "LaneKeeping": ("steering",), "TargetTracking": ("pan", "tilt"),
    "ObstacleAvoidance": ("forward speed", "turn rate"), "ArmReaching": ARM, "ArmTracking": ARM, "QuadrupedWalk": LEGS,
}  # fmt: skip


class Group(NamedTuple):
    """Numbers of a vector, from `start` on, that are plotted together."""

    title: str
    start: int
    names: tuple[str, ...]


def groups_of(env_id: str, n: int, what: str = "observation") -> list[Group]:
    """Groups of the `n` numbers of an observation. `what`: what they are called if nobody knows better."""
    found, start = [], 0
    for title, names in OBSERVATIONS.get(plain(env_id), ()) if what == "observation" else ():
        found.append(Group(title, start, names[: n - start]))
        start += len(found[-1].names)
        if start == n:
            return found
    several = n > MOST_UNNAMED
    return [
        Group(
            f"{what} {first} to {last - 1}" if several else what,
            first,
            tuple(f"{what}[{k}]" for k in range(first, last)),
        )
        for first, last in _runs(n)
    ]


def action_names(env_id: str, space: gymnasium.Space[object] | None) -> Sequence[str]:
    """A name for each number of an action."""
    n = n_numbers(space)
    known = ACTIONS.get(plain(env_id), ())
    return known if len(known) == n else ("action",) if n == 1 else tuple(f"action[{k}]" for k in range(n))


def n_numbers(space: gymnasium.Space[object] | None) -> int:
    """How many numbers a value of a space has; 0 where it is no vector of numbers."""
    match space:
        case spaces.Discrete():
            return 1
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return int(np.prod(space.shape, dtype=np.int64))
    return 0


def plain(env_id: str) -> str:
    """An id without its module, namespace and version."""
    return env_id.rpartition(":")[2].rpartition("/")[2].partition("-v")[0]


def _runs(n: int) -> list[tuple[int, int]]:
    return [(first, min(first + MOST_UNNAMED, n)) for first in range(0, n, MOST_UNNAMED)]
