"""Bodies in a PyBullet client: made, moved, weighed, pushed, and asked where they are and what they touch. SI units."""

import math
import tempfile
from collections.abc import Sequence
from typing import Any

from neuroloop_envs._bullet_client import UPRIGHT, Client, Pose, Quaternion, Vector


class Bodies(Client):
    """What concerns whole bodies and their links."""

    def add_floor(self, friction: float = 1.0) -> int:
        """The plane z = 0: felt, but not drawn."""
        felt = self._p.createCollisionShape(self._p.GEOM_PLANE, physicsClientId=self._client)
        body: int = self._p.createMultiBody(0.0, felt, physicsClientId=self._client)
        self.set_dynamics(body, -1, lateralFriction=friction)
        self._p.changeVisualShape(body, -1, rgbaColor=(1.0, 1.0, 1.0, 0.0), physicsClientId=self._client)
        return body

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

    def load_text(self, text: str, *, fixed: bool = False) -> int:
        """Load a model by its URDF text, with the inertias that it states; returns the body's id.

        `load` leaves it to Bullet, which makes up inertias from the boxes around collision shapes.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".urdf", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            body: int = self._p.loadURDF(
                file.name, useFixedBase=fixed, flags=self._p.URDF_USE_INERTIA_FROM_FILE, physicsClientId=self._client
            )
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

    def mass(self, body: int, link: int) -> float:
        """kg of a link; -1: of the base."""
        kg: float = self._p.getDynamicsInfo(body, link, physicsClientId=self._client)[0]
        return kg

    def inertia(self, body: int, link: int) -> tuple[float, Vector]:
        """Mass (kg) of a link and its principal moments of inertia (kg m^2); -1: the base."""
        info = self._p.getDynamicsInfo(body, link, physicsClientId=self._client)
        return info[0], info[2]

    def set_dynamics(self, body: int, link: int, **values: float | Sequence[float]) -> None:
        """Change `mass` (kg), `lateralFriction`, `jointDamping` (N s/m or N m s/rad) and so on of a link; -1: the base."""
        self._p.changeDynamics(body, link, **values, physicsClientId=self._client)

    def centre_of_mass(self, body: int) -> Pose:
        """Where the base's centre of mass lies in the base's frame."""
        info = self._p.getDynamicsInfo(body, -1, physicsClientId=self._client)
        return info[3], info[4]

    def base_pose(self, body: int) -> Pose:
        """Where the base's centre of mass is, and how it is turned."""
        pose: Pose = self._p.getBasePositionAndOrientation(body, physicsClientId=self._client)
        return pose

    def motion(self, body: int) -> tuple[Vector, Vector]:
        """A body's velocity (m/s) and angular velocity (rad/s), axes of the world."""
        motion: tuple[Vector, Vector] = self._p.getBaseVelocity(body, physicsClientId=self._client)
        return motion

    def throw(self, body: int, velocity: Vector, spin: Vector = (0.0, 0.0, 0.0)) -> None:
        """Give the base of a body a velocity (m/s) and a spin (rad/s), in axes of the world."""
        self._p.resetBaseVelocity(body, velocity, spin, physicsClientId=self._client)

    def shove(self, body: int, force: Vector, link: int = -1) -> None:
        """Push a link's centre of mass (N, axes of the world) for the next `step()`."""
        state = self._p.getLinkState(body, link, physicsClientId=self._client) if link >= 0 else None
        at = state[0] if state else self._p.getBasePositionAndOrientation(body, physicsClientId=self._client)[0]
        self._p.applyExternalForce(body, link, force, at, self._p.WORLD_FRAME, physicsClientId=self._client)

    def touching(self, body: int, other: int) -> set[int]:
        """The links of a body that touch another body; -1: its base."""
        points = self._p.getContactPoints(bodyA=body, bodyB=other, physicsClientId=self._client)
        return {point[3] for point in points if point[8] <= 0.0}

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
