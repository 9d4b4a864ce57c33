"""What a quaternion q = (x, y, z, w) = (u, w) of length 1 does: to vectors, back again, and where it has a robot head.

v turned by q is v + w t + u × t with t = 2 u × v (Hamilton 1844); its heading is atan2(2 (w z + x y), 1 − 2 (y² + z²)).
"""

import math

from neuroloop_envs._bullet import Quaternion, Vector


def facing(heading: float) -> Quaternion:
    """The turn of what stands upright and points somewhere, rad, 0 along x, + to the left."""
    return 0.0, 0.0, math.sin(0.5 * heading), math.cos(0.5 * heading)


def heading_of(turn: Quaternion) -> float:
    """Where the x axis of a frame points to, seen from above, rad, however the frame is pitched and rolled."""
    x, y, z, w = turn
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def turned(vector: Vector, turn: Quaternion) -> Vector:
    """A vector of a frame, in world coordinates."""
    (vx, vy, vz), (x, y, z, w) = vector, turn
    tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
    return vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx


def turned_back(vector: Vector, turn: Quaternion) -> Vector:
    """A vector of the world, in axes of the frame."""
    (vx, vy, vz), (x, y, z, w) = vector, turn
    tx, ty, tz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    return (
        vx - 2.0 * (w * tx - (y * tz - z * ty)),
        vy - 2.0 * (w * ty - (z * tx - x * tz)),
        vz - 2.0 * (w * tz - (x * ty - y * tx)),
    )
