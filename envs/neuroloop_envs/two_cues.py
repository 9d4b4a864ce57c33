"""TwoCues-v0: name the cue, be paid later; a probe of credit assignment whose optimum is known.

A trial is one cue tick and then `delay` blank ticks. The `step()` that ends the trial, `delay`
calls after the one that answered the cue, pays +1 if that answer named the cue and -1 if not.
The best return of an episode is `trials`; guessing earns 0 on average.
"""

import operator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import error, spaces
from numpy.typing import NDArray

Array = NDArray[np.float32]

BLANK = 2
METADATA: dict[str, Any] = {"render_modes": []}


class TwoCues(gymnasium.Env[Array, np.int64]):
    """Two cues, two answers, a reward `delay` ticks late, `trials` times an episode.

    Observation, float32, one of three is 1: [cue A, cue B, blank]. Action: 0 names A, 1 names B;
    it matters on cue ticks only. Cues are independent and equally likely. They follow from the
    seed alone: neither the answers nor `delay` changes them. After the last trial: terminated.
    """

    metadata = METADATA

    def __init__(self, delay: int = 0, trials: int = 50) -> None:
        self.delay = _at_least(0, "delay", delay)
        self.trials = _at_least(1, "trials", trials)
        self.observation_space = spaces.Box(0.0, 1.0, (3,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._trials_left = 0
        self._tick = 0
        self._cue = BLANK
        self._right = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Begin with a cue; `options` is ignored."""
        super().reset(seed=seed)
        self._trials_left = self.trials
        return self._next_cue(), {}

    def step(self, action: np.int64) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Answer, or wait out a blank tick."""
        if self._trials_left == 0:
            raise error.ResetNeeded("TwoCues.step: the episode is over, call reset() first")
        if action not in (0, 1):
            raise error.InvalidAction(f"TwoCues.step: the action must be 0 or 1, got {action}")
        if self._tick == 0:
            self._right = bool(action == self._cue)
        self._tick += 1
        if self._tick <= self.delay:
            return _one_hot(BLANK), 0.0, False, False, {}
        reward = 1.0 if self._right else -1.0
        self._trials_left -= 1
        if self._trials_left == 0:
            return _one_hot(BLANK), reward, True, False, {}
        return self._next_cue(), reward, False, False, {}

    def _next_cue(self) -> Array:
        self._tick = 0
        self._cue = int(self.np_random.integers(2))
        return _one_hot(self._cue)


def _one_hot(index: int) -> Array:
    observation = np.zeros(3, np.float32)
    observation[index] = 1.0
    return observation


def _at_least(least: int, name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"TwoCues.{name}: must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"TwoCues.{name}: must be >= {least}, got {number}")
    return number
