"""Pictures by PyBullet's software renderer and its window, and what shapes are drawn. SI units."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet_client import Client, Quaternion, Vector

KINDS = {2: "sphere", 3: "box", 4: "cylinder", 5: "mesh", 6: "plane", 7: "capsule"}  # by Bullet's numbers


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where pictures are taken from: positions in m (z up), vertical field of view in degrees."""

    eye: Vector
    target: Vector
    field_of_view: float
    width: int
    height: int
    near: float = 0.1
    far: float = 50.0


class Light(NamedTuple):
    """How the software renderer lights a scene: a surface shows `ambient` + `diffuse` max(0, n · sun) of its colour."""

    sun: Vector
    ambient: float
    diffuse: float


class Visual(NamedTuple):
    """A shape that a link is drawn as, placed in the link's frame."""

    link: int  # -1: the base
    kind: str  # of `KINDS`
    size: tuple[
        float, ...
    ]  # m; box: its edges; sphere: (radius, 0, 0); cylinder, capsule: (length, radius, 0); mesh: its scale
    mesh: str  # the file, where it is one
    position: Vector
    orientation: Quaternion
    rgb: Vector


class Pictures(Client):
    """What concerns how things look."""

    def visuals(self, body: int) -> list[Visual]:
        """Every shape that a body is drawn as, but for those that its model makes transparent."""
        data = self._p.getVisualShapeData(body, physicsClientId=self._client)
        return [
            Visual(link, KINDS[kind], size, mesh.decode(), position, orientation, rgba[:3])
            for _, link, kind, size, mesh, position, orientation, rgba in data
            if rgba[3] > 0.0
        ]

    def add_surface(
        self, vertices: Sequence[Vector], triangles: Sequence[int], uvs: Sequence[tuple[float, float]], texture: int
    ) -> int:
        """A body that is a picture on triangles which look up: drawn, but not felt."""
        seen = self._p.createVisualShape(
            self._p.GEOM_MESH,
            vertices=vertices,
            indices=triangles,
            uvs=uvs,
            normals=[(0.0, 0.0, 1.0)] * len(vertices),
            physicsClientId=self._client,
        )
        body: int = self._p.createMultiBody(0.0, -1, seen, physicsClientId=self._client)
        self._p.changeVisualShape(body, -1, textureUniqueId=texture, physicsClientId=self._client)
        return body

    def add_texture(self, picture: NDArray[np.uint8]) -> int:
        """A texture from uint8[rows, columns, 3]; u grows along a row, v from row to row."""
        rows, columns = picture.shape[:2]
        head = bytes((0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0)) + columns.to_bytes(2, "little") + rows.to_bytes(2, "little")
        with tempfile.TemporaryDirectory() as folder:  # Bullet reads textures from files only
            path = Path(folder, "texture.tga")
            path.write_bytes(head + bytes((24, 0)) + picture[:, :, ::-1].tobytes())
            texture: int = self._p.loadTexture(str(path), physicsClientId=self._client)
        return texture

    def look(
        self, eye: Vector, forward: Vector, up: Vector, camera: Camera, light: Light
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """A picture by the software renderer, (height, width, 3), in a given light, and where it shows a body.

        Of `camera`, only what does not depend on where it is counts.
        """
        target = eye[0] + forward[0], eye[1] + forward[1], eye[2] + forward[2]
        width, height = camera.width, camera.height
        projection = list(
            self._p.computeProjectionMatrixFOV(camera.field_of_view, width / height, camera.near, camera.far)
        )
        projection[8] += 1.0 / width  # this renderer looks through the corners of pixels: now through their middles
        projection[9] += 1.0 / height
        image = self._p.getCameraImage(
            width,
            height,
            self._p.computeViewMatrix(eye, target, up),
            projection,
            shadow=0,
            lightDirection=light.sun,
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=0.0,
            renderer=self._p.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        rgba = np.asarray(image[2], np.uint8).reshape(height, width, 4)
        return rgba[:, :, :3], np.asarray(image[4]).reshape(height, width) >= 0

    def photo(self, camera: Camera) -> NDArray[np.uint8]:
        """A picture by the software renderer: uint8 of shape (height, width, 3)."""
        view = self._p.computeViewMatrix(camera.eye, camera.target, (0.0, 0.0, 1.0))
        projection = self._p.computeProjectionMatrixFOV(
            camera.field_of_view, camera.width / camera.height, camera.near, camera.far
        )
        # Shadow and light are always passed: Bullet remembers the last values, and shadows double the cost.
        image = self._p.getCameraImage(
            camera.width,
            camera.height,
            view,
            projection,
            shadow=0,
            lightDirection=(-50.0, 30.0, 100.0),
            lightAmbientCoeff=0.6,
            lightDiffuseCoeff=0.35,
            lightSpecularCoeff=0.05,
            renderer=self._p.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        rgba = np.asarray(image[2], np.uint8).reshape(camera.height, camera.width, 4)
        return np.ascontiguousarray(rgba[:, :, :3])

    def paint(self, body: int, link: int, rgb: Vector) -> None:
        """Colour a link (each channel 0 to 1)."""
        self._p.changeVisualShape(body, link, rgbaColor=(*rgb, 1.0), physicsClientId=self._client)

    def aim(self, camera: Camera) -> None:
        """Clear the window of its panels and turn its view to `camera` (windows only)."""
        self._p.configureDebugVisualizer(self._p.COV_ENABLE_GUI, 0, physicsClientId=self._client)
        offset = np.subtract(camera.target, camera.eye)
        self._p.resetDebugVisualizerCamera(
            cameraDistance=float(np.linalg.norm(offset)),
            cameraYaw=float(np.degrees(np.arctan2(-offset[0], offset[1]))),
            cameraPitch=float(np.degrees(np.arctan2(offset[2], np.hypot(offset[0], offset[1])))),
            cameraTargetPosition=camera.target,
            physicsClientId=self._client,
        )
