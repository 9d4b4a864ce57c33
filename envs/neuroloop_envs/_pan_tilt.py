"""A pan-tilt camera head with velocity servos: two joints whose axes meet in the eye of the camera.

A servo is a first-order lag with a limit of its torque, v' = (c - v) / tau where |J v'| <= torque, c the speed asked for.
Pan turns about the vertical, + to the left; tilt is + upwards.
"""

import math
from pathlib import Path
from typing import NamedTuple

from neuroloop_envs._bullet import Bullet, Vector

MODEL = Path(__file__).parent / "assets" / "pan_tilt.urdf"
EYE = (0.0, 0.0, 1.0)  # m, where the axes meet
MAX_SPEED = 4.0  # rad/s, at a command of 1
PAN_LIMIT = 2.6  # rad, to both sides
TILT_LIMITS = (-0.9, 1.3)  # rad
LENS = 0.095  # m, from the eye to the front of the lens
GYRATION = math.sqrt(0.002)  # m, radius of gyration of the camera: that of its model
PAN, TILT = 0, 1  # joints and the links that they move


class Head(NamedTuple):
    """Where the head points (rad) and how it turns (rad/s)."""

    pan: float
    tilt: float
    pan_speed: float
    tilt_speed: float


class PanTilt:
    """The head in a Bullet client. `step_s`: of one integration step."""

    def __init__(self, bullet: Bullet, step_s: float) -> None:
        self._bullet, self._step_s = bullet, step_s
        self.body = bullet.load(str(MODEL), fixed=True, own_inertia=True)
        bullet.free_joints(self.body)
        self._told: tuple[float, float] | None = None

    def tune(self, tau: float, torque: float) -> None:
        """Set the servos' time constant (s) and greatest torque (N m)."""
        self._gain, self._torque = -math.expm1(-self._step_s / tau), torque
        self._told = None

    def rub(self, damping: float) -> None:
        """Set the friction of both joints, N m s/rad."""
        for joint in (PAN, TILT):
            self._bullet.set_dynamics(self.body, joint, jointDamping=damping)

    def carry(self, mass: float) -> None:
        """Set the mass of the camera, kg; its inertia follows."""
        inertia = mass * GYRATION**2  # Bullet would take that of shapes that collide, and there are none
        self._bullet.set_dynamics(self.body, TILT, mass=mass, localInertiaDiagonal=(inertia, inertia, inertia))

    def place(self, pan: float, tilt: float) -> None:
        """Point the head somewhere, at rest."""
        self._bullet.set_joint(self.body, PAN, pan, 0.0)
        self._bullet.set_joint(self.body, TILT, tilt, 0.0)
        self._told = None
        self.drive(0.0, 0.0)

    def drive(self, pan: float, tilt: float) -> None:
        """Ask for speeds, in units of `MAX_SPEED`."""
        if self._told != (pan, tilt):
            self._told = pan, tilt
            speeds = (MAX_SPEED * pan, MAX_SPEED * tilt)
            self._bullet.hold_speeds(self.body, (PAN, TILT), speeds, torque=self._torque, gain=self._gain)

    def sense(self) -> Head:
        """Angles and speeds of the joints."""
        (pan, pan_speed), (tilt, tilt_speed) = self._bullet.joints(self.body, (PAN, TILT))
        return Head(pan, tilt, pan_speed, tilt_speed)

    def shove(self, force: Vector) -> None:
        """Push the front of the lens (N, axes of the world) for the next call of the physics."""
        pan, tilt, _, _ = self.sense()
        x, y, z = force
        ahead = x * math.cos(pan) + y * math.sin(pan)
        self._bullet.push(self.body, PAN, LENS * math.cos(tilt) * (y * math.cos(pan) - x * math.sin(pan)))
        self._bullet.push(self.body, TILT, LENS * (z * math.cos(tilt) - ahead * math.sin(tilt)))
