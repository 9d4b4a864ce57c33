"""The base of the PyBullet worlds: a physics client, control and physics rates, parameters, faults, and Gymnasium's verbs.

A world composes a robot with a task: it loads bodies, places them, drives them, and says what is observed and what it is
worth. All that worlds share is here.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import error, spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet, Camera, Vector
from neuroloop_envs._faults import Faults, Observation
from neuroloop_envs._parameters import COMMON, Change, Values, Variation, numbers

RenderMode = Literal["human", "rgb_array"] | None
Action = NDArray[np.float32]
METADATA: dict[str, Any] = {"render_modes": ["human", "rgb_array"]}
ROUNDING = 1e-6  # beyond the action space that a rounded number may lie


class Rates:
    """A control step of 1 / `control_hz` s in `moves` calls of the physics, each of a power of two integration steps.

    `parts`: into how many equal parts a control step must fall, for pictures in between. `held`: integration steps that a
    drive may be held for at most; 1 has `_drive` called before each, as motors with a fast loop of their own need it.
    Raises `ValueError`.
    """

    def __init__(self, control_hz: int, physics_hz: int, parts: int = 1, held: int | None = None) -> None:
        for name, rate in (("control_hz", control_hz), ("physics_hz", physics_hz), ("frames", parts)):
            if isinstance(rate, bool) or not isinstance(rate, int | np.integer) or not 1 <= rate <= 100_000:
                raise ValueError(f"{name}: must be a whole number from 1 to 100000, got {rate!r}")
        control_hz, physics_hz, parts = int(control_hz), int(physics_hz), int(parts)
        if physics_hz % (control_hz * parts):
            of = f"{control_hz} Hz of control" + (f" x {parts} frames" if parts > 1 else "")
            raise ValueError(f"physics_hz: must be a multiple of {of}, got {physics_hz}")
        steps = physics_hz // control_hz // parts
        self.substeps = steps & -steps  # the largest power of two that divides it
        while held is not None and self.substeps > held:
            self.substeps //= 2
        self.moves_per_part = steps // self.substeps
        self.parts, self.control_hz, self.physics_hz = parts, control_hz, physics_hz
        self.dt = 1.0 / control_hz
        self.move_s = self.substeps / physics_hz


class World(gymnasium.Env[Any, Action]):
    """A robot with a task. Actions lie in [-1, 1]; each world says what 1 stands for.

    `parameters`, `randomise` and `schedule` set, draw and change what may vary (`variation.known`); `options` at a reset
    take the same parameters by name, and a `schedule`.
    """

    metadata: dict[str, Any] = METADATA
    reloads: ClassVar[bool] = False  # whether a reset loads the bodies anew, where Bullet does not restore them exactly
    observation_space: spaces.Space[Any]

    def __init__(
        self,
        rates: Rates,
        variation: Variation,
        observation_space: spaces.Space[Any],
        readings: spaces.Box | None,
        n_actuators: int,
        render_mode: RenderMode,
    ) -> None:
        name = type(self).__name__
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"{name}.render_mode: must be 'human', 'rgb_array' or None, got {render_mode!r}")
        self.metadata = {**self.metadata, "render_fps": rates.control_hz}
        self.observation_space, self.render_mode, self.rates = observation_space, render_mode, rates
        self.action_space = spaces.Box(-1.0, 1.0, (n_actuators,), np.float32)
        self.variation, self.dt = variation, rates.dt
        variation.check(rates.dt)
        low, high = (readings.low, readings.high) if readings is not None else (np.zeros(0, np.float32),) * 2
        self._low, self._high = low, high
        self._faults = Faults((self._high - self._low) / 2, rates.dt)
        self.values: Values = {}
        self._started: Values = {}
        self._applied = self._defaults()
        self._changes: list[Change] = []
        self._running, self._step_count = False, 0
        self._push: Vector | None = None
        self._bullet = Bullet(step_s=rates.move_s, substeps=rates.substeps, human=render_mode == "human")
        try:
            self._load()
            if render_mode == "human":
                self._bullet.aim(self._view())
        except BaseException:
            self._bullet.close()
            raise

    @abstractmethod
    def _load(self) -> None:
        """Load the bodies."""

    @abstractmethod
    def _apply(self, changed: Values) -> None:
        """Bring the physics to the world's own parameters that changed; as loaded, all are at their defaults."""

    @abstractmethod
    def _begin(self) -> None:
        """Place the bodies at the start of an episode, a function of `self.np_random` alone."""

    @abstractmethod
    def _drive(self, command: list[float]) -> None:
        """Hand commands in [-1, 1] to the actuators, for the next call of the physics."""

    @abstractmethod
    def _sense(self) -> None:
        """Read the physics, once after a reset and after every control step, for `_observe` and `_outcome`."""

    @abstractmethod
    def _observe(self) -> Observation:
        """What the sensors read, fresh arrays within the observation space."""

    @abstractmethod
    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        """Reward, whether the episode terminates, and info."""

    @abstractmethod
    def _view(self) -> Camera:
        """Where pictures for people are taken from."""

    @abstractmethod
    def _shove(self, force: Vector) -> None:
        """Push the robot (N, axes of the world) for the next call of the physics."""

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take what is the world's own out of a reset's options; returns the rest: parameters, and a schedule."""
        return options

    def _look(self, part: int) -> None:
        """Part number `part` of a control step is over; worlds with cameras take a picture."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, a function of the seed and the options alone."""
        self._check_open()
        given, self._changes = self.variation.given(self._options(options or {}), self.dt)
        super().reset(seed=seed)
        self._running = False
        # Drawn parameters and noise have generators of their own: the same seed begins alike with and without them.
        draws, self._noise = map(np.random.Generator, map(np.random.PCG64, self._spawned()))
        self.values = self.variation.drawn(draws) | given
        self._started = dict(self.values)
        self._step_count = 0
        if self.reloads:
            self._bullet.clear()
            self._load()
            self._applied = self._defaults()
        self._bring(self.values)
        self._begin()
        self._faults.reset(self.values)
        self._set_push()
        if self._changes:
            self._follow_schedule()
        self._sense()
        self._running = True
        return self._seen(), {"parameters": dict(self.values)}

    def step(self, action: Action) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hold an action for a control step. Raises `InvalidAction` before anything moves, `ResetNeeded` after the end."""
        if not self._running:
            self._check_open()
            raise error.ResetNeeded(f"{type(self).__name__}.step: the episode is over, call reset() first")
        command = self._checked(action)
        if self._changes and self._changes[0].step <= self._step_count:
            self._follow_schedule()
        command = self._faults.command(command)
        for part in range(self.rates.parts):
            for _ in range(self.rates.moves_per_part):
                self._drive(command)
                if self._push is not None:
                    self._shove(self._push)
                self._bullet.step()
            self._look(part)
        self._step_count += 1
        if self.render_mode == "human":
            self._bullet.pace(self.dt)
        self._sense()
        reward, terminated, info = self._outcome()
        self._running = not terminated
        return self._seen(), reward, terminated, False, info

    def render(self) -> NDArray[np.uint8] | None:
        """A picture, uint8 (height, width, 3), if `render_mode` is "rgb_array"; a window draws itself."""
        self._check_open()
        return self._bullet.photo(self._view()) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Leave PyBullet; a second call does nothing."""
        self._running = False
        self._bullet.close()

    @property
    def t_s(self) -> float:
        """s since the episode began."""
        return self._step_count * self.dt

    def _bounded(self, readings: Sequence[float]) -> NDArray[np.float32]:
        """Readings as an array within their bounds."""
        array = np.array(readings, np.float32)
        np.maximum(array, self._low, out=array)
        return np.minimum(array, self._high, out=array)

    def _seen(self) -> Observation:
        observation = self._observe()
        if not self._faults.active:
            return observation
        return self._faults.observe(observation, self._low, self._high, self._noise)

    def _checked(self, action: Any) -> list[float]:
        """An action as numbers in [-1, 1]."""
        try:
            values = np.asarray(action)
            if values.dtype.kind not in "fiub":
                raise TypeError
        except (TypeError, ValueError):
            raise error.InvalidAction(
                f"{type(self).__name__}.step: the action must be numbers, got {action!r}"
            ) from None
        if values.shape != self.action_space.shape:
            raise error.InvalidAction(
                f"{type(self).__name__}.step: the action must have shape {self.action_space.shape}, got {values.shape}"
            )
        command: list[float] = values.tolist()
        for k, value in enumerate(command):
            if not -1.0 <= value <= 1.0:  # NaN is neither
                if not abs(value) <= 1.0 + ROUNDING:
                    raise error.InvalidAction(
                        f"{type(self).__name__}.step: action[{k}] must lie within [-1, 1], got {value}"
                    )
                command[k] = math.copysign(1.0, value)
        return command

    def _spawned(self) -> list[np.random.SeedSequence]:
        """Seeds of two generators that have nothing to do with each other, nor with `np_random`, which goes on unchanged."""
        sequence = self.np_random.bit_generator.seed_seq
        assert isinstance(sequence, np.random.SeedSequence)
        return sequence.spawn(2)

    def _follow_schedule(self) -> None:
        """Make the changes that are due."""
        changed: Values = {}
        while self._changes and self._changes[0].step <= self._step_count:
            change = self._changes.pop(0)
            changed[change.name] = self._started[change.name] if change.value is None else change.value
        self.values.update(changed)
        self._bring(changed)
        self._faults.set(self.values)
        self._set_push()

    def _set_push(self) -> None:
        x, y, z = numbers(self.values, "push")
        self._push = (x, y, z) if x or y or z else None

    def _defaults(self) -> Values:
        """The world's own parameters as they are when it was loaded."""
        return {name: known.start for name, known in self.variation.known.items() if name not in COMMON}

    def _bring(self, values: Values) -> None:
        changed = {name: value for name, value in values.items() if self._applied.get(name, value) != value}
        if changed:
            self._apply(changed)
            self._applied.update(changed)

    def _check_open(self) -> None:
        if self._bullet.closed:
            raise error.ClosedEnvironmentError(f"{type(self).__name__}: the environment is closed")
