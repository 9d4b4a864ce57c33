"""Cameras in a scene: one that casts rays, and one that PyBullet's own renderer draws for."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroloop.sensors.gamma import light_of_bytes
from neuroloop_envs._bullet import Camera, Light, Vector
from neuroloop_envs._pictures import LUMA, code_of, picture
from neuroloop_envs._ray_ground import SEGMENT, see_ground
from neuroloop_envs._ray_shapes import see_shapes
from neuroloop_envs._shapes import direction, finite
from neuroloop_envs._turns import turned

if TYPE_CHECKING:
    from neuroloop_envs._scene import Scene

__all__ = ["RayCamera", "TinyCamera", "picture"]

LIGHT_OF_BYTES = light_of_bytes("srgb")


class SceneCamera:
    """`width` × `height` pixels that see a scene; `field_of_view`: degrees from the lower to the upper edge of the picture.

    Intrinsics are those of PyBullet's `computeProjectionMatrixFOV`. What is nearer than `near` or farther than `far` (m, along
    the line of sight) is not seen. Raises `ValueError`.
    """

    def __init__(
        self, scene: "Scene", *, width: int, height: int, field_of_view: float, near: float = 0.05, far: float = 50.0
    ) -> None:
        who = type(self).__name__
        if width < 1 or height < 1:
            raise ValueError(f"{who}: must have at least 1 × 1 pixels, got {width} × {height}")
        if not 0.0 < field_of_view < 180.0:
            raise ValueError(f"{who}.field_of_view: must lie between 0 and 180 degrees, got {field_of_view!r}")
        if not 0.0 < near < far < math.inf:
            raise ValueError(f"{who}: needs 0 < near < far, got near {near!r} and far {far!r}")
        self.scene, self.width, self.height = scene, width, height
        self.field_of_view, self.near, self.far = field_of_view, near, far

    def see(self, eye: Vector, target: Vector, up: Vector = (0.0, 0.0, 1.0)) -> NDArray[np.float32]:
        """What is seen from `eye` with `target` in the middle: linear light, 0 to 1, a new float32[height, width]."""
        where = f"{type(self).__name__}.see"
        ex, ey, ez = finite(f"{where}: eye", eye)
        tx, ty, tz = finite(f"{where}: target", target)
        return self._see(basis(where, (ex, ey, ez), (tx - ex, ty - ey, tz - ez), up))

    def see_from(
        self, body: int, link: int, offset: Vector, forward: Vector, up: Vector = (0.0, 0.0, 1.0)
    ) -> NDArray[np.float32]:
        """The same from a camera that is fixed to a link, or to the base (−1): all vectors are in the link's frame."""
        (px, py, pz), turn = self.scene.frame(body, link)
        x, y, z = turned(offset, turn)
        eye = px + x, py + y, pz + z
        return self._see(basis(f"{type(self).__name__}.see_from", eye, turned(forward, turn), turned(up, turn)))

    def _see(self, view: tuple[float, ...]) -> NDArray[np.float32]:
        raise NotImplementedError


class RayCamera(SceneCamera):
    """Each pixel sees along the ray through its middle.

    `depth`, float32[height, width], tells how far off everything in the latest picture is, m along the line of sight; infinite
    where the sky is.
    """

    def __init__(
        self, scene: "Scene", *, width: int, height: int, field_of_view: float, near: float = 0.05, far: float = 50.0
    ) -> None:
        super().__init__(scene, width=width, height=height, field_of_view=field_of_view, near=near, far=far)
        self.depth = np.full((height, width), np.inf, np.float32)
        self._view = np.zeros(17)
        tan = math.tan(math.radians(0.5 * field_of_view))
        self._view[12:] = tan * width / height, tan, near, far, 0.0
        self._scratch, self._places = np.zeros((8, SEGMENT), np.float32), np.zeros(SEGMENT, np.int32)
        self._box = np.zeros(4, np.int64)

    def _see(self, view: tuple[float, ...]) -> NDArray[np.float32]:
        scene = self.scene
        self._view[:12] = view
        self._view[16] = scene.ground is not None
        light = np.empty((self.height, self.width), np.float32)
        see_ground.now(
            light, self.depth, self._view, scene.texels, scene.levels, scene.lie, scene.sky, self._scratch, self._places
        )
        see_shapes.now(light, self.depth, self._view, scene.posed(), scene.lighting, self._box)
        return light


class TinyCamera(SceneCamera):
    """PyBullet's own software renderer with the same intrinsics: draws meshes too, and takes milliseconds.

    It draws every body of the client, added to the scene or not, and the scene's ground, but no free shapes. `shown`,
    bool[height, width], tells where the latest picture shows a body or the ground.
    """

    def __init__(
        self, scene: "Scene", *, width: int, height: int, field_of_view: float, near: float = 0.05, far: float = 50.0
    ) -> None:
        super().__init__(scene, width=width, height=height, field_of_view=field_of_view, near=near, far=far)
        middle = (0.0, 0.0, 0.0)
        self._camera = Camera(
            eye=middle, target=middle, field_of_view=field_of_view, width=width, height=height, near=near, far=far
        )
        self.shown = np.zeros((height, width), np.bool_)
        dark = float(code_of(scene.lighting[3]))  # so that sides in the shade are as dark as rays find them
        self._light = Light(scene.sun, dark, 1.0 - dark)

    def _see(self, view: tuple[float, ...]) -> NDArray[np.float32]:
        self.scene.lay_ground()
        eye, forward, up = view[0:3], view[3:6], view[9:12]
        rgb, self.shown = self.scene.bullet.look(eye, forward, up, self._camera, self._light)  # type: ignore[arg-type]
        light = np.full((self.height, self.width), self.scene.sky, np.float32)
        np.copyto(light, LIGHT_OF_BYTES[rgb] @ np.array(LUMA, np.float32), where=self.shown)
        return light


def basis(where: str, eye: Vector, forward: Vector, up: Vector) -> tuple[float, ...]:
    """Eye, line of sight, right and up of a camera, the last three perpendicular and of length 1."""
    ex, ey, ez = finite(f"{where}: eye", eye)
    fx, fy, fz = direction(f"{where}: line of sight, from the eye to the target,", forward)
    ux, uy, uz = direction(f"{where}: up", up)
    rx, ry, rz = fy * uz - fz * uy, fz * ux - fx * uz, fx * uy - fy * ux
    length = math.sqrt(rx * rx + ry * ry + rz * rz)
    if length < 1e-9:
        raise ValueError(f"{where}: up must not lie along the line of sight, got {up!r}")
    rx, ry, rz = rx / length, ry / length, rz / length
    return ex, ey, ez, fx, fy, fz, rx, ry, rz, ry * fz - rz * fy, rz * fx - rx * fz, rx * fy - ry * fx
