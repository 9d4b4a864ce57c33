"""TargetTracking-v0: a pan-tilt camera head keeps a moving ball in the middle of its picture, 50 times a second."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._faults import Observation
from neuroloop_envs._pan_tilt import Head, PanTilt
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number
from neuroloop_envs._paths import PATHS, REACH, Direction, Path, Trajectory
from neuroloop_envs._pictures import picture
from neuroloop_envs._seeing import SeeingWorld, Shown
from neuroloop_envs._sight import Board, Sighting, sight
from neuroloop_envs._world import Rates, RenderMode

if TYPE_CHECKING:
    from neuroloop_envs._stage import Stage

FIELD_OF_VIEW = 60.0  # degrees, from the picture's lower edge to its upper
MEMORY = 0.25  # s that the detector goes on reporting where it saw the ball last
START = 0.2  # rad: the head begins within +-START of the ball, along both axes
DISTRACTORS_AT, BOARDS_AT = 2.6, 1.2  # m from the eye
MOST_OTHERS = 8  # of distractors and of occluders
LOW = (-1.0, -1.0, -10.0, -10.0, 0.0, -2.7, -1.0, -6.0, -6.0, -1.0, -1.0)
HIGH = (1.0, 1.0, 10.0, 10.0, 1.0, 2.7, 1.4, 6.0, 6.0, 1.0, 1.0)

PARAMETERS = {
    "ball_speed": Parameter(1.0, 0.0, 3.0, "1", "how fast time passes for the balls"),
    "ball_distance": Parameter(2.0, 1.5, 2.4, "m", "from the eye to the ball"),
    "vision_delay": Parameter(0.02, 0.0, 0.5, "s", "age of pictures and of what is found in them, whole control steps"),
    "servo_time": Parameter(0.03, 0.005, 0.5, "s", "time constant of the servos"),
    "servo_torque": Parameter(0.6, 0.01, 5.0, "N m", "greatest torque of a servo"),
    "camera_mass": Parameter(0.5, 0.1, 5.0, "kg", "of the camera; its inertia follows"),
    "joint_damping": Parameter(0.0, 0.0, 1.0, "N m s/rad", "friction of both joints"),
    "light": Parameter(1.0, 0.001, 1.0, "1", "on the scene, as a share of daylight"),
} | common(n_actuators=2, n_readings=11)


class TargetTracking(SeeingWorld):
    """Keep the ball in the middle of the picture.

    Readings, float32: where the ball is in the picture (left, up; halves of its width and height), how that changes (halves a
    second), whether it is visible (0 or 1), pan and tilt (rad), their speeds (rad/s), and what was asked of the servos last.
    Camera: (height, width, 1), sRGB.
    Action, float32 of shape (2,): speeds asked of pan and tilt in units of 4 rad/s, + is left and up.
    Reward: 1 - distance of the ball from the middle in halves of the picture, 0 from 1 on; hidden or not.
    Info: `pixel_error` (px, a ball out of the picture counts as at its edge) and `visible`, both of now.

    `trajectory`: "smooth", "random", "reversals", "jumps" or "abrupt"; a reset's `options` may name another. `occluders`:
    boards that hide the ball; `distractors`: other balls. `frames`: pictures a control step that `camera_frames()` holds.
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        observation: Shown = "readings",
        trajectory: Trajectory = "abrupt",
        occluders: int = 0,
        distractors: int = 0,
        size: tuple[int, int] = (64, 64),
        frames: int = 1,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 50,
        physics_hz: int = 400,
    ) -> None:
        self._trajectory = self._next_trajectory = _trajectory("TargetTracking", trajectory)
        for name, count in (("occluders", occluders), ("distractors", distractors)):
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_OTHERS:
                raise ValueError(f"TargetTracking.{name}: must be a number from 0 to {MOST_OTHERS}, got {count!r}")
        self._n_boards, self._n_others = occluders, distractors
        readings = spaces.Box(np.array(LOW, np.float32), np.array(HIGH, np.float32), dtype=np.float32)
        variation = Variation("TargetTracking", PARAMETERS, parameters, randomise, schedule)
        rates = Rates(control_hz, physics_hz, frames)
        self._step_s = 1.0 / physics_hz
        super().__init__(rates, variation, readings, 2, render_mode, observation, size)
        width, height = size
        tangent = math.tan(math.radians(0.5 * FIELD_OF_VIEW))
        self._half_tangents = tangent * width / height, tangent

    @property
    def ball(self) -> Direction:
        """Where the ball is: azimuth, + to the left, and elevation, rad, seen from the head."""
        return self._paths[0].at(self._ball_s)

    @property
    def head(self) -> Head:
        """Where the head points and how it turns, as the physics has it."""
        return self._head.sense()

    def _load(self) -> None:
        self._head = PanTilt(self._bullet, self._step_s)
        self._own = {name: known.default for name, known in PARAMETERS.items() if name in self._defaults()}
        self._tune()
        self._stage: Stage | None = None
        self._boards: list[Board] = []
        self._sightings: deque[Sighting] = deque()
        self._pictures: deque[NDArray[np.float32]] = deque()
        if self.render_mode is not None:
            self._set_up()

    def _set_up(self) -> "Stage":
        """What there is to see, with compiled code that worlds of readings alone need not load."""
        from neuroloop_envs._stage import Stage

        self._stage = Stage(self._bullet, self._n_others, self._n_boards, self._size, FIELD_OF_VIEW)
        if self._boards:
            self._stage.put_up(self._boards)
        return self._stage

    def _tune(self) -> None:
        self._head.tune(self._own["servo_time"], self._own["servo_torque"])

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        self._next_trajectory = _trajectory("TargetTracking.options", options.get("trajectory", self._trajectory))
        return {name: value for name, value in options.items() if name != "trajectory"}

    def _apply(self, changed: Values) -> None:
        self._own.update({name: number(changed, name) for name in changed})
        if "camera_mass" in changed:
            self._head.carry(self._own["camera_mass"])
        if "joint_damping" in changed:
            self._head.rub(self._own["joint_damping"])
        self._tune()

    def _begin(self) -> None:
        rng = np.random.default_rng(int(self.np_random.integers(2**63)))
        self._paths: list[Path] = [PATHS[self._next_trajectory](rng)]
        self._paths += [PATHS["smooth"](rng) for _ in range(self._n_others)]
        self._boards = [Board(float(rng.uniform(-0.7, 0.7) * REACH[0]), BOARDS_AT, 0.0) for _ in range(self._n_boards)]
        if self._stage is not None and self._boards:
            self._stage.put_up(self._boards)
        self._asked = [0.0, 0.0]
        self._ball_s = 0.0
        self._where = [path.at(0.0) for path in self._paths]
        off = rng.uniform(-START, START, 2).tolist()
        self._head.place(self._where[0][0] + off[0], self._where[0][1] + off[1])
        self._sightings.clear()
        self._pictures.clear()
        self._reported, self._slip, self._unseen_s = (0.0, 0.0), (0.0, 0.0), math.inf

    def _drive(self, command: list[float]) -> None:
        self._ball_s += self._own["ball_speed"] * self.rates.move_s
        self._head.drive(command[0], command[1])
        self._asked = [command[0] + 0.0, command[1] + 0.0]  # no negative zeros

    def _shove(self, force: Vector) -> None:
        self._head.shove(force)

    def _see(self) -> NDArray[np.float32]:
        stage = self._stage or self._set_up()
        self._show(stage)
        head = self._head.sense()
        light = stage.see(head.pan, head.tilt)
        if self._own["light"] != 1.0:
            light *= np.float32(self._own["light"])
        return light

    def _show(self, stage: "Stage") -> None:
        """Bring the balls to where they are."""
        self._where = [path.at(self._ball_s) for path in self._paths]
        distances = [self._own["ball_distance"], *([DISTRACTORS_AT] * self._n_others)]
        stage.place(list(zip(self._where, distances, strict=True)), self.render_mode is not None)

    def _sense(self) -> None:
        self._now = head = self._head.sense()
        self._true = sight(self.ball, head.pan, head.tilt, self._half_tangents, self._boards)
        self._sightings.append(self._true)
        late = round(self._own["vision_delay"] / self.dt)
        while len(self._sightings) > late + 1:
            self._sightings.popleft()
        self._detect(self._sightings[0])
        if self._stage is not None and self.render_mode is not None:
            self._show(self._stage)

    def _detect(self, seen: Sighting) -> None:
        """What the detector reports: a ball that is lost stays where it was seen last, and after a while in the middle."""
        self._slip = 0.0, 0.0
        if seen.visible:
            if self._unseen_s == 0.0:
                left, up = self._reported
                self._slip = (seen.left - left) / self.dt, (seen.up - up) / self.dt
            self._reported, self._unseen_s = (seen.left, seen.up), 0.0
        else:
            self._unseen_s += self.dt
            if self._unseen_s > MEMORY:
                self._reported = 0.0, 0.0

    def _read(self) -> NDArray[np.float32]:
        return self._bounded((*self._reported, *self._slip, float(self._unseen_s == 0.0), *self._now, *self._asked))

    def _observe(self) -> Observation:
        if self._shown == "readings":
            return self._read()
        self._pictures.append(self.camera_frames()[-1][1])
        late = round(self._own["vision_delay"] / self.dt)
        while len(self._pictures) > late + 1:
            self._pictures.popleft()
        shown = picture(self._pictures[0], 1)
        return shown if self._shown == "camera" else {"readings": self._read(), "camera": shown}

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        left, up, visible = self._true
        width, height = self._size
        reward = max(0.0, 1.0 - math.hypot(left, up))
        error = 0.5 * math.hypot(width * left, height * up)
        return reward, False, {"pixel_error": error, "visible": visible}

    def _view(self) -> Camera:
        return VIEW


VIEW = Camera(
    eye=(-2.6, -1.4, 2.0), target=(0.9, 0.0, 1.0), field_of_view=50.0, width=480, height=320
)  # over the head's shoulder


def _trajectory(who: str, name: Any) -> Trajectory:
    if name not in get_args(Trajectory):
        raise ValueError(f"{who}.trajectory: must be one of {', '.join(get_args(Trajectory))}, got {name!r}")
    chosen: Trajectory = name
    return chosen
