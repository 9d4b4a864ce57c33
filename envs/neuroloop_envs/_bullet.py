"""One PyBullet client: connects, loads models quietly, steps, draws, and disconnects exactly once.

All quantities are SI. PyBullet has no type stubs, so its `Any` stays inside this file.
"""

import contextlib
import ctypes
import importlib
import math
import os
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import error
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # x, y, z, w
Pose = tuple[Vector, Quaternion]
UPRIGHT: Quaternion = (0.0, 0.0, 0.0, 1.0)
KINDS = {2: "sphere", 3: "box", 4: "cylinder", 5: "mesh", 6: "plane", 7: "capsule"}  # by Bullet's numbers

_LIBC = ctypes.CDLL(None)
_stdout_lock = threading.Lock()


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


class Bullet:
    """A physics client of its own, windowless unless `human`; one `step()` lasts `step_s`.

    `step_s` is divided into `substeps` integration steps, over which a pushed force is held. Only a
    power of two divides without rounding: any other count would let Bullet's internal clock drop or
    add an integration step now and then, depending on history.
    """

    def __init__(self, *, step_s: float, substeps: int, gravity: float = 9.81, human: bool = False) -> None:
        if substeps < 1 or substeps & (substeps - 1):
            raise ValueError(f"Bullet.substeps: must be a power of two, got {substeps}")
        if human and sys.platform == "linux" and not os.environ.get("DISPLAY"):
            # pybullet.GUI without a display does not raise: it ends the process.
            raise error.Error("render_mode 'human' needs a display and $DISPLAY is not set; use 'rgb_array'")
        self._p = _import_pybullet()
        with _stdout_to_stderr():
            self._client: int = self._p.connect(self._p.GUI if human else self._p.DIRECT)
        if self._client < 0:
            raise error.Error("PyBullet gave no physics client: too many are open")
        self._disconnect = weakref.finalize(self, _disconnect, self._p, self._client)
        self._next_frame_s = 0.0
        self._gravity, self._step_s, self._substeps = gravity, step_s, substeps
        self._set_up()

    def _set_up(self) -> None:
        self._p.setGravity(0.0, 0.0, -self._gravity, physicsClientId=self._client)
        self._p.setPhysicsEngineParameter(
            fixedTimeStep=self._step_s, numSubSteps=self._substeps, physicsClientId=self._client
        )

    @property
    def closed(self) -> bool:
        """Whether the client is gone."""
        return self._client < 0

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        self._client = -1  # Bullet reuses ids: a stale one would drive somebody else's client
        self._disconnect()

    def clear(self) -> None:
        """Remove every body."""
        self._p.resetSimulation(physicsClientId=self._client)
        self._set_up()

    def load(
        self, urdf: str, *, fixed: bool = False, own_inertia: bool = False, visible: bool = True, merged: bool = False
    ) -> int:
        """Load one of PyBullet's shipped models by its relative path, or one of ours by its full path; returns its id.

        Bullet computes inertias from the shapes that collide, unless the model's `own_inertia` is to be used. A model that is
        not `visible` has no meshes to draw, which loads several times faster. `merged`: links that no joint moves become one.
        """
        flags = self._p.URDF_USE_INERTIA_FROM_FILE if own_inertia else 0
        flags |= 0 if visible else self._p.URDF_IGNORE_VISUAL_SHAPES
        flags |= self._p.URDF_MERGE_FIXED_LINKS if merged else 0
        with _stdout_to_stderr():
            folder = importlib.import_module("pybullet_data").getDataPath()
            body: int = self._p.loadURDF(
                os.path.join(folder, urdf), useFixedBase=fixed, flags=flags, physicsClientId=self._client
            )
        return body

    def load_text(self, text: str, *, fixed: bool = False) -> int:
        """Load a model by its URDF text, with the inertias that it states; returns the body's id.

        `load` leaves it to Bullet, which makes up inertias from the boxes around collision shapes.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".urdf", encoding="utf-8") as file, _stdout_to_stderr():
            file.write(text)
            file.flush()
            body: int = self._p.loadURDF(
                file.name, useFixedBase=fixed, flags=self._p.URDF_USE_INERTIA_FROM_FILE, physicsClientId=self._client
            )
        return body

    def joint_names(self, body: int) -> dict[str, int]:
        """Numbers of a body's joints, which are those of the links that they carry, by name."""
        n_joints = self._p.getNumJoints(body, physicsClientId=self._client)
        return {
            self._p.getJointInfo(body, joint, physicsClientId=self._client)[1].decode(): joint
            for joint in range(n_joints)
        }

    def touching(self, body: int, other: int) -> set[int]:
        """The links of a body that touch another body; -1: its base."""
        points = self._p.getContactPoints(bodyA=body, bodyB=other, physicsClientId=self._client)
        return {point[3] for point in points if point[8] <= 0.0}

    def set_gravity(self, gravity: Vector) -> None:
        """Have gravity (m/s^2) pull another way, until `clear`."""
        self._p.setGravity(*gravity, physicsClientId=self._client)

    def set_contacts(self, *, iterations: int, cone: bool) -> None:
        """How contacts are solved: by how many iterations (Bullet's own are 50), and with the exact cone of friction, or
        without it along two axes, each by itself, which lets friction differ between them.
        """
        self._p.setPhysicsEngineParameter(
            numSolverIterations=iterations, enableConeFriction=int(cone), physicsClientId=self._client
        )

    def find_contacts(self) -> None:
        """Look which bodies touch, without a step: contacts of what was moved apart are forgotten."""
        self._p.performCollisionDetection(physicsClientId=self._client)

    def rays(self, starts: Sequence[Vector], ends: Sequence[Vector]) -> list[float]:
        """The share of the way from each start to its end after which something is hit; 1 where nothing is."""
        return [hit[2] for hit in self._p.rayTestBatch(starts, ends, physicsClientId=self._client)]

    def distance(self, body: int, other: int, most: float) -> float:
        """How far two bodies are from each other, m, negative inside; infinite if farther than `most`."""
        points = self._p.getClosestPoints(body, other, most, physicsClientId=self._client)
        return min((point[8] for point in points), default=math.inf)

    def mass(self, body: int, link: int) -> float:
        """kg of a link; -1: of the base."""
        kg: float = self._p.getDynamicsInfo(body, link, physicsClientId=self._client)[0]
        return kg

    def free_joints(self, body: int) -> None:
        """Switch off Bullet's default joint motors and every damping it adds by itself."""
        n_joints = self._p.getNumJoints(body, physicsClientId=self._client)
        for joint in range(-1, n_joints):
            self._p.changeDynamics(
                body,
                joint,
                linearDamping=0.0,
                angularDamping=0.0,
                jointDamping=0.0,
                physicsClientId=self._client,
            )
        self._p.setJointMotorControlArray(
            body,
            range(n_joints),
            self._p.VELOCITY_CONTROL,
            forces=[0.0] * n_joints,
            physicsClientId=self._client,
        )

    def set_joint(self, body: int, joint: int, position: float, velocity: float) -> None:
        """Place a joint: m and m/s where it slides, rad and rad/s where it turns."""
        self._p.resetJointState(body, joint, position, velocity, physicsClientId=self._client)

    def joints(self, body: int, joints: Sequence[int]) -> list[tuple[float, float]]:
        """Position and velocity of each joint, in the units of `set_joint`."""
        states = self._p.getJointStates(body, joints, physicsClientId=self._client)
        return [(state[0], state[1]) for state in states]

    def push(self, body: int, joint: int, force: float) -> None:
        """Push along a joint (N, or N m where it turns) for the next `step()`."""
        self._p.setJointMotorControl2(body, joint, self._p.TORQUE_CONTROL, force=force, physicsClientId=self._client)

    def hold_speeds(
        self, body: int, joints: Sequence[int], speeds: Sequence[float], *, torque: float, gain: float = 1.0
    ) -> None:
        """Velocity servos: each integration step takes away the share `gain` of what a joint's speed (rad/s) is off.

        At most `torque` (N m) each, until told otherwise.
        """
        torque /= self._substeps  # Bullet lets a motor spend in each integration step what it may in a whole `step()`
        self._p.setJointMotorControlArray(
            body,
            joints,
            self._p.VELOCITY_CONTROL,
            targetVelocities=speeds,
            velocityGains=[gain] * len(joints),
            forces=[torque] * len(joints),
            physicsClientId=self._client,
        )

    def rub(self, body: int, joints: Sequence[int], forces: Sequence[float]) -> None:
        """Give joints dry (Coulomb) friction: N, or N m where they turn. It stays."""
        self._p.setJointMotorControlArray(
            body, joints, self._p.VELOCITY_CONTROL, forces=forces, physicsClientId=self._client
        )

    def link_position(self, body: int, link: int) -> Vector:
        """Where a link's centre of mass is, m."""
        state = self._p.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self._client)
        position: Vector = state[0]
        return position

    def holding(self, body: int, positions: Sequence[float]) -> tuple[float, ...]:
        """What holds a body with a fixed base still in a posture: N m of each joint, by inverse dynamics.

        Bullet keeps the masses that links had at the first call, and takes gravity as it is.
        """
        rest = [0.0] * len(positions)
        forces: tuple[float, ...] = self._p.calculateInverseDynamics(
            body, tuple(positions), rest, rest, physicsClientId=self._client
        )
        return forces

    def jacobian(self, body: int, link: int, positions: Sequence[float]) -> NDArray[np.float64]:
        """How a link's centre of mass moves with the joints of a body with a fixed base: (3, n), m/rad."""
        rest = [0.0] * len(positions)
        at = tuple(positions)  # an array would end the process
        turned = self._p.calculateJacobian(body, link, (0.0, 0.0, 0.0), at, rest, rest, physicsClientId=self._client)
        return np.array(turned[0])

    def servo(self, body: int, joint: int, angle: float, *, torque: float, speed: float, time: float) -> None:
        """Turn a joint towards an angle (rad), as if over `time` (s), by at most `torque` (N m) and `speed` (rad/s).

        It goes on until it is told otherwise.
        """
        self._p.setJointMotorControl2(
            body,
            joint,
            self._p.POSITION_CONTROL,
            targetPosition=angle,
            positionGain=self._step_s / (self._substeps * time),  # Bullet's is a share an integration step
            force=torque / self._substeps,  # see `hold_speeds`
            maxVelocity=speed,
            physicsClientId=self._client,
        )

    def push_all(self, body: int, joints: Sequence[int], forces: Sequence[float]) -> None:
        """Push along several joints for the next `step()`."""
        self._p.setJointMotorControlArray(
            body, joints, self._p.TORQUE_CONTROL, forces=forces, physicsClientId=self._client
        )

    def inertia(self, body: int, link: int) -> tuple[float, Vector]:
        """Mass (kg) of a link and its principal moments of inertia (kg m^2); -1: the base."""
        info = self._p.getDynamicsInfo(body, link, physicsClientId=self._client)
        return info[0], info[2]

    def set_dynamics(self, body: int, link: int, **values: float | Sequence[float]) -> None:
        """Change `mass` (kg), `lateralFriction`, `jointDamping` (N s/m or N m s/rad) and so on of a link; -1: the base."""
        self._p.changeDynamics(body, link, **values, physicsClientId=self._client)

    def throw(self, body: int, velocity: Vector, spin: Vector = (0.0, 0.0, 0.0)) -> None:
        """Give the base of a body a velocity (m/s) and a spin (rad/s), in axes of the world."""
        self._p.resetBaseVelocity(body, velocity, spin, physicsClientId=self._client)

    def motion(self, body: int) -> tuple[Vector, Vector]:
        """A body's velocity (m/s) and angular velocity (rad/s), axes of the world."""
        motion: tuple[Vector, Vector] = self._p.getBaseVelocity(body, physicsClientId=self._client)
        return motion

    def add_floor(self, friction: float = 1.0) -> int:
        """The plane z = 0: felt, but not drawn."""
        felt = self._p.createCollisionShape(self._p.GEOM_PLANE, physicsClientId=self._client)
        body: int = self._p.createMultiBody(0.0, felt, physicsClientId=self._client)
        self.set_dynamics(body, -1, lateralFriction=friction)
        self._p.changeVisualShape(body, -1, rgbaColor=(1.0, 1.0, 1.0, 0.0), physicsClientId=self._client)
        return body

    def shove(self, body: int, force: Vector, link: int = -1) -> None:
        """Push a link's centre of mass (N, axes of the world) for the next `step()`."""
        state = self._p.getLinkState(body, link, physicsClientId=self._client) if link >= 0 else None
        at = state[0] if state else self._p.getBasePositionAndOrientation(body, physicsClientId=self._client)[0]
        self._p.applyExternalForce(body, link, force, at, self._p.WORLD_FRAME, physicsClientId=self._client)

    def step(self) -> None:
        """Advance by `step_s` seconds."""
        self._p.stepSimulation(physicsClientId=self._client)

    def pace(self, seconds: float) -> None:
        """Sleep until `seconds` after the call before, so that a person sees the world at its speed."""
        now = time.monotonic()
        self._next_frame_s = max(self._next_frame_s + seconds, now)
        time.sleep(self._next_frame_s - now)

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

    def paint(self, body: int, link: int, rgb: Vector) -> None:
        """Colour a link (each channel 0 to 1)."""
        self._p.changeVisualShape(body, link, rgbaColor=(*rgb, 1.0), physicsClientId=self._client)

    def add_body(
        self,
        kind: str,
        size: Sequence[float],
        position: Vector,
        orientation: Quaternion = UPRIGHT,
        *,
        rgb: Vector = (0.5, 0.5, 0.5),
        mass: float = 0.0,
        solid: bool = True,
    ) -> int:
        """A body of one shape: "sphere" (radius), "box" (three edges), "cylinder" or "capsule" (radius, length); m, kg.

        Without mass it stays where it is put; unless `solid` others pass through it.
        """
        if kind in ("sphere", "cylinder", "capsule"):
            shape: dict[str, Any] = dict(zip(("radius", "length"), size, strict=False))
        else:
            shape = {"halfExtents": [0.5 * edge for edge in size]}
        number = getattr(self._p, f"GEOM_{kind.upper()}")
        seen = self._p.createVisualShape(number, rgbaColor=(*rgb, 1.0), physicsClientId=self._client, **shape)
        felt = -1
        if solid:
            shape = {"height" if name == "length" else name: length for name, length in shape.items()}
            felt = self._p.createCollisionShape(number, physicsClientId=self._client, **shape)
        body: int = self._p.createMultiBody(mass, felt, seen, position, orientation, physicsClientId=self._client)
        return body

    def move(self, body: int, position: Vector, orientation: Quaternion = UPRIGHT) -> None:
        """Put a body's centre of mass somewhere else, at rest."""
        self._p.resetBasePositionAndOrientation(body, position, orientation, physicsClientId=self._client)

    def remove(self, body: int) -> None:
        """Take a body out of the world."""
        self._p.removeBody(body, physicsClientId=self._client)

    def movable(self, body: int) -> bool:
        """Whether the physics can move any part of a body."""
        n_joints = self._p.getNumJoints(body, physicsClientId=self._client)
        joints = (self._p.getJointInfo(body, joint, physicsClientId=self._client) for joint in range(n_joints))
        heavy: bool = self._p.getDynamicsInfo(body, -1, physicsClientId=self._client)[0] > 0.0
        return heavy or any(joint[2] != self._p.JOINT_FIXED for joint in joints)

    def visuals(self, body: int) -> list[Visual]:
        """Every shape that a body is drawn as, but for those that its model makes transparent."""
        data = self._p.getVisualShapeData(body, physicsClientId=self._client)
        return [
            Visual(link, KINDS[kind], size, mesh.decode(), position, orientation, rgba[:3])
            for _, link, kind, size, mesh, position, orientation, rgba in data
            if rgba[3] > 0.0
        ]

    def centre_of_mass(self, body: int) -> Pose:
        """Where the base's centre of mass lies in the base's frame."""
        info = self._p.getDynamicsInfo(body, -1, physicsClientId=self._client)
        return info[3], info[4]

    def base_pose(self, body: int) -> Pose:
        """Where the base's centre of mass is, and how it is turned."""
        pose: Pose = self._p.getBasePositionAndOrientation(body, physicsClientId=self._client)
        return pose

    def link_poses(self, body: int, links: Sequence[int]) -> list[Pose]:
        """Where the frames of links are, by one call."""
        states = self._p.getLinkStates(body, links, computeForwardKinematics=1, physicsClientId=self._client)
        return [(state[4], state[5]) for state in states]

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


def shipped(urdf: str) -> str:
    """The text of one of PyBullet's shipped models, its files named by absolute paths."""
    folder = os.path.dirname(os.path.join(_data_path(), urdf))
    with open(os.path.join(folder, os.path.basename(urdf)), encoding="utf-8") as file:
        return file.read().replace('filename="', f'filename="{folder}/')


def _data_path() -> str:
    with _stdout_to_stderr():
        return str(importlib.import_module("pybullet_data").getDataPath())


def _import_pybullet() -> Any:
    try:
        with _stdout_to_stderr():
            return importlib.import_module("pybullet")
    except ImportError as exc:
        raise error.DependencyNotInstalled(
            "the PyBullet worlds need Python 3.11 on Linux x86-64, where pybullet has a wheel: pip install pybullet"
        ) from exc


def _disconnect(p: Any, client: int) -> None:
    # A window that its user closed has already disconnected.
    with contextlib.suppress(p.error), _stdout_to_stderr():
        p.disconnect(physicsClientId=client)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what Bullet's C code prints to stderr: stdout belongs to the program's own output."""
    with _stdout_lock:
        _flush()
        try:
            saved = os.dup(1)
            os.dup2(2, 1)
        except OSError:  # a process without stdout or stderr has nothing to keep clean
            yield
            return
        try:
            yield
        finally:
            _flush()
            os.dup2(saved, 1)
            os.close(saved)


def _flush() -> None:
    """Empty Python's and C's buffers: text left there would come out on the wrong side."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):  # its reader is gone, or it is closed
            sys.stdout.flush()
    _LIBC.fflush(None)
