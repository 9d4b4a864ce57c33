"""A 7-joint arm in torque control: KUKA LBR iiwa 14 R820, PyBullet's shipped `kuka_iiwa`, with a payload at its flange.

    M(q) q'' + c(q, q') + g(q) = tau - d q' - f sign(q') + J(q)^T F

with the masses, inertias, joint limits and damping d = 0.5 N m s/rad of the shipped URDF; greatest torques tau by KUKA's
data sheet (the URDF says 300 N m everywhere); f dry friction; F the weight of a payload, and pushes. Links do not collide.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet, Vector, shipped

Array = NDArray[np.float64]

N_JOINTS = 7
JOINTS = range(N_JOINTS)
HAND = 7  # the link that we add at the flange
TORQUES = (320.0, 320.0, 176.0, 176.0, 110.0, 40.0, 40.0)  # N m
ANGLES = tuple(math.radians(limit) for limit in (170.0, 120.0, 170.0, 120.0, 170.0, 120.0, 175.0))  # rad, either way
SPEED = 10.0  # rad/s: the URDF's limit, at which Bullet cuts joint velocities
DAMPING = 0.5  # N m s/rad
HOME = (0.0, 0.4, 0.0, -1.4, 0.0, 1.3, 0.0)  # rad: elbow up, hand 0.56 m ahead, nearly pointing down
SHOULDER, UPPER, LOWER, WRIST = 0.36, 0.42, 0.40, 0.126  # m: height; lengths, the last one up to the flange
SPECK = 1e-6  # kg: a payload of nothing, which Bullet needs to have some mass
LEAST_HZ = 500  # of physics: damping on the wrist's 0.001 kg m^2, integrated explicitly, is not stable in longer steps

PAYLOAD = f"""
  <link name="hand">
    <inertial><mass value="{SPECK}"/><inertia ixx="0" ixy="0" ixz="0" iyy="0" iyz="0" izz="0"/></inertial>
    <visual><geometry><sphere radius="0.03"/></geometry></visual>
  </link>
  <joint name="flange" type="fixed">
    <parent link="lbr_iiwa_link_7"/><child link="hand"/><origin xyz="0 0 0.045"/>
  </joint>
</robot>"""


class Arm:
    """The arm on its base at the origin, facing +x."""

    def __init__(self, bullet: Bullet) -> None:
        self._bullet = bullet
        self._body = bullet.load_text(shipped("kuka_iiwa/model.urdf").replace("</robot>", PAYLOAD), fixed=True)
        bullet.free_joints(self._body)
        for joint in JOINTS:
            bullet.set_dynamics(self._body, joint, maxJointVelocity=SPEED)
            bullet.set_dynamics(self._body, joint, jointDamping=DAMPING)  # in one call, or before, it would be lost
        self.carry(0.0)
        bullet.paint(self._body, HAND, (0.95, 0.8, 0.1))
        self.holding(HOME)  # from here on Bullet's model of the arm is the one without payload

    def place(self, angles: Sequence[float]) -> None:
        """Put the arm at rest in a posture (rad)."""
        for joint in JOINTS:
            self._bullet.set_joint(self._body, joint, angles[joint], 0.0)

    def twist(self, torques: Sequence[float]) -> None:
        """Torque on each joint (N m) for the next call of the physics."""
        self._bullet.push_all(self._body, JOINTS, torques)

    def joints(self) -> tuple[list[float], list[float]]:
        """Angles (rad) and velocities (rad/s)."""
        states = self._bullet.joints(self._body, JOINTS)
        return [state[0] for state in states], [state[1] for state in states]

    def hand(self) -> Vector:
        """Where the middle of the flange is (m), and the payload with it."""
        return self._bullet.link_position(self._body, HAND)

    def holding(self, angles: Sequence[float]) -> tuple[float, ...]:
        """Torques that hold the arm still without a payload (N m), under the gravity there is."""
        return self._bullet.holding(self._body, angles)

    def jacobian(self, angles: Sequence[float]) -> Array:
        """How the hand moves with the joints: (3, 7), m/rad."""
        return self._bullet.jacobian(self._body, HAND, angles)

    def carry(self, mass: float) -> None:
        """Give the hand a payload, a point mass (kg)."""
        # A change of mass alone would have Bullet make up an inertia, too.
        self._bullet.set_dynamics(self._body, HAND, mass=max(mass, SPECK), localInertiaDiagonal=(0.0, 0.0, 0.0))

    def rub(self, friction: Sequence[float]) -> None:
        """Set dry friction of each joint (N m)."""
        self._bullet.rub(self._body, JOINTS, friction)

    def shove(self, force: Vector) -> None:
        """Push the hand (N) for the next call of the physics."""
        self._bullet.shove(self._body, force, HAND)


def hands(angles: Array) -> Array:
    """Where the hand is in each of n postures: (n, 7) rad to (n, 3) m, by the arm's geometry."""
    upper = _turned_z(angles[:, 0], _turned_y(angles[:, 1]))
    lower = upper @ _turned_z(angles[:, 2], _turned_y(-angles[:, 3]))
    wrist = lower @ _turned_z(angles[:, 4], _turned_y(angles[:, 5]))
    at: Array = UPPER * upper[:, :, 2] + LOWER * lower[:, :, 2] + WRIST * wrist[:, :, 2] + (0.0, 0.0, SHOULDER)
    return at


def postures(hands: Array) -> Array:
    """Postures in which the hand points down at each of n places: (n, 3) m to (n, 7) rad, elbow up and not sideways."""
    ahead, up = np.hypot(hands[:, 0], hands[:, 1]), hands[:, 2] + WRIST - SHOULDER
    reach = np.hypot(ahead, up)
    at_elbow = np.arccos((UPPER**2 + LOWER**2 - reach**2) / (2 * UPPER * LOWER))
    at_shoulder = np.arccos((UPPER**2 + reach**2 - LOWER**2) / (2 * UPPER * reach))
    shoulder, elbow = np.arctan2(ahead, up) - at_shoulder, np.pi - at_elbow
    angles = np.zeros((len(hands), N_JOINTS))
    angles[:, 0], angles[:, 1], angles[:, 3] = np.arctan2(hands[:, 1], hands[:, 0]), shoulder, -elbow
    angles[:, 5] = np.pi - shoulder - elbow
    return angles


def _turned_y(angle: Array) -> Array:
    """Rotations about y, (n, 3, 3)."""
    turned = np.zeros((len(angle), 3, 3))
    turned[:, 0, 0] = turned[:, 2, 2] = np.cos(angle)
    turned[:, 0, 2], turned[:, 1, 1], turned[:, 2, 0] = np.sin(angle), 1.0, -np.sin(angle)
    return turned


def _turned_z(angle: Array, then: Array) -> Array:
    """Rotations about z, and then about the turned axes: (n, 3, 3)."""
    turned = np.zeros((len(angle), 3, 3))
    turned[:, 0, 0] = turned[:, 1, 1] = np.cos(angle)
    turned[:, 1, 0], turned[:, 0, 1], turned[:, 2, 2] = np.sin(angle), -np.sin(angle), 1.0
    product: Array = turned @ then
    return product
