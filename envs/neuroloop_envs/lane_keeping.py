"""LaneKeeping-v0: keep a racecar in its lane, seen by a camera that looks ahead, 20 times a second.

The road and the rule that ends an episode, 0.2 m off the middle of the lane, are those of the R-STDP lane-keeping literature
(Bing et al. 2018, ICRA; 2020, Neural Networks 121). The car is PyBullet's racecar, whose speed is held for it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._ground import lay
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number
from neuroloop_envs._racecar import CHASSIS_MASS, WHEELBASE, Racecar
from neuroloop_envs._seeing import SeeingWorld, Shown
from neuroloop_envs._track import LANES, ROAD, ground
from neuroloop_envs._turns import turned
from neuroloop_envs._world import Rates, RenderMode

if TYPE_CHECKING:
    from neuroloop_envs._scene import RayCamera

Lane = Literal["outer", "inner", "random"]
Direction = Literal["anticlockwise", "clockwise", "random"]
Pay = Literal["scalar", "signed-error"]

STEERING = 0.37  # rad at an action of 1: a curvature of 1.2 /m, twice that of the narrowest lane
LATERAL_LIMIT = 0.2  # m off the middle of the lane
BOUNDS = (0.5, math.pi, 3.0, 0.6)  # m, rad, m/s, rad
START_LATERAL, START_HEADING = 0.02, 0.03  # m, rad: reset draws from +-

MOUNT = (0.40, 0.0, 0.20)  # m in the car's frame: above the front bumper, so that nothing of the car is seen
FIELD_OF_VIEW = 90.0  # degrees
SHAKING_TIME = 0.05  # s in which the camera's shaking forgets itself

PARAMETERS = {
    "speed": Parameter(0.8, 0.0, 2.0, "m/s", "that the car holds"),
    "mass": Parameter(CHASSIS_MASS, 1.0, 20.0, "kg", "of the chassis; wheels and the rest weigh 1.9 kg more"),
    "wheel_friction": Parameter(1.0, 0.05, 2.0, "1", "Coulomb's coefficient between wheels and ground"),
    "camera_pitch": Parameter(25.0, 0.0, 80.0, "degrees", "that the camera looks down"),
    "camera_shake": Parameter(0.003, 0.0, 0.2, "rad", "standard deviation of the pitch while driving"),
    "light": Parameter(1.0, 0.001, 1.0, "1", "on the scene, as a share of daylight"),
} | common(n_actuators=1, n_readings=4)


class LaneKeeping(SeeingWorld):
    """Stay within 0.2 m of the middle of the lane.

    Readings, float32: lateral error (m, + is left of the lane's middle), heading error (rad, + points left of the road), speed
    (m/s) and steering (rad, + is left), of the point between the axles. Camera: linear light as sRGB, (height, width, 1).
    Action, float32 of shape (1,): angle of the front wheels in units of 0.37 rad, + steers left.
    Reward: "scalar": 1 - |lateral error| / 0.2 m, and -1 in the step that leaves the lane; "signed-error": the lateral error
    in m, with its sign, a teacher and nothing to maximise.

    `lane`, `direction` and `start` (a share of the lap from 0 to 1, or "random") say where episodes begin; a reset's `options`
    may say so too, and hold `lateral_error` (m) and `heading_error` (rad). `frames`: pictures a control step that
    `camera_frames()` holds. `ground_seed` paints the ground, whose brightness varies by `texture`.
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        observation: Shown = "readings",
        size: tuple[int, int] = (128, 128),
        reward: Pay = "scalar",
        lane: Lane = "random",
        direction: Direction = "random",
        start: float | Literal["random"] = "random",
        frames: int = 3,
        texture: float = 0.06,
        ground_seed: int = 0,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 20,
        physics_hz: int = 120,
    ) -> None:
        if reward not in ("scalar", "signed-error"):
            raise ValueError(f"LaneKeeping.reward: must be 'scalar' or 'signed-error', got {reward!r}")
        if not 0.0 <= texture <= 1.0:
            raise ValueError(f"LaneKeeping.texture: must be a share from 0 to 1, got {texture!r}")
        if isinstance(ground_seed, bool) or not isinstance(ground_seed, int) or ground_seed < 0:
            raise ValueError(f"LaneKeeping.ground_seed: must be a whole number from 0 on, got {ground_seed!r}")
        self._pay, self._painted = reward, (ground_seed, texture)
        self._camera: RayCamera | None = None
        self._asked = {"lane": lane, "direction": direction, "start": start}
        self._next = _start("LaneKeeping", self._asked)
        high = np.array(BOUNDS, np.float32)
        variation = Variation("LaneKeeping", PARAMETERS, parameters, randomise, schedule)
        rates = Rates(control_hz, physics_hz, frames)
        super().__init__(rates, variation, spaces.Box(-high, high, dtype=np.float32), 1, render_mode, observation, size)

    def _load(self) -> None:
        self._bullet.add_floor()
        shown = self.render_mode is not None
        self._car = Racecar(self._bullet, visible=shown)
        if shown:
            lay(self._bullet, ground(*self._painted))
        self._speed, self._pitch, self._shaking, self._light = (
            PARAMETERS[name].default for name in ("speed", "camera_pitch", "camera_shake", "light")
        )
        self._shaken = 0.0

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        self._next = _start("LaneKeeping.options", self._asked | {k: options[k] for k in STARTS if k in options})
        return {name: value for name, value in options.items() if name not in STARTS}

    def _apply(self, changed: Values) -> None:
        for name in changed:
            value = number(changed, name)
            if name == "mass":
                self._car.weigh(value)
            elif name == "wheel_friction":
                self._car.grip(value)
            elif name == "speed":
                self._speed = value
            elif name == "camera_pitch":
                self._pitch = value
            elif name == "camera_shake":
                self._shaking = value
            else:
                self._light = value

    def _begin(self) -> None:
        draws, asked = self.np_random.random(5).tolist(), self._next
        self._lane = asked.get("lane", "outer" if draws[0] < 0.5 else "inner")
        self._direction = asked.get("direction", "anticlockwise" if draws[1] < 0.5 else "clockwise")
        self._sign = 1.0 if self._direction == "anticlockwise" else -1.0
        along = ROAD.length * asked.get("start", draws[2])
        lateral = asked.get("lateral_error", START_LATERAL * (2.0 * draws[3] - 1.0))
        heading_error = asked.get("heading_error", START_HEADING * (2.0 * draws[4] - 1.0))
        x, y, heading = ROAD.at(along, LANES[self._lane] + self._sign * lateral)
        heading += heading_error + (0.0 if self._sign > 0.0 else math.pi)
        back = 0.5 * WHEELBASE
        self._car.place(x - back * math.cos(heading), y - back * math.sin(heading), heading, self._speed)
        self._progress, self._along, self._shaken = 0.0, along, 0.0

    def _drive(self, command: list[float]) -> None:
        self._car.drive(STEERING * command[0], self._speed)

    def _shove(self, force: Vector) -> None:
        self._car.shove(force)

    def _look(self, part: int) -> None:
        if self._shaking:
            kept = math.exp(-self.dt / self.rates.parts / SHAKING_TIME)
            fresh = math.sqrt(1.0 - kept * kept) * self._shaking
            self._shaken = kept * self._shaken + fresh * float(self.np_random.standard_normal())
        super()._look(part)

    def _see(self) -> NDArray[np.float32]:
        position, turn = self._bullet.base_pose(self._car.body)
        pitch = math.radians(self._pitch) + self._shaken
        c, s = math.cos(pitch), math.sin(pitch)
        (ex, ey, ez), (fx, fy, fz) = turned(MOUNT, turn), turned((c, 0.0, -s), turn)
        eye = position[0] + ex, position[1] + ey, position[2] + ez
        if self._camera is None:
            self._camera = self._mounted()
        light = self._camera.see(eye, (eye[0] + fx, eye[1] + fy, eye[2] + fz), turned((s, 0.0, c), turn))
        if self._light != 1.0:
            light *= np.float32(self._light)
        return light

    def _mounted(self) -> "RayCamera":
        """The camera, with a painted ground and compiled code that worlds of readings alone need not load."""
        from neuroloop_envs._scene import RayCamera, Scene

        width, height = self._size
        scene = Scene(self._bullet, ground=ground(*self._painted))
        return RayCamera(scene, width=width, height=height, field_of_view=FIELD_OF_VIEW)

    def _sense(self) -> None:
        self._now = car = self._car.sense()
        middle = 0.5 * WHEELBASE
        place = ROAD.locate(car.x + middle * math.cos(car.heading), car.y + middle * math.sin(car.heading))
        self._lateral = self._sign * (place.offset - LANES[self._lane])
        road = place.heading + (0.0 if self._sign > 0.0 else math.pi)
        self._heading = math.remainder(car.heading - road, 2.0 * math.pi)
        self._progress += self._sign * math.remainder(place.along - self._along, ROAD.length) / ROAD.length
        self._along = place.along

    def _read(self) -> NDArray[np.float32]:
        return self._bounded((self._lateral, self._heading, self._now.speed, self._now.steering))

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        left = abs(self._lateral) > LATERAL_LIMIT
        scalar = -1.0 if left else 1.0 - abs(self._lateral) / LATERAL_LIMIT
        info = {
            "lateral_error": self._lateral,
            "heading_error": self._heading,
            "lap_progress": self._progress,
            "laps": max(int(self._progress), 0),
            "lane": self._lane,
            "direction": self._direction,
        }
        return scalar if self._pay == "scalar" else self._lateral, left, info

    def _view(self) -> Camera:
        car = self._car.sense()
        c, s = math.cos(car.heading), math.sin(car.heading)
        eye, target = (car.x - 1.2 * c, car.y - 1.2 * s, 0.9), (car.x + 0.9 * c, car.y + 0.9 * s, 0.0)
        return Camera(eye=eye, target=target, field_of_view=60.0, width=480, height=320)


STARTS = ("lane", "direction", "start", "lateral_error", "heading_error")
NAMES = {"lane": ("outer", "inner", "random"), "direction": ("anticlockwise", "clockwise", "random")}
ENDS = {"start": (0.0, 1.0), "lateral_error": (-LATERAL_LIMIT, LATERAL_LIMIT), "heading_error": (-math.pi, math.pi)}


def _start(where: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What of an episode's start is settled; the rest is drawn. Raises `ValueError`."""
    for name, value in asked.items():
        if name in NAMES:
            if value not in NAMES[name]:
                raise ValueError(f"{where}.{name}: must be one of {', '.join(NAMES[name])}, got {value!r}")
        elif not (name == "start" and value == "random"):
            low, high = ENDS[name]
            good = isinstance(value, int | float) and not isinstance(value, bool)
            if not good or not low <= value <= high:
                raise ValueError(f"{where}.{name}: must be a number from {low:g} to {high:g}, got {value!r}")
    return {name: value for name, value in asked.items() if value != "random"}
