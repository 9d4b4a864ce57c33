"""ArmTracking-v0: turn the joints of a torque-controlled arm along a path in time.

`path="smooth"`: each joint swings about home by three sines, q = q_home + w(t) A sum_k a_k sin(2 pi f_k t + p_k) / sum_k a_k,
with a, f and p drawn; w rises from 0 to 1 in the first second as 10 s^3 - 15 s^4 + 6 s^5 (the minimum jerk of Flash and Hogan
1985), so that the path begins at rest. `path="eight"`: the hand, pointing down, draws the lemniscate of Gerono across its view,
y = W sin(u), z = H sin(2 u) / 2, centre, size, period and sense drawn.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._arm import HOME, N_JOINTS, Array, hands, postures
from neuroloop_envs._arm_world import ANGLE_BOUNDS, SPEED_BOUNDS, ArmWorld, bounds
from neuroloop_envs._world import RenderMode

Path = Literal["smooth", "eight"]

SWING = np.array((0.6, 0.35, 0.4, 0.45, 0.6, 0.5, 0.6))  # rad about home, at most
SLOWEST, FASTEST = 0.1, 0.5  # Hz of the sines
CENTRE = ((0.45, -0.1, 0.45), (0.6, 0.1, 0.6))  # m
WIDTH, TALL, PERIOD = (0.15, 0.25), (0.1, 0.25), (3.0, 6.0)  # m either way, m in all, s
BEGIN_S = 1.0  # until the path has its full size or speed
BLOCK_S = 10.0  # of the path that is worked out at once
NUDGE_S = 1e-3  # for derivatives by central differences
ACCELERATION = 50.0  # rad/s^2: bound of the readings


class ArmTracking(ArmWorld):
    """Follow a reference of 7 joint angles with 7 joints' torques.

    Observation, float32, 7 joints each: angles (rad), velocities (rad/s), the reference's angles (rad), velocities (rad/s)
    and accelerations (rad/s^2), and what is missing: reference - angle (rad), reference - velocity (rad/s).
    Action, float32 of shape (7,): torques in units of 320, 320, 176, 176, 110, 40, 40 N m.
    Reward: minus the root mean square over joints of what is missing, in rad. Info: `error_rad` (the same, positive),
    `error_m` (between the hand and where the reference would have it).
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        path: Path = "smooth",
        gravity_compensation: bool = True,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 200,
        physics_hz: int = 1000,
    ) -> None:
        if path not in ("smooth", "eight"):
            raise ValueError(f"ArmTracking.path: must be 'smooth' or 'eight', got {path!r}")
        self._path = path
        wanted = (ANGLE_BOUNDS, SPEED_BOUNDS, (ACCELERATION,) * N_JOINTS)
        missing = (tuple(2 * bound for bound in ANGLE_BOUNDS), tuple(2 * bound for bound in SPEED_BOUNDS))
        limits = bounds(ANGLE_BOUNDS, SPEED_BOUNDS, *wanted, *missing)
        super().__init__(
            control_hz, physics_hz, limits, render_mode, gravity_compensation, parameters, randomise, schedule
        )

    def reference(self, t_s: Array) -> Array:
        """Where the joints should be at some times of this episode: (n,) s to (n, 7) rad."""
        begun = np.clip(t_s / BEGIN_S, 0.0, 1.0)
        if self._path == "smooth":
            turns = 2 * np.pi * self._pace * t_s[:, None, None] + self._phase
            rise = begun**3 * (10.0 - 15.0 * begun + 6.0 * begun**2)
            swings: Array = np.add(HOME, rise[:, None] * np.einsum("tkj,kj->tj", np.sin(turns), self._swings))
            return swings
        # the pace rises in the same way, so that what is left out of the first second's way is half of it
        way = BEGIN_S * (begun**4 * (2.5 - 3.0 * begun + begun**2)) + np.maximum(t_s - BEGIN_S, 0.0)
        turn = 2 * np.pi * self._pace * way
        x, y, z = self._centre
        eight = np.stack([np.full_like(t_s, x), y + self._width * np.sin(turn), z + self._tall * np.sin(2 * turn) / 2])
        return postures(eight.T)

    def _begin(self) -> None:
        super()._begin()
        rng = self.np_random
        if self._path == "smooth":
            self._pace = rng.uniform(SLOWEST, FASTEST, (3, N_JOINTS))
            self._phase = rng.uniform(0.0, 2 * np.pi, (3, N_JOINTS))
            shares = rng.uniform(0.2, 1.0, (3, N_JOINTS))
            self._swings = SWING * shares / shares.sum(0)
        else:
            self._centre = rng.uniform(*CENTRE).tolist()
            self._pace = rng.choice((-1.0, 1.0)) / rng.uniform(*PERIOD)
            self._width, self._tall = rng.uniform(*WIDTH), rng.uniform(*TALL)
        self._first = -1
        self._work_out(0)
        self.arm.place(self._wanted[0][:N_JOINTS])

    def _work_out(self, step: int) -> None:
        """The block of the path that control step `step` lies in."""
        length = round(BLOCK_S / self.dt)
        if self._first == (first := step // length * length):
            return
        t_s: Array = (first + np.arange(length, dtype=np.float64)) * self.dt
        before, at, after = (self.reference(t_s + nudge) for nudge in (-NUDGE_S, 0.0, NUDGE_S))
        velocities, accelerations = (after - before) / (2 * NUDGE_S), (after - 2 * at + before) / NUDGE_S**2
        self._first = first
        self._wanted: list[list[float]] = np.hstack([at, velocities, accelerations]).tolist()
        self._wanted_hand: list[list[float]] = hands(at).tolist()

    def _sense(self) -> None:
        super()._sense()
        self._work_out(self._step_count)
        self._now = self._wanted[self._step_count - self._first]
        pairs = zip(self._now, [*self._angles, *self._velocities], strict=False)
        self._missing = [wanted - is_now for wanted, is_now in pairs]
        if self.render_mode is not None:
            x, y, z = self._wanted_hand[self._step_count - self._first]
            self._show((x, y, z))

    def _observe(self) -> NDArray[np.float32]:
        return self._bounded([*self._angles, *self._velocities, *self._now, *self._missing])

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        error = math.hypot(*self._missing[:N_JOINTS]) / math.sqrt(N_JOINTS)
        away = math.dist(self._hand, self._wanted_hand[self._step_count - self._first])
        return -error, False, {"error_rad": error, "error_m": away}
