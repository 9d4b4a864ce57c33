"""ArmReaching-v0: bring the hand of a torque-controlled arm to a point in space and hold it there.

The optional `joint_error` is where resolved-motion control (Whitney 1969; damped, Wampler 1986) would turn the joints, with
the redundancy drawn to the posture at home (Liégeois 1977):

    J^# = J^T (J J^T + lambda^2 I)^-1,   error = J^# e + (I - J^# J) (q_home - q)

with e the vector from hand to target, cut to 0.2 m, J the hand's Jacobian, lambda = 0.04 m.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._arm import ANGLES, HOME, N_JOINTS, SHOULDER
from neuroloop_envs._arm_world import ANGLE_BOUNDS, SPEED_BOUNDS, ArmWorld, bounds
from neuroloop_envs._bullet import Vector
from neuroloop_envs._world import RenderMode

TOLERANCE = 0.05  # m: nearer is success
EFFORT = 0.01  # of the reward, for squared commands summed over joints
AHEAD, ASIDE, HEIGHT = (0.35, 0.65), math.radians(60.0), (0.2, 0.8)  # m from the base's axis, rad of +x, m
REACH = 0.9  # m from the shoulder, beyond which no target may lie
START = 0.1  # rad: a reset draws postures from home +- START
STRIDE, DAMPED = 0.2, 0.04  # m
HAND_BOUNDS, AWAY_BOUNDS, ERROR_BOUNDS = (1.0, 1.0, 1.5), (2.0,) * 3, (math.pi,) * N_JOINTS


class ArmReaching(ArmWorld):
    """Reach for a target with 7 joints' torques.

    Observation, float32: joint angles (7, rad), joint velocities (7, rad/s), position of the hand (3, m), from the hand to
    the target (3, m), and with `joint_error=True` where the joints should turn (7, rad).
    Action, float32 of shape (7,): torques in units of 320, 320, 176, 176, 110, 40, 40 N m.
    Reward: -distance in m - 0.01 x sum of squared commands. Info: `distance` (m), `success` (nearer than 0.05 m).

    `reset` draws a posture and a target; `options` may hold them as `angles` (7, rad) and `target` (3, m).
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        gravity_compensation: bool = True,
        joint_error: bool = False,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 200,
        physics_hz: int = 1000,
    ) -> None:
        if not isinstance(joint_error, bool):
            raise ValueError(f"ArmReaching.joint_error: must be true or false, got {joint_error!r}")
        self._shows_error = joint_error
        self._given: dict[str, tuple[float, ...]] = {}
        groups = [ANGLE_BOUNDS, SPEED_BOUNDS, HAND_BOUNDS, AWAY_BOUNDS] + [ERROR_BOUNDS] * joint_error
        super().__init__(
            control_hz, physics_hz, bounds(*groups), render_mode, gravity_compensation, parameters, randomise, schedule
        )

    @property
    def joint_error(self) -> NDArray[np.float64]:
        """Where resolved-motion control would turn the joints now (rad)."""
        away = np.multiply(self._away, min(1.0, STRIDE / max(math.hypot(*self._away), 1e-9)))
        jacobian = self.arm.jacobian(self._angles)
        turned = np.linalg.solve(jacobian @ jacobian.T + DAMPED**2 * np.eye(3), jacobian).T
        homeward = np.subtract(HOME, self._angles)
        error: NDArray[np.float64] = homeward + turned @ (away - jacobian @ homeward)
        return error

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        self._given = {name: _numbers(name, options[name]) for name in ("angles", "target") if name in options}
        return {name: value for name, value in options.items() if name not in self._given}

    def _begin(self) -> None:
        super()._begin()
        start = np.add(HOME, self.np_random.uniform(-START, START, N_JOINTS)).tolist()
        ahead, aside = self.np_random.uniform(*AHEAD), self.np_random.uniform(-ASIDE, ASIDE)
        drawn = (ahead * math.cos(aside), ahead * math.sin(aside), self.np_random.uniform(*HEIGHT))
        self.arm.place(self._given.get("angles", start))
        x, y, z = self._given.get("target", drawn)
        self.target: Vector = (x, y, z)
        self._show(self.target)

    def _sense(self) -> None:
        super()._sense()
        x, y, z = self._hand
        to_x, to_y, to_z = self.target
        self._away = (to_x - x, to_y - y, to_z - z)

    def _observe(self) -> NDArray[np.float32]:
        error = self.joint_error.tolist() if self._shows_error else ()
        return self._bounded([*self._angles, *self._velocities, *self._hand, *self._away, *error])

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        distance = math.hypot(*self._away)
        effort = EFFORT * sum(asked * asked for asked in self._command or ())
        return -distance - effort, False, {"distance": distance, "success": distance < TOLERANCE}


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    """A posture within the joint limits, or a target that can be reached."""
    size = N_JOINTS if name == "angles" else 3
    try:
        given = tuple(float(one) for one in value)
    except (TypeError, ValueError):
        given = ()
    if len(given) != size or not all(math.isfinite(one) for one in given):
        raise ValueError(f"ArmReaching.options.{name}: must be {size} numbers, got {value!r}")
    if name == "angles" and any(abs(one) > most for one, most in zip(given, ANGLES, strict=True)):
        raise ValueError(f"ArmReaching.options.angles: must lie within the joint limits {ANGLES}, got {value!r}")
    if name == "target" and math.dist(given, (0.0, 0.0, SHOULDER)) > REACH:
        raise ValueError(
            f"ArmReaching.options.target: must lie within {REACH} m of the shoulder at (0, 0, {SHOULDER}), got {value!r}"
        )
    return given
