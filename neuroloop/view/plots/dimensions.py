"""Names and units of what observations hold, of worlds whose documentation says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Dimension(NamedTuple):
    """One number of an observation."""

    name: str
    unit: str = ""

    @property
    def label(self) -> str:
        """For an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


def _each(names: Sequence[str], what: str, unit: str) -> list[Dimension]:
    return [Dimension(f"{name} {what}", unit) for name in names]


JOINTS = [f"joint {n}" for n in range(1, 8)]
LEGS = ("front right", "front left", "rear right", "rear left")
LEG_JOINTS = [f"{leg} {joint}" for leg in LEGS for joint in ("hip", "upper", "lower")]
AXES = "xyz"
CART = [
    Dimension("cart position", "m"), Dimension("cart velocity", "m/s"), Dimension("pole angle", "rad"),
    Dimension("pole velocity", "rad/s"),
]  # fmt: skip
KNOWN: dict[str, list[Dimension]] = {
    "CartPole-v0": CART,
    "CartPole-v1": CART,
    "PoleBalance-v0": CART,
    "PoleBalanceHard-v0": CART,
    "MountainCar-v0": [Dimension("position"), Dimension("velocity")],
    "MountainCarContinuous-v0": [Dimension("position"), Dimension("velocity")],
    "Pendulum-v1": [Dimension("cos of angle"), Dimension("sin of angle"), Dimension("angular velocity", "rad/s")],
    "Acrobot-v1": [
        Dimension("cos of angle 1"), Dimension("sin of angle 1"), Dimension("cos of angle 2"), Dimension("sin of angle 2"),
        Dimension("angular velocity 1", "rad/s"), Dimension("angular velocity 2", "rad/s"),
    ],
    "LaneKeeping-v0": [
        Dimension("lateral error", "m"), Dimension("heading error", "rad"), Dimension("speed", "m/s"),
        Dimension("steering", "rad"),
    ],
    "TargetTracking-v0": [
        Dimension("ball left", "half pictures"), Dimension("ball up", "half pictures"),
        Dimension("ball left speed", "half pictures/s"), Dimension("ball up speed", "half pictures/s"),
        Dimension("visible"), Dimension("pan", "rad"), Dimension("tilt", "rad"), Dimension("pan speed", "rad/s"),
        Dimension("tilt speed", "rad/s"), Dimension("pan command"), Dimension("tilt command"),
    ],
    "ArmTracking-v0": [
        *_each(JOINTS, "angle", "rad"), *_each(JOINTS, "velocity", "rad/s"), *_each(JOINTS, "reference angle", "rad"),
        *_each(JOINTS, "reference velocity", "rad/s"), *_each(JOINTS, "reference acceleration", "rad/s²"),
        *_each(JOINTS, "angle missing", "rad"), *_each(JOINTS, "velocity missing", "rad/s"),
    ],
    "ArmReaching-v0": [
        *_each(JOINTS, "angle", "rad"), *_each(JOINTS, "velocity", "rad/s"),
        *(Dimension(f"hand {axis}", "m") for axis in AXES), *(Dimension(f"to target {axis}", "m") for axis in AXES),
        *_each(JOINTS, "error", "rad"),
    ],
    "QuadrupedWalk-v0": [
        *_each(LEG_JOINTS, "angle", "rad"), *_each(LEG_JOINTS, "velocity", "rad/s"),
        Dimension("roll", "rad"), Dimension("pitch", "rad"),
        Dimension("heading", "rad"), *(Dimension(f"spin {axis}", "rad/s") for axis in AXES),
        *(Dimension(f"acceleration {axis}", "m/s²") for axis in AXES),
        *_each(LEGS, "foot on ground", ""),
    ],
}  # fmt: skip
OWN_OF_ROVER = [Dimension("speed", "m/s"), Dimension("turn rate", "rad/s"), Dimension("heading", "rad")]
MAY_BE_SHORTER = ("ArmReaching-v0",)  # without what is at its end


def dimensions_of(env: str, n: int, keys: Sequence[str] = ()) -> list[Dimension]:
    """Names of the `n` numbers of an observation; `keys`: where they stand in it, for what nobody documented."""
    name = env.rpartition(":")[2].rpartition("/")[2]
    if name == "ObstacleAvoidance-v0" and n > len(OWN_OF_ROVER):
        return [Dimension(f"range {k + 1}", "m") for k in range(n - len(OWN_OF_ROVER))] + OWN_OF_ROVER
    known = KNOWN.get(name, [])
    if len(known) == n or (name in MAY_BE_SHORTER and len(known) > n):
        return known[:n]
    return [Dimension(keys[k] if keys else f"observation[{k}]") for k in range(n)]
