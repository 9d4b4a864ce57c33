"""What the worlds of the arm share: torque commands, gravity compensation, parameters, and the view."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._arm import ANGLES, LEAST_HZ, N_JOINTS, SPEED, TORQUES, Arm
from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number, numbers
from neuroloop_envs._world import Rates, RenderMode, World

OWN = {
    "payload": Parameter(0.0, 0.0, 14.0, "kg", "point mass at the hand; the arm's own compensation does not know it"),
    "joint_friction": Parameter(0.0, 0.0, 50.0, "N m", "dry friction of each joint", N_JOINTS),
    "gravity": Parameter(9.81, 0.0, 25.0, "m/s^2", "gravity; the arm's own compensation knows it"),
}
MARK = 0.035  # m, radius of what shows where the hand should be
CAMERA = Camera(eye=(1.7, -1.5, 1.1), target=(0.25, 0.0, 0.45), field_of_view=34.0, width=480, height=360)


class ArmWorld(World):
    """An arm that is told torques: command k is in units of joint k's greatest torque.

    With `gravity_compensation` the arm adds the torques that hold its own links, as the real one does below its torque
    interface; here once in a control step. Both together are cut to the greatest torque.
    """

    def __init__(
        self,
        control_hz: int,
        physics_hz: int,
        bounds: NDArray[np.float32],
        render_mode: RenderMode,
        gravity_compensation: bool,
        parameters: Mapping[str, Any] | None,
        randomise: Mapping[str, Any] | None,
        schedule: Sequence[Mapping[str, Any]] | None,
    ) -> None:
        name = type(self).__name__
        rates = Rates(control_hz, physics_hz, held=1)
        if physics_hz < LEAST_HZ:
            raise ValueError(f"{name}.physics_hz: must be at least {LEAST_HZ}, or the wrist shakes, got {physics_hz}")
        if not isinstance(gravity_compensation, bool):
            raise ValueError(f"{name}.gravity_compensation: must be true or false, got {gravity_compensation!r}")
        self.gravity_compensation = gravity_compensation
        readings = spaces.Box(-bounds, bounds, dtype=np.float32)
        known = OWN | common(N_JOINTS, len(bounds))
        variation = Variation(name, known, parameters, randomise, schedule)
        super().__init__(rates, variation, readings, readings, N_JOINTS, render_mode)

    @property
    def state(self) -> tuple[list[float], list[float]]:
        """Angles (rad) and velocities (rad/s) as the physics holds them: not clipped, delayed or noisy."""
        return self.arm.joints()

    def _load(self) -> None:
        self.arm = Arm(self._bullet)
        self._mark: int | None = None
        if self.render_mode is not None:  # what is only for eyes
            self._bullet.add_body("box", (2.0, 2.0, 0.02), (0.0, 0.0, -0.01), rgb=(0.75, 0.75, 0.72), solid=False)
            self._mark = self._bullet.add_body("sphere", (MARK,), (0.0, 0.0, -1.0), rgb=(0.1, 0.6, 0.2), solid=False)

    def _show(self, place: Vector) -> None:
        """Put the green ball where the hand should be."""
        if self._mark is not None:
            self._bullet.move(self._mark, place)

    def _apply(self, changed: Values) -> None:
        if "payload" in changed:
            self.arm.carry(number(changed, "payload"))
        if "joint_friction" in changed:
            self.arm.rub(numbers(changed, "joint_friction"))
        if "gravity" in changed:
            self._bullet.set_gravity((0.0, 0.0, -number(changed, "gravity")))

    def _begin(self) -> None:
        self._command: list[float] | None = None

    def _drive(self, command: list[float]) -> None:
        if command is not self._command:  # else the physics goes on within a control step
            self._command, self._torques = command, self._asked(command)
        self.arm.twist(self._torques)

    def _asked(self, command: list[float]) -> list[float]:
        """Torques of a command, which a weak actuator has already made smaller."""
        torques = [most * asked for most, asked in zip(TORQUES, command, strict=True)]
        if self.gravity_compensation:
            own, strength = self.arm.holding(self._angles), numbers(self.values, "actuator_strength")
            for k, share in enumerate(strength):
                most = share * TORQUES[k]
                torques[k] = min(max(torques[k] + share * own[k], -most), most)
        return torques

    def _shove(self, force: Vector) -> None:
        self.arm.shove(force)

    def _sense(self) -> None:
        self._angles, self._velocities = self.arm.joints()
        self._hand = self.arm.hand()

    def _view(self) -> Camera:
        return CAMERA


def bounds(*groups: tuple[float, ...]) -> NDArray[np.float32]:
    """How far groups of readings may lie from 0."""
    return np.array([bound for group in groups for bound in group], np.float32)


ANGLE_BOUNDS = tuple(1.1 * angle for angle in ANGLES)  # limits give a little
SPEED_BOUNDS = (SPEED,) * N_JOINTS
