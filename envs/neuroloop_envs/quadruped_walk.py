"""QuadrupedWalk-v0: a Unitree A1 walks forward, told twelve joint angles 50 times a second."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number, numbers
from neuroloop_envs._quadruped import HEIGHT, HIGH, LOW, STAND, Body, Quadruped
from neuroloop_envs._world import Rates, RenderMode, World

REACH = np.array((0.25, 0.5, 0.5) * 4)  # rad beside the stance, at an action of 1: hip, upper, lower
START = 0.05  # rad: joints begin within so much of the stance
DROP = 0.01  # m: and the trunk at most so much above its height
WIDEST = (*(30.0,) * 12, *(math.pi,) * 3, *(10.0,) * 3, *(60.0,) * 3)  # speeds, tilt and heading, spin, force
BOUNDS = (*LOW, *(-most for most in WIDEST), *(0.0,) * 4), (*HIGH, *WIDEST, *(1.0,) * 4)
N_READINGS = len(BOUNDS[0])
LOWEST, STEEPEST = 0.15, math.cos(math.radians(45.0))  # m of the trunk; cosine of its tilt: beyond, it has fallen
PER_WATT, PER_TILT = 0.001, 0.5  # 1/W and 1/rad^2: what power and tilt cost, of a step at full speed

PARAMETERS = {
    "payload": Parameter(0.0, 0.0, 10.0, "kg", "load on the trunk, spread evenly"),
    "friction": Parameter(0.8, 0.05, 2.0, "1", "of the ground against the feet"),
    "slope": Parameter(0.0, -0.4, 0.4, "rad", "the ground rises forward"),
    "motor_strength": Parameter(1.0, 0.0, 2.0, "1", "what a motor gives of the torque asked for", 12),
} | common(n_actuators=12, n_readings=N_READINGS)


class QuadrupedWalk(World):
    """Walk along x at `speed` m/s without falling.

    Observation, float32 of shape (37,): 12 joint angles (rad), 12 joint velocities (rad/s), roll and pitch (rad, against
    gravity) and heading (rad, 0 along x, positive to the left), angular velocity (3, rad/s) and what an accelerometer feels
    (3, m/s^2; 9.81 upwards at rest) in axes of the trunk, 4 feet (1: on the ground). Legs: front right, front left, rear
    right, rear left; of each hip, upper, lower.
    Action, float32 of shape (12,): target angles beside the stance (0, 0.9, -1.8 rad), in units of 0.25, 0.5 and 0.5 rad.
    Reward: min(v / speed, 1) - 0.001 power - 0.5 (roll^2 + pitch^2), with v the mean forward velocity of the control step
    and power the mean of |torque x joint velocity| (W). Terminated: trunk below 0.15 m, or tilted by more than 45 degrees.
    Info: `distance` (m along x), `sideways` (m along y), `speed` (m/s, of this step), `energy` (J since the episode began).
    """

    reloads: ClassVar[bool] = True

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        speed: float = 1.0,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 50,
        physics_hz: int = 400,
    ) -> None:
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0.0 < speed <= 5.0:
            raise ValueError(f"QuadrupedWalk.speed: must be above 0 and at most 5 m/s, got {speed!r}")
        low, high = (np.array(ends, np.float32) for ends in BOUNDS)
        readings = spaces.Box(low, high, dtype=np.float32)
        self._target, self._visible = float(speed), render_mode is not None
        variation = Variation("QuadrupedWalk", PARAMETERS, parameters, randomise, schedule)
        super().__init__(Rates(control_hz, physics_hz, held=1), variation, readings, readings, 12, render_mode)

    @property
    def body(self) -> Body:
        """What is measured of the robot, as the physics holds it: float64, not clipped."""
        return self._now

    def _load(self) -> None:
        self._robot = Quadruped(self._bullet, self._visible)

    def _apply(self, changed: Values) -> None:
        if "payload" in changed:
            self._robot.set_payload(number(changed, "payload"))
        if "friction" in changed:
            self._robot.set_friction(number(changed, "friction"))
        if "slope" in changed:
            self._robot.set_slope(number(changed, "slope"))
        if "motor_strength" in changed:
            self._robot.set_strength(numbers(changed, "motor_strength"))

    def _begin(self) -> None:
        drawn = self.np_random.random(13)
        self._robot.place(HEIGHT + DROP * drawn[0], np.array(STAND) + START * (2.0 * drawn[1:] - 1.0))
        self._distance = self._energy = self._moved = self._spent = 0.0
        self._step_s = 0.0  # nothing moved yet
        self._told: list[float] = []

    def _drive(self, command: list[float]) -> None:
        if command != self._told:  # the same at all steps of the physics within a control step
            self._told, self._targets = command, self._robot.targets(command, REACH)
        self._robot.drive(self._targets, self.rates.move_s)
        self._step_s = self.dt

    def _shove(self, force: Vector) -> None:
        self._robot.shove(force)

    def _sense(self) -> None:
        self._now = self._robot.sense(self._step_s)
        self._moved, self._distance = self._now.position[0] - self._distance, self._now.position[0]
        self._spent, self._energy = self._robot.work - self._energy, self._robot.work

    def _observe(self) -> NDArray[np.float32]:
        now = self._now
        return self._bounded([*now.angles, *now.speeds, *_tilt(now), now.heading, *now.spin, *now.force, *now.feet])

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        now, (roll, pitch) = self._now, _tilt(self._now)
        velocity, power = self._moved / self.dt, self._spent / self.dt
        reward = min(velocity / self._target, 1.0) - PER_WATT * power - PER_TILT * (roll * roll + pitch * pitch)
        fallen = now.position[2] < LOWEST or now.up[2] < STEEPEST
        info = {"distance": now.position[0], "sideways": now.position[1], "speed": velocity, "energy": self._energy}
        return reward, fallen, info

    def _view(self) -> Camera:
        x, y, _ = self._now.position if self._step_count else (0.0, 0.0, 0.0)
        return Camera(
            eye=(x + 0.3, y - 1.4, 0.55), target=(x + 0.05, y, 0.2), field_of_view=30.0, width=480, height=320
        )


def _tilt(now: Body) -> tuple[float, float]:
    """Roll and pitch against gravity (rad): positive where the right side, or the nose, is down."""
    x, y, z = now.up
    return math.atan2(y, z), -math.asin(min(max(x, -1.0), 1.0))
