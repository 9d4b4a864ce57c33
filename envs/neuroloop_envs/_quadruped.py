"""The Unitree A1 as PyBullet ships it: twelve position-controlled motors, an inertial unit, feet that feel the ground.

The motors' own loop runs at the rate of the physics. The greatest torque is the real A1's; the gains are ours, on the soft
side of what it is run with:

    tau = clip(KP (q_target - q) - KD q', -+TORQUE)
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet, Vector
from neuroloop_envs._turns import heading_of, turned_back

LEGS = ("FR", "FL", "RR", "RL")  # front right, front left, rear right, rear left
JOINTS = tuple(f"{leg}_{joint}" for leg in LEGS for joint in ("hip", "upper", "lower"))
STAND = (0.0, 0.9, -1.8) * 4  # rad: knees bent, feet below the hips
LOW, HIGH = (-0.80, -1.04, -2.69) * 4, (0.80, 4.18, -0.92) * 4  # rad: the model's own limits
KP, KD = 55.0, 0.8  # N m/rad, N m s/rad
TORQUE = 33.5  # N m
HEIGHT = 0.265  # m of the trunk's centre, standing
TRUNK = (0.267, 0.194, 0.114)  # m
GRAVITY = 9.81  # m/s^2
FOOT_FRICTION = 1.0


class Body(NamedTuple):
    """What is measured of the robot at one moment; Bullet's float64."""

    position: Vector  # m, of the trunk
    heading: float  # rad, from the x axis to the left
    up: Vector  # against gravity, in axes of the trunk
    spin: Vector  # rad/s, in axes of the trunk
    force: Vector  # m/s^2, in axes of the trunk: what an accelerometer feels, so (0, 0, 9.81) at rest
    angles: list[float]  # rad
    speeds: list[float]  # rad/s
    feet: list[float]  # 1 where a foot is on the ground


class Quadruped:
    """Twelve joints in the order of `JOINTS`, on a ground that is flat but may be sloped by gravity."""

    def __init__(self, bullet: Bullet, visible: bool) -> None:
        self._bullet = bullet
        self._ground = bullet.load("plane.urdf", fixed=True, visible=visible)
        self.id = bullet.load("a1/a1.urdf", own_inertia=True, visible=visible)
        bullet.free_joints(self.id)
        links = bullet.joint_names(self.id)
        self._joints = [links[f"{name}_joint"] for name in JOINTS]
        self._feet = [links[f"{leg}_toe_fixed"] for leg in LEGS]
        for foot in self._feet:
            bullet.set_dynamics(self.id, foot, lateralFriction=FOOT_FRICTION)
        self._mass, self._inertia = bullet.inertia(self.id, -1)
        self._low, self._high, self._stand = np.array(LOW), np.array(HIGH), np.array(STAND)
        self._strength = np.ones(12)
        self._up: Vector = (0.0, 0.0, 1.0)
        self.work = 0.0  # J: the integral of |torque x speed|, of all joints, since the episode began

    def set_friction(self, friction: float) -> None:
        """Friction of the ground against the feet."""
        self._bullet.set_dynamics(self._ground, -1, lateralFriction=friction)

    def set_payload(self, payload: float) -> None:
        """Spread kg evenly over the trunk."""
        a, b, c = (side * side for side in TRUNK)
        x, y, z = self._inertia
        extra = payload / 12.0
        inertia = (x + extra * (b + c), y + extra * (a + c), z + extra * (a + b))
        self._bullet.set_dynamics(self.id, -1, mass=self._mass + payload, localInertiaDiagonal=inertia)

    def set_strength(self, strength: tuple[float, ...]) -> None:
        """What each motor gives of the torque that its loop asks for, and of its greatest one."""
        self._strength = np.array(strength)

    def set_slope(self, slope: float) -> None:
        """Have the ground rise by `slope` rad along x; it is gravity that turns, so distances are along the ground."""
        self._up = (math.sin(slope), 0.0, math.cos(slope))
        x, y, z = self._up
        self._bullet.set_gravity((-GRAVITY * x, -GRAVITY * y, -GRAVITY * z))

    def place(self, height: float, angles: NDArray[np.float64]) -> None:
        """Put the robot at the origin, at rest."""
        self._bullet.move(self.id, (0.0, 0.0, height))
        for joint, angle in zip(self._joints, angles.tolist(), strict=True):
            self._bullet.set_joint(self.id, joint, angle, 0.0)
        self.work, self._velocity = 0.0, (0.0, 0.0, 0.0)

    def drive(self, targets: NDArray[np.float64], dt: float) -> None:
        """Torques for the next `dt` s, towards angles in rad."""
        state = np.array(self._bullet.joints(self.id, self._joints))
        angles, speeds = state[:, 0], state[:, 1]
        torques = np.minimum(np.maximum(KP * (targets - angles) - KD * speeds, -TORQUE), TORQUE) * self._strength
        self.work += float(np.abs(torques * speeds).sum()) * dt
        self._bullet.push_all(self.id, self._joints, torques.tolist())

    def targets(self, command: list[float], reach: NDArray[np.float64]) -> NDArray[np.float64]:
        """Angles that commands in [-1, 1] ask for: so many times `reach` (rad) beside the stance, within the joints' limits."""
        asked: NDArray[np.float64] = np.minimum(np.maximum(self._stand + reach * command, self._low), self._high)
        return asked

    def sense(self, dt: float) -> Body:
        """Measure; `dt` is the time since the call before, over which acceleration is averaged, or 0 after `place`."""
        position, turn = self._bullet.base_pose(self.id)
        velocity, spin = self._bullet.motion(self.id)
        states = self._bullet.joints(self.id, self._joints)
        touching = self._bullet.touching(self.id, self._ground)
        acceleration = [(new - old) / dt if dt else 0.0 for new, old in zip(velocity, self._velocity, strict=True)]
        self._velocity = velocity
        x, y, z = (a + GRAVITY * u for a, u in zip(acceleration, self._up, strict=True))
        return Body(
            position=position, heading=heading_of(turn), up=turned_back(self._up, turn),
            spin=turned_back(spin, turn), force=turned_back((x, y, z), turn),
            angles=[state[0] for state in states], speeds=[state[1] for state in states],
            feet=[float(foot in touching) for foot in self._feet],
        )  # fmt: skip

    def shove(self, force: Vector) -> None:
        """Push the trunk (N, axes of the world) for the next call of the physics."""
        self._bullet.shove(self.id, force)
