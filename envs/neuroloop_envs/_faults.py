"""What goes wrong between a controller and its plant: late and weak actuators, late, noisy, dead and lost sensors."""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._parameters import Values, number, numbers

Array = NDArray[Any]
Observation = Array | dict[str, Array]


class Faults:
    """Commands and observations as they come through. `half_range` of each reading is the unit of its noise."""

    def __init__(self, half_range: Array, dt: float) -> None:
        self._half_range, self._dt = half_range, dt
        self._commands: deque[list[float]] = deque()  # under way; the oldest one arrives next
        self._latest: list[float] = []  # the latest that was given, or rest
        self._observations: deque[Observation] = deque()
        self._seen: Observation | None = None
        self.active = False

    def reset(self, values: Values) -> None:
        """Begin an episode: actuators rest, nothing is under way."""
        self._commands.clear()
        self._latest = [0.0] * len(numbers(values, "actuator_strength"))
        self._observations.clear()
        self._seen = None
        self.set(values)

    def set(self, values: Values) -> None:
        """Take over the parameters; what is under way stays."""
        self._action_delay = round(number(values, "action_delay") / self._dt)
        self._sensor_delay = round(number(values, "sensor_delay") / self._dt)
        self._strength = np.array(numbers(values, "actuator_strength"))
        self._gain = np.array(numbers(values, "sensor_strength"), np.float32)
        self._noise, self._dropout = number(values, "sensor_noise"), number(values, "sensor_dropout")
        self.active = bool(
            self._action_delay or self._sensor_delay or self._noise or self._dropout
            or (self._strength != 1.0).any() or (self._gain != 1.0).any()
            or self._commands or self._observations
        )  # fmt: skip

    def command(self, command: list[float]) -> list[float]:
        """What the actuators do now: what was asked a delay ago, and until that arrives, what they did before."""
        latest, self._latest = self._latest, command
        if not self.active:
            return command
        while len(self._commands) < self._action_delay:
            self._commands.appendleft(self._commands[0] if self._commands else latest)
        self._commands.append(command)
        while len(self._commands) > self._action_delay + 1:
            self._commands.popleft()
        return [float(x) for x in self._strength * self._commands.popleft()]

    def observe(self, observation: Observation, low: Array, high: Array, rng: np.random.Generator) -> Observation:
        """What the controller sees of an observation. The oldest one there is stands in until a late one arrives."""
        self._observations.append(self._measured(observation, low, high, rng))
        while len(self._observations) > self._sensor_delay + 1:
            self._observations.popleft()
        self._seen = self._with_losses(self._observations[0], rng)
        if isinstance(self._seen, np.ndarray):  # an observation that is shown again is still an array of its own
            return self._seen.copy()
        return {name: one.copy() for name, one in self._seen.items()}

    def _measured(self, observation: Observation, low: Array, high: Array, rng: np.random.Generator) -> Observation:
        """With gains and noise: of readings in an array of floats, and of pixels in units of 127.5."""
        if isinstance(observation, dict):
            return {name: self._measured(one, low, high, rng) for name, one in observation.items()}  # type: ignore[misc]
        if observation.dtype == np.uint8:
            if not self._noise:
                return observation
            noisy = observation + 127.5 * self._noise * rng.standard_normal(observation.shape, np.float32)
            pixels: Array = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
            return pixels
        shown: Array = observation * self._gain
        if self._noise:
            shown += np.float32(self._noise) * self._half_range * rng.standard_normal(shown.shape, np.float32)
        clipped: Array = np.clip(shown, low, high)
        return clipped

    def _with_losses(self, observation: Observation, rng: np.random.Generator) -> Observation:
        """Lost readings, and lost pictures as a whole, stay as they were seen last."""
        if not self._dropout or self._seen is None:
            return observation
        if isinstance(observation, dict):
            assert isinstance(self._seen, dict)
            return {name: self._kept(one, self._seen[name], rng) for name, one in observation.items()}
        assert isinstance(self._seen, np.ndarray)
        return self._kept(observation, self._seen, rng)

    def _kept(self, new: Array, old: Array, rng: np.random.Generator) -> Array:
        if new.dtype == np.uint8:
            return old if rng.random() < self._dropout else new
        return np.where(rng.random(new.shape) < self._dropout, old, new).astype(new.dtype)
