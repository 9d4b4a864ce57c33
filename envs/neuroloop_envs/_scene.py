"""What a ray-casting camera sees of a physics client: shapes of chosen bodies, shapes of its own, a painted ground, a sky.

    scene = Scene(bullet, ground=Ground(luminance=track, texel=0.008, x0=-6.5, y0=-6.5))
    scene.add(car)
    pillar = scene.add_shape("cylinder", (0.1, 0.8), (2.0, 0.5, 0.4), luminance=0.2)
    camera = RayCamera(scene, width=128, height=128, field_of_view=60.0)
    ...
    scene.update()  # after the physics moved
    light = camera.see_from(car, -1, offset=(0.2, 0.0, 0.1), forward=(1.0, 0.0, -0.3), up=(0.0, 0.0, 1.0))

Light is linear, 0 to 1. A surface of luminance L and normal n shows L (a + (1 − a) max(0, n · sun)), with a = `AMBIENT`; the
ground as well; nothing throws a shadow.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import UPRIGHT, Bullet, Pose, Quaternion, Vector
from neuroloop_envs._ground import Ground, even_ground, lay
from neuroloop_envs._meshes import box_around
from neuroloop_envs._poses import base_frame, pose_shapes
from neuroloop_envs._ray_camera import RayCamera, TinyCamera, picture
from neuroloop_envs._ray_shapes import at
from neuroloop_envs._shapes import KINDS, Kind, direction, finite, halves, luminance_of, share, simple, size_of, turn

__all__ = ["AMBIENT", "Ground", "RayCamera", "Scene", "TinyCamera", "picture"]

AMBIENT = 0.4
Meshes = Literal["refuse", "skip", "box"]


class Part(NamedTuple):
    """A body whose shapes are drawn, and which of the scene's frames are its links'."""

    body: int
    base: bool  # whether the base is drawn; its frame comes first
    links: tuple[int, ...]
    frames: range
    moves: bool


class Scene:
    """What a camera sees of a Bullet client.

    `ground`: the plane z = 0 with a picture, of one brightness, or none; `sky`: the light where nothing is; `sun`: the
    direction in which it stands. Bodies are seen once they were given to `add`, where `update` found them. Raises `ValueError`.
    """

    def __init__(
        self,
        bullet: Bullet,
        *,
        ground: Ground | float | None = None,
        sky: float = 0.7,
        sun: Vector = (0.3, 0.3, 0.9),
    ) -> None:
        self.bullet, self.sky = bullet, share("Scene.sky", sky)
        self.ground = even_ground(ground) if isinstance(ground, int | float) else ground
        self.sun = direction("Scene.sun", sun)
        self.lighting = np.array([*self.sun, AMBIENT])
        self.frames = np.array([[0.0, 0.0, 0.0, *UPRIGHT]])  # the first is the world's own, for free shapes
        self.places, self.frame_of = np.zeros((0, 7)), np.zeros(0, np.int64)
        self.shapes = np.zeros((0, 18))
        self._parts: list[Part] = []
        self._free: list[int] = []  # rows of the shapes that belong to no body
        self._centres: dict[int, Pose] = {}  # of mass, in the base's frame
        self._stale, self._laid = False, -1
        self.texels, self.levels, self.lie = np.zeros(1, np.float32), np.zeros((1, 3), np.int64), np.ones(6)
        if self.ground is not None:
            self.paint(self.ground)

    def paint(self, ground: Ground) -> None:
        """Give the ground another picture."""
        self.ground = ground
        if self._laid >= 0:
            self.bullet.remove(self._laid)
            self._laid = -1
            self.lay_ground()
        self.texels, self.levels = ground.copies(AMBIENT + (1.0 - AMBIENT) * max(self.sun[2], 0.0))
        self.lie = np.array([ground.x0, ground.y0, *ground.size, ground.texel, float(ground.tiled)])

    def lay_ground(self) -> None:
        """Show the ground, as it is painted now, in PyBullet's windows and pictures too. Nothing can touch it."""
        if self._laid < 0 and self.ground is not None:
            self._laid = lay(self.bullet, self.ground)

    def add(self, body: int, luminance: float | None = None, *, meshes: Meshes = "refuse") -> None:
        """Show a body: its planes, boxes, spheres, cylinders and capsules, as bright as their colours or as `luminance`.

        Links that are meshes raise `ValueError`, unless they are to be left out ("skip") or shown as the "box" around each.
        Meshes of shipped files that are a plane, a cube or a sphere are drawn as such.
        """
        if meshes not in ("refuse", "skip", "box"):
            raise ValueError(f'Scene.add: meshes must be "refuse", "skip" or "box", got {meshes!r}')
        visuals = [simple(visual) for visual in self.bullet.visuals(body)]
        if meshes == "skip":
            visuals = [visual for visual in visuals if not visual.mesh]
        elif meshes == "box":
            visuals = [box_around(visual) if visual.mesh else visual for visual in visuals]
        for visual in visuals:
            if visual.mesh:
                raise ValueError(
                    f"Scene.add: link {visual.link} of body {body} is a mesh, {visual.mesh.rpartition('/')[2]}, at which no "
                    'rays are cast; give meshes="skip" or meshes="box", or see the world by a TinyCamera'
                )
        links = sorted({visual.link for visual in visuals})
        frames = range(len(self.frames), len(self.frames) + len(links))
        self.frames = np.concatenate([self.frames, np.tile(self.frames[0], (len(links), 1))])
        for visual in visuals:
            light = luminance_of(visual.rgb) if luminance is None else share("Scene.add: luminance", luminance)
            frame = frames[links.index(visual.link)]
            self._append(visual.kind, visual.size, visual.position, visual.orientation, light, frame)
        joined = tuple(link for link in links if link >= 0)
        part = Part(body, -1 in links, joined, frames, self.bullet.movable(body))
        self._parts.append(part)
        self._read([part])

    def remove(self, body: int) -> None:
        """Show a body no longer, as before it leaves the physics."""
        self._centres.pop(body, None)
        for part in [part for part in self._parts if part.body == body]:
            first, n = part.frames.start, len(part.frames)
            kept = [row for row, frame in enumerate(self.frame_of) if frame not in part.frames]
            self._free = [kept.index(row) for row in self._free]
            self.places, self.frame_of, self.shapes = self.places[kept], self.frame_of[kept], self.shapes[kept]
            self.frames = np.delete(self.frames, part.frames, axis=0)
            self.frame_of[self.frame_of > first] -= n
            self._parts = [
                other
                if other.frames.start < first
                else other._replace(frames=range(other.frames.start - n, other.frames.stop - n))
                for other in self._parts
                if other is not part
            ]

    def add_shape(
        self,
        kind: Kind,
        size: float | Sequence[float],
        position: Vector,
        orientation: Quaternion = UPRIGHT,
        *,
        luminance: float = 0.5,
    ) -> int:
        """Show a shape that is no body; returns the number by which `move_shape` and `paint_shape` know it.

        `size`, m: "sphere": radius; "box": its three edges; "cylinder" and "capsule", along their own z: (radius, length),
        without the caps; "plane", without end and seen from its own +z: ().
        """
        given = size_of("Scene.add_shape", kind, size)
        light = share("Scene.add_shape: luminance", luminance)
        self._append(kind, given, position, orientation, light, 0)
        self._free.append(len(self.shapes) - 1)
        return len(self._free) - 1

    def move_shape(self, shape: int, position: Vector, orientation: Quaternion | None = None) -> None:
        """Put a free shape somewhere else, turned as before unless `orientation` (x, y, z, w) is given."""
        place = self.places[self._free[shape]]
        place[:3] = finite("Scene.move_shape: position", position)
        if orientation is not None:
            place[3:] = turn("Scene.move_shape: orientation", orientation)
        self._stale = True

    def paint_shape(self, shape: int, luminance: float | None) -> None:
        """Give a free shape another luminance; None hides it."""
        light = -1.0 if luminance is None else share("Scene.paint_shape: luminance", luminance)
        self.shapes[self._free[shape], at.light] = light

    def update(self, *, everything: bool = False) -> None:
        """Read where moving bodies are; `everything`: also those that only a hand can move, as after a reset."""
        self._read([part for part in self._parts if part.moves or everything])

    def posed(self) -> NDArray[np.float64]:
        """All shapes where they are, as `_ray_shapes.py` takes them."""
        if self._stale:
            pose_shapes.now(self.frames, self.places, self.frame_of, self.shapes)
            self._stale = False
        return self.shapes

    def frame(self, body: int, link: int) -> Pose:
        """Where the frame of a link is now, or that of the base (−1)."""
        if link >= 0:
            return self.bullet.link_poses(body, (link,))[0]
        if body not in self._centres:
            self._centres[body] = self.bullet.centre_of_mass(body)
        return base_frame(self.bullet.base_pose(body), self._centres[body])

    def _read(self, parts: list[Part]) -> None:
        """Fetch poses, and write them down by one call: each on its own would cost more than the physics."""
        rows: list[int] = []
        poses: list[tuple[float, ...]] = []
        for part in parts:
            rows += part.frames
            if part.base:
                position, orientation = self.frame(part.body, -1)
                poses.append(position + orientation)
            if part.links:
                poses += [place + turn for place, turn in self.bullet.link_poses(part.body, part.links)]
        if not rows:
            return
        self.frames[rows] = found = np.array(poses)
        self._stale = True
        if not np.isfinite(found).all():
            lost = rows[int(np.argwhere(~np.isfinite(found))[0, 0])]
            body = next(part.body for part in parts if lost in part.frames)
            raise ValueError(f"Scene.update: a pose of body {body} is not finite, {self.frames[lost].tolist()}")

    def _append(
        self,
        kind: str,
        size: Sequence[float],
        position: Vector,
        orientation: Quaternion,
        light: float,
        frame: int,
    ) -> None:
        place = [*finite("Scene.add_shape: position", position), *turn("Scene.add_shape: orientation", orientation)]
        row = np.zeros(18)
        row[at.kind], row[at.half : at.half + 3], row[at.light] = KINDS[kind][0], halves(kind, size), light
        self.places = np.concatenate([self.places, [place]])
        self.frame_of = np.append(self.frame_of, frame)
        self.shapes = np.concatenate([self.shapes, [row]])
        self._stale = True
