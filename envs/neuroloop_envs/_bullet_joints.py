"""Joints in a PyBullet client: placed, driven, and asked where they are. SI units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet_client import Client, Pose, Vector


class Joints(Client):
    """What concerns joints, which have the numbers of the links that they carry."""

    def joint_names(self, body: int) -> dict[str, int]:
        """Numbers of a body's joints, which are those of the links that they carry, by name."""
        n_joints = self._p.getNumJoints(body, physicsClientId=self._client)
        return {
            self._p.getJointInfo(body, joint, physicsClientId=self._client)[1].decode(): joint
            for joint in range(n_joints)
        }

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

    def push_all(self, body: int, joints: Sequence[int], forces: Sequence[float]) -> None:
        """Push along several joints for the next `step()`."""
        self._p.setJointMotorControlArray(
            body, joints, self._p.TORQUE_CONTROL, forces=forces, physicsClientId=self._client
        )

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

    def link_poses(self, body: int, links: Sequence[int]) -> list[Pose]:
        """Where the frames of links are, by one call."""
        states = self._p.getLinkStates(body, links, computeForwardKinematics=1, physicsClientId=self._client)
        return [(state[4], state[5]) for state in states]

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
