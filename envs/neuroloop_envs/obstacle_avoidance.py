"""ObstacleAvoidance-v0: a husky drives along an endless corridor between pillars, with range finders and a camera.

A collision is found by geometry, from the rover's outline (`_ranges.py`), and ends the episode; pillars and walls are no
bodies of the physics, which makes it fast and lets nothing of an episode leak into the next.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs import _husky
from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._corridor import CLEARANCE, END, SEGMENT, Corridor, Layout
from neuroloop_envs._corridor_views import Sight, Stage
from neuroloop_envs._husky import SPEED, TURN, Husky, Motion
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number
from neuroloop_envs._ranges import scan
from neuroloop_envs._scene import RayCamera
from neuroloop_envs._seeing import SeeingWorld, Shown
from neuroloop_envs._world import Rates, RenderMode

OWN = (2 * SPEED, 4 * TURN, math.pi)  # m/s, rad/s, rad: bounds of the rover's own readings
AHEAD = 0.4  # m, of the range finder before the rover's middle
EYE, SIGHT = (0.45, 0.0, 0.45), (1.0, 0.0, -0.15)  # the camera on the rover: where, and its line of sight
FIELD_OF_VIEW = 50.0  # degrees, vertical
FAR = 24.0  # m that the camera sees
MOST_REACH, MOST_RAYS = 10.0, 360  # m, and in each sector
SEEN = (3, 6)  # segments behind and before the rover's that are shown and felt
HEADING, ASIDE = 0.3, 0.2  # rad, m: reset draws from +- these

PARAMETERS = {
    "corridor_width": Parameter(4.0, 2 * CLEARANCE, 20.0, "m", "between the walls", at_reset=True),
    "pillar_density": Parameter(0.15, 0.0, 0.5, "1/m²", "of pillars, as far as the passage leaves room", at_reset=True),
    "pillar_radius": Parameter(0.15, 0.05, 0.5, "m", "of all pillars", at_reset=True),
    "wheel_friction": Parameter(1.0, 0.1, 2.0, "1", "of the wheels; Bullet multiplies it by the floor's 0.5"),
    "payload": Parameter(0.0, 0.0, 75.0, "kg", "on the chassis of 39 kg"),
}
LAYOUT = ("corridor_width", "pillar_density", "pillar_radius")


class ObstacleAvoidance(SeeingWorld):
    """Get as far along the corridor as you can, and touch nothing.

    Readings, float32: a range for each of `sectors`, from right to left (m, up to `reach`): the least of `rays` rays in it,
    from the rover's front; its forward speed (m/s), turn rate (rad/s, positive to the left), and heading (rad, 0 along the
    corridor). `fan`: degrees that all sectors span.
    Action, float32 of shape (2,): forward speed in units of 1 m/s, turn rate in units of 1.2 rad/s, positive to the left.
    Reward: metres along the corridor in this step, less `penalty` for a collision, which terminates the episode.
    Info: `metres` since the start, `collided`, `min_range` (m, the least range), `clearance` (m, from the rover's outline to
    whatever is nearest).
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        observation: Shown = "readings",
        size: tuple[int, int] = (96, 48),
        frames: int = 1,
        sectors: int = 9,
        rays: int = 5,
        fan: float = 180.0,
        reach: float = 5.0,
        penalty: float = 5.0,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 20,
        physics_hz: int = 60,
    ) -> None:
        _check(sectors, rays, fan, reach, penalty)
        self._reach, self._penalty = float(reach), float(penalty)
        self._fan, self._ranges = _directions(sectors, rays, fan), np.zeros(sectors)
        self._corridor = Corridor(Layout(*(PARAMETERS[name].default for name in LAYOUT)), seed=0)
        self._pillars = self._corridor.pillars(0, SEEN[1])
        self._now, self._clear = Motion(0.0, 0.0, 0.0, 0.0, 0.0), math.inf
        self._segment: int | None = None
        self._sight: Sight | None = None
        self._stage: Stage | None = None
        low, high = [0.0] * sectors + [-one for one in OWN], [reach] * sectors + list(OWN)
        readings = spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
        known = PARAMETERS | common(n_actuators=2, n_readings=sectors + len(OWN))
        variation = Variation("ObstacleAvoidance", known, parameters, randomise, schedule)
        rates = Rates(control_hz, physics_hz, frames)
        super().__init__(rates, variation, readings, 2, render_mode, observation, size)

    @property
    def corridor(self) -> Corridor:
        """The corridor of this episode."""
        return self._corridor

    @property
    def pose(self) -> tuple[float, float, float]:
        """Where the rover's middle is (m, m) and its heading (rad)."""
        return self._now[:3]

    def _load(self) -> None:
        self._husky = Husky(self._bullet)

    def _apply(self, changed: Values) -> None:
        if "wheel_friction" in changed:
            self._husky.set_friction(number(changed, "wheel_friction"))
        if "payload" in changed:
            self._husky.set_payload(number(changed, "payload"))

    def _begin(self) -> None:
        rng, values = self.np_random, self.values
        layout = Layout(*(number(values, name) for name in LAYOUT))
        if layout != self._corridor.layout:
            self._forget_views()
        self._corridor = Corridor(layout, seed=int(rng.integers(2**63)))
        aside = min(ASIDE, layout.width / 2 - CLEARANCE)
        self._husky.place(0.0, float(rng.uniform(-aside, aside)), float(rng.uniform(-HEADING, HEADING)))
        self._last_x, self._segment = 0.0, None

    def _drive(self, command: list[float]) -> None:
        self._husky.drive(SPEED * command[0], TURN * command[1])

    def _shove(self, force: Vector) -> None:
        self._husky.shove(force)

    def _sense(self) -> None:
        self._now = x, y, heading, _, _ = self._husky.sense()
        self._follow(x)
        self._clear = scan.now(
            x, y, math.cos(heading), math.sin(heading), AHEAD, self._fan, self._reach, self._corridor.half, END,
            self._pillars, _husky.CHASSIS, _husky.WHEELS, self._ranges,
        )  # fmt: skip
        if self.render_mode == "human":
            self._bullet.aim(self._view())  # the window goes along

    def _follow(self, x: float) -> None:
        """Have the pillars around the rover at hand."""
        segment = math.floor(x / SEGMENT)
        if segment != self._segment:
            self._segment = segment
            self._pillars = self._corridor.pillars(segment - SEEN[0], segment + SEEN[1])
            if self._sight is not None:
                self._sight.show(self._pillars, x)

    def _read(self) -> NDArray[np.float32]:
        _, _, heading, speed, turn_rate = self._now
        return self._bounded([*self._ranges.tolist(), speed, turn_rate, heading])

    def _see(self) -> NDArray[np.float32]:
        if self._sight is None:
            width, height = self._size
            self._sight = Sight(self._bullet, self._corridor.layout)
            self._camera = RayCamera(
                self._sight.scene, width=width, height=height, field_of_view=FIELD_OF_VIEW, far=FAR
            )
            self._sight.show(self._pillars, self._now.x)
        return self._camera.see_from(self._husky.body, -1, EYE, SIGHT)

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        x, collided = self._now.x, bool(self._clear <= 0.0)
        progress, self._last_x = x - self._last_x, x
        info = {
            "metres": x, "collided": collided, "min_range": float(self._ranges.min()),
            "clearance": float(self._clear),
        }  # fmt: skip
        return progress - self._penalty * collided, collided, info

    def _show(self) -> None:
        if self._stage is None:
            self._stage = Stage(self._bullet, self._corridor.layout)
        self._stage.show(self._pillars, self._now.x)

    def _forget_views(self) -> None:
        self._sight = None
        if self._stage is not None:
            self._stage.clear()
            self._stage = None

    def _view(self) -> Camera:
        """From behind the rover, and from above."""
        self._show()
        x = self._now.x
        return Camera(
            eye=(x - 4.0, 0.0, 3.5), target=(x + 2.0, 0.0, 0.0), field_of_view=50.0, width=480, height=320, far=40.0
        )


def _directions(sectors: int, rays: int, fan: float) -> NDArray[np.float64]:
    """Cosine and sine of each ray's angle, from right to left: in the middle of equal parts of the fan."""
    n = sectors * rays
    angles = math.radians(fan) * ((np.arange(n) + 0.5) / n - 0.5)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _check(sectors: int, rays: int, fan: float, reach: float, penalty: float) -> None:
    for name, count in (("sectors", sectors), ("rays", rays)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_RAYS:
            raise ValueError(f"ObstacleAvoidance.{name}: must be a whole number from 1 to {MOST_RAYS}, got {count!r}")
    for name, value, low, high, unit in (
        ("fan", fan, 1.0, 360.0, " degrees"), ("reach", reach, 0.1, MOST_REACH, " m"), ("penalty", penalty, 0.0, 1e6, ""),
    ):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"ObstacleAvoidance.{name}: must lie between {low:g} and {high:g}{unit}, got {value!r}")
