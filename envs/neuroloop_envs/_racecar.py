"""PyBullet's shipped racecar: a 1:10 model with Ackermann steering, a steering servo, and rear wheels that hold a speed.

Steering by an angle a turns the front wheels about one point on the line of the rear axle, at the curvature
k = tan(a) / L; a wheel that runs y to the left of the middle stands at atan2(L k, 1 - k y) and rolls 1 - k y times as fast
(Ackermann's geometry; Rajamani 2012, Vehicle Dynamics and Control, chapter 2).
"""

import math
from typing import NamedTuple

from neuroloop_envs._bullet import Bullet, Vector
from neuroloop_envs._turns import facing, heading_of

WHEELBASE = 0.325  # m
TRACK = 0.2  # m between the wheels of an axle
RADIUS = 0.051  # m of a rolling wheel, as measured: its mesh is a little larger than 0.05
SERVO_SPEED, SERVO_TIME = 7.0, 0.04  # rad/s (60 degrees in 0.15 s, a usual model servo), s to settle
SERVO_TORQUE = 10.0  # N m
MOTOR_TORQUE = 10.0  # N m, a rear wheel
REST_HEIGHT = 0.001  # m of the base, when the car stands on its wheels
CHASSIS_MASS = 4.0  # kg, of 5.9 in all
CHASSIS_INERTIA = (0.010609, 0.050409, 0.05865)  # kg m^2, the model's own

CHASSIS = 1
REAR = ((2, TRACK / 2), (3, -TRACK / 2))  # joint, and how far left of the middle
HINGES = ((4, TRACK / 2), (6, -TRACK / 2))
WHEELS = (2, 3, 5, 7)


class Driven(NamedTuple):
    """Where the car is: the middle of its rear axle (m), heading and steering (rad), speed (m/s) along the heading."""

    x: float
    y: float
    heading: float
    speed: float
    steering: float


class Racecar:
    """The car in a Bullet client. Its frame: x ahead, y left, z up; its origin under the middle of the rear axle."""

    def __init__(self, bullet: Bullet, *, visible: bool = True) -> None:
        self._bullet = bullet
        self.body = bullet.load("racecar/racecar.urdf", own_inertia=True, visible=visible)
        bullet.free_joints(self.body)
        self.weigh(CHASSIS_MASS)
        self.grip(1.0)
        self._told: tuple[float, float] | None = None

    def weigh(self, mass: float) -> None:
        """Set the mass of the chassis, kg; its inertia follows."""
        scale = mass / CHASSIS_MASS
        ixx, iyy, izz = (scale * inertia for inertia in CHASSIS_INERTIA)
        self._bullet.set_dynamics(self.body, CHASSIS, mass=mass)
        # Bullet scales inertia as well, step by step: it would not come back to what it was, bit for bit.
        self._bullet.set_dynamics(self.body, CHASSIS, localInertiaDiagonal=(ixx, iyy, izz))

    def grip(self, friction: float) -> None:
        """Set the friction of the wheels (Coulomb's coefficient on a ground of 1)."""
        for wheel in WHEELS:
            self._bullet.set_dynamics(self.body, wheel, lateralFriction=friction)

    def place(self, x: float, y: float, heading: float, speed: float) -> None:
        """Put the car down, straight wheels rolling at `speed`."""
        self._bullet.move(self.body, (x, y, REST_HEIGHT), facing(heading))
        self._bullet.throw(self.body, (speed * math.cos(heading), speed * math.sin(heading), 0.0))
        for hinge, _ in HINGES:
            self._bullet.set_joint(self.body, hinge, 0.0, 0.0)
        for wheel in WHEELS:
            self._bullet.set_joint(self.body, wheel, 0.0, speed / RADIUS)
        self._told = None

    def drive(self, steering: float, speed: float) -> None:
        """Steer by an angle (rad, + is left) and hold a speed (m/s). Motors go on until they are told otherwise."""
        if self._told == (steering, speed):
            return
        self._told = steering, speed
        curvature = math.tan(steering) / WHEELBASE
        for hinge, y in HINGES:
            angle = math.atan2(WHEELBASE * curvature, 1.0 - curvature * y)
            self._bullet.servo(self.body, hinge, angle, torque=SERVO_TORQUE, speed=SERVO_SPEED, time=SERVO_TIME)
        speeds = [speed * (1.0 - curvature * y) / RADIUS for _, y in REAR]
        self._bullet.hold_speeds(self.body, [wheel for wheel, _ in REAR], speeds, torque=MOTOR_TORQUE)

    def sense(self) -> Driven:
        """Where the car is and how it moves."""
        (x, y, _), turn = self._bullet.base_pose(self.body)
        (vx, vy, _), _ = self._bullet.motion(self.body)
        left, right = self._bullet.joints(self.body, (HINGES[0][0], HINGES[1][0]))
        heading = heading_of(turn)
        speed = vx * math.cos(heading) + vy * math.sin(heading)
        return Driven(x, y, heading, speed, 0.5 * (left[0] + right[0]))

    def shove(self, force: Vector) -> None:
        """Push the chassis (N, axes of the world) for the next call of the physics."""
        self._bullet.shove(self.body, force, CHASSIS)
