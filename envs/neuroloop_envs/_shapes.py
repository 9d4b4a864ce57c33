"""Simple shapes: their sizes, their brightness, and what of PyBullet's shapes they are."""

import math
from collections.abc import Sequence
from typing import Literal

from neuroloop_envs._bullet import Quaternion, Vector, Visual
from neuroloop_envs._pictures import LUMA, light_of
from neuroloop_envs._ray_shapes import BOX, CAPSULE, CYLINDER, PLANE, SPHERE

Kind = Literal["sphere", "box", "cylinder", "capsule", "plane"]
KINDS: dict[str, tuple[int, int]] = {
    "sphere": (SPHERE, 1), "box": (BOX, 3), "cylinder": (CYLINDER, 2), "capsule": (CAPSULE, 2), "plane": (PLANE, 0),
}  # fmt: skip
MESHES = {  # shipped files that are no more than a simple shape of this size; a plane is one without end
    "plane.obj": ("plane", ()), "plane100.obj": ("plane", ()), "plane_transparent.obj": ("plane", ()),
    "cube.obj": ("box", (1.0, 1.0, 1.0)),
    "sphere_smooth.obj": ("sphere", (1.0,)), "textured_sphere_smooth.obj": ("sphere", (1.0,)),
}  # fmt: skip


def simple(visual: Visual) -> Visual:
    """The same with a size as `KINDS` counts it; a shipped mesh becomes the simple shape that it stands for."""
    x, y, z = visual.size
    if visual.kind in ("cylinder", "capsule"):
        return visual._replace(size=(y, x))
    if visual.kind != "mesh":
        return visual._replace(size=visual.size[: KINDS[visual.kind][1]])
    kind, size = MESHES.get(visual.mesh.rpartition("/")[2], ("mesh", ()))
    if kind == "mesh" or (kind == "sphere" and not x == y == z):
        return visual
    return visual._replace(kind=kind, mesh="", size=tuple(a * b for a, b in zip(size, visual.size, strict=False)))


def halves(kind: str, size: Sequence[float]) -> Vector:
    """What a row holds of a size: half the edges of a box; of round shapes radius, radius and half the length."""
    if kind == "box":
        return 0.5 * size[0], 0.5 * size[1], 0.5 * size[2]
    if kind == "sphere":
        return size[0], size[0], size[0]
    return (size[0], size[0], 0.5 * size[1]) if kind != "plane" else (0.0, 0.0, 0.0)


def luminance_of(rgb: Vector) -> float:
    """Linear light of a colour that is meant for a screen (sRGB)."""
    return sum(weight * light_of(channel) for weight, channel in zip(LUMA, rgb, strict=True))


def size_of(where: str, kind: str, size: float | Sequence[float]) -> tuple[float, ...]:
    """The lengths of a shape, checked."""
    if kind not in KINDS:
        raise ValueError(f"{where}: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    given = (float(size),) if isinstance(size, int | float) else tuple(map(float, size))
    n = KINDS[kind][1]
    if len(given) != n or not all(0.0 < length < math.inf for length in given):
        raise ValueError(f"{where}: size of a {kind} must be of {n} lengths above 0 m, got {size!r}")
    return given


def share(what: str, value: float) -> float:
    """A brightness from 0 to 1."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{what}: must lie between 0 and 1, got {value!r}")
    return float(value)


def finite(what: str, vector: Sequence[float]) -> Vector:
    """Three finite numbers."""
    if len(vector) != 3 or not all(map(math.isfinite, vector)):
        raise ValueError(f"{what}: must be three finite numbers, got {vector!r}")
    return float(vector[0]), float(vector[1]), float(vector[2])


def direction(what: str, vector: Sequence[float]) -> Vector:
    """The same as a vector of length 1."""
    x, y, z = finite(what, vector)
    length = math.hypot(x, y, z)
    if length == 0.0:
        raise ValueError(f"{what}: must be a direction, got a vector of length 0")
    return x / length, y / length, z / length


def turn(what: str, orientation: Sequence[float]) -> Quaternion:
    """A quaternion (x, y, z, w) of length 1."""
    length = math.hypot(*orientation) if len(orientation) == 4 else 0.0
    if not 0.0 < length < math.inf:
        raise ValueError(f"{what}: must be a quaternion (x, y, z, w), got {orientation!r}")
    x, y, z, w = (float(number) / length for number in orientation)
    return x, y, z, w
