"""What a plant lets through, whatever it is told, and what it does when nobody speaks."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput


class Guard:
    """Actions of a Box within ± `amplitude` of rest and changing by at most `slew` a second; others pass as they are.

    Rest is 0, or the value of the space next to it. Raises `BadInput`.
    """

    def __init__(
        self, space: gymnasium.Space[Any], dt: float, amplitude: float | None = None, slew: float | None = None
    ) -> None:
        self._box = space if isinstance(space, spaces.Box) else None
        self.limited = 0  # actions that were changed
        if self._box is None:
            if amplitude is not None or slew is not None:
                raise BadInput(f"limits: are for Box actions, whose values have a size; the action space is {space}")
            return
        rest = np.zeros(self._box.shape).clip(self._box.low, self._box.high)
        reach = np.inf if amplitude is None else arguments.positive("amplitude", amplitude)
        self._low, self._high = np.maximum(self._box.low, rest - reach), np.minimum(self._box.high, rest + reach)
        self._step = np.inf if slew is None else arguments.positive("slew", slew) * dt
        self._rest, self._before = rest, rest

    def reset(self) -> None:
        """An episode begins: actuators are at rest."""
        if self._box is not None:
            self._before = self._rest

    def __call__(self, action: Any) -> Any:
        """The action that is done."""
        if self._box is None:
            return action
        done: NDArray[Any] = np.clip(action, self._low, self._high)
        done = np.clip(done, self._before - self._step, self._before + self._step)
        self._before = done
        done = done.astype(self._box.dtype)
        self.limited += not np.array_equal(done, action)
        return done


def fail_safe_of(env: gymnasium.Env[Any, Any], given: Any = None) -> Any:
    """The action of a plant that nobody commands: `given`, or what the environment names as its `fail_safe`, or rest.

    Rest is 0, or what the space has next to it; of discrete actions the first. Raises `BadInput` for what is no action.
    """
    space = env.action_space
    if given is None:
        given = getattr(env.unwrapped, "fail_safe", None)
    if given is None:
        return _rest(space)
    action = np.asarray(given, space.dtype).reshape(space.shape) if isinstance(space, spaces.Box) else given
    if not space.contains(action):
        raise BadInput(f"fail-safe: must be an action of {space}, got {given!r}")
    return action


def _rest(space: gymnasium.Space[Any]) -> Any:
    match space:
        case spaces.Box():
            return np.zeros(space.shape).clip(space.low, space.high).astype(space.dtype)
        case spaces.Discrete():
            return space.start
        case spaces.MultiDiscrete():
            return space.start.copy()
        case spaces.MultiBinary():
            return np.zeros(space.shape, space.dtype)
        case spaces.Tuple():
            return tuple(_rest(part) for part in space.spaces)
        case spaces.Dict():
            return {key: _rest(part) for key, part in space.spaces.items()}
    raise BadInput(f"fail-safe: {space} has no rest; name an action for when nobody commands")
