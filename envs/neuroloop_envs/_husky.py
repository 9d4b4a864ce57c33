"""PyBullet's husky, a rover of 50 kg on four wheels: driven by forward speed and turn rate, as its driver takes them.

Wheels on one side turn alike, so the rover turns by skidding. Its driver asks wheels left and right for

    v -+ m b w / 2,    b = 0.571 m between the wheels' middles,

where m makes up for what skidding loses. Wheels that grip alike in all directions turn at a third of what was asked, and
seconds late, on Bullet's contacts; here they grip `SIDEWAYS` of it along their axles, and the rover turns as asked within a
tenth, at 60 integration steps a second as at 480 within a twentieth.
"""

import math
from typing import NamedTuple

from neuroloop_envs._bullet import Bullet, Vector
from neuroloop_envs._turns import facing, heading_of

SPEED = 1.0  # m/s, of the real one
TURN = 1.2  # rad/s
TORQUE = 12.0  # N m of a wheel: 0 to 1 m/s in 0.2 s
TRACK = 0.5708  # m
MULTIPLIER = 1.05
RADIUS = 0.17775  # m, of a wheel
SIDEWAYS = 0.15
FRICTION, FLOOR_FRICTION = 1.0, 0.5  # Bullet multiplies the two
CHASSIS = (0.5037, 0.28545)  # m, half of its length and width
WHEELS = (0.43375, 0.34255)  # m, the same of what the wheels span
HEIGHT = 0.155  # m, of the centre of mass where it stands
LEFT = ("front_left_wheel", "rear_left_wheel")
RIGHT = ("front_right_wheel", "rear_right_wheel")
AWAY = (0.0, 0.0, 50.0)  # m, where nothing is
ITERATIONS = 10  # of the contacts' solver: 50 do not turn differently


class Motion(NamedTuple):
    """Where the rover's middle is (m, rad) and how it moves (m/s forward, rad/s to the left)."""

    x: float
    y: float
    heading: float
    speed: float
    turn_rate: float


class Husky:
    """The rover in a physics client; it stands on a floor of its own."""

    def __init__(self, bullet: Bullet) -> None:
        self._bullet = bullet
        bullet.set_contacts(iterations=ITERATIONS, cone=False)
        bullet.add_floor(friction=FLOOR_FRICTION)
        self.body = bullet.load("husky/husky.urdf", merged=True, chatters=True)
        numbers = bullet.joint_names(self.body)
        self._wheels = tuple(numbers[name] for name in LEFT + RIGHT)
        self._mass, self._middle = bullet.mass(self.body, -1), bullet.centre_of_mass(self.body)[0][0]
        self.set_friction(FRICTION)

    def set_friction(self, friction: float) -> None:
        """Of the wheels; times `FLOOR_FRICTION` it is Coulomb's coefficient along them."""
        for wheel in self._wheels:
            self._bullet.set_dynamics(
                self.body, wheel, lateralFriction=friction, anisotropicFriction=(1.0, SIDEWAYS, 1.0)
            )

    def set_payload(self, mass: float) -> None:
        """kg on the chassis."""
        self._bullet.set_dynamics(self.body, -1, mass=self._mass + mass)

    def place(self, x: float, y: float, heading: float) -> None:
        """Stand still; all that moved before is forgotten."""
        self._bullet.move(self.body, AWAY)
        self._bullet.find_contacts()  # else those of the last step would go on where it stood near by
        c, s = math.cos(heading), math.sin(heading)
        at = (x + self._middle * c, y + self._middle * s, HEIGHT)
        self._bullet.move(self.body, at, facing(heading))
        for wheel in self._wheels:
            self._bullet.set_joint(self.body, wheel, 0.0, 0.0)

    def drive(self, speed: float, turn_rate: float) -> None:
        """Follow a forward speed (m/s) and turn rate (rad/s, positive to the left) from now on."""
        skid = turn_rate * MULTIPLIER * TRACK / 2
        left, right = (speed - skid) / RADIUS, (speed + skid) / RADIUS
        self._bullet.hold_speeds(self.body, self._wheels, (left, left, right, right), torque=TORQUE)

    def sense(self) -> Motion:
        """Where it is and how it moves."""
        (x, y, _), turn = self._bullet.base_pose(self.body)
        (vx, vy, _), (_, _, spin) = self._bullet.motion(self.body)
        heading = heading_of(turn)
        c, s = math.cos(heading), math.sin(heading)
        return Motion(x - self._middle * c, y - self._middle * s, heading, vx * c + vy * s, spin)

    def shove(self, force: Vector) -> None:
        """Push the chassis (N, axes of the world) for the next call of the physics."""
        self._bullet.shove(self.body, force)
