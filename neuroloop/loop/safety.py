"""What a plant lets through, whatever it is told, and what it does when nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput


class Guard:
    """Values of Box actions within ± `amplitude` of rest and changing by at most `slew` a second, also where the Box is a part
    of a Tuple or Dict; other parts pass as they are.

    Rest is 0, or the value of the space next to it. The fail-safe action passes here too: it is reached as fast as `slew`
    permits. Raises `BadInput` for limits where nothing has a size.
    """

    def __init__(
        self, space: gymnasium.Space[Any], dt: float, amplitude: float | None = None, slew: float | None = None
    ) -> None:
        self._space, self._limits = space, list[_Limits]()
        self.limited = 0  # actions that were changed
        if amplitude is None and slew is None:
            return
        reach = np.inf if amplitude is None else arguments.positive("amplitude", amplitude)
        step = np.inf if slew is None else arguments.positive("slew", slew) * dt
        self._limits = [_Limits(box, reach, step) for box in _boxes(space)]
        if not self._limits:
            raise BadInput(f"limits: are for Box actions, whose values have a size; the action space is {space}")

    def reset(self) -> None:
        """An episode begins: actuators are at rest."""
        for one in self._limits:
            one.reset()

    def __call__(self, action: Any) -> Any:
        """The action that is done."""
        if not self._limits:
            return action
        changed = [one.changed for one in self._limits]
        done = _limited(self._space, action, iter(self._limits))
        self.limited += changed != [one.changed for one in self._limits]
        return done

    def allows(self, action: Any) -> bool:
        """Whether an action lies within the amplitude."""
        return all(one.allows(part) for one, part in zip(self._limits, _parts(self._space, action), strict=False))

    def check_fail_safe(self, action: Any) -> None:
        """Raises `BadInput` for a fail-safe action that could never be reached."""
        if not self.allows(action):
            raise BadInput(f"fail-safe: lies beyond the amplitude that the plant may have, got {action!r}")

    def arrived(self, action: Any) -> bool:
        """Whether an action that was asked for was done as it is: slew holds it back no more."""
        return all(one.arrived(part) for one, part in zip(self._limits, _parts(self._space, action), strict=False))


class _Limits:
    """Those of one Box, as numbers of its own type: an action that was written as the limit lies within it."""

    def __init__(self, box: spaces.Box, reach: float, step: float) -> None:
        rest = np.zeros(box.shape).clip(box.low, box.high)
        with np.errstate(invalid="ignore", over="ignore"):  # of what is not taken
            low, high = (rest - reach).astype(box.dtype), (rest + reach).astype(box.dtype)
        self._low = np.where(rest - reach > box.low, low, box.low)
        self._high = np.where(rest + reach < box.high, high, box.high)
        self._step, self._dtype, self._rest, self._before = step, box.dtype, rest, rest
        self.changed = 0

    def reset(self) -> None:
        self._before = self._rest

    def __call__(self, action: Any) -> Any:
        done: NDArray[Any] = np.clip(action, self._low, self._high)
        done = np.clip(done, self._before - self._step, self._before + self._step)
        self._before = done
        done = done.astype(self._dtype)
        self.changed += not np.array_equal(done, action)
        return done

    def allows(self, action: Any) -> bool:
        return bool(np.all((action >= self._low) & (action <= self._high)))

    def arrived(self, action: Any) -> bool:
        return bool(np.array_equal(self._before, action))


def _boxes(space: gymnasium.Space[Any]) -> Iterator[spaces.Box]:
    match space:
        case spaces.Box():
            yield space
        case spaces.Tuple() | spaces.Dict():
            for part in space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces:
                yield from _boxes(part)


def _parts(space: gymnasium.Space[Any], action: Any) -> Iterator[Any]:
    """The values of an action for which a space has Boxes, in their order."""
    match space:
        case spaces.Box():
            yield action
        case spaces.Tuple():
            for part, value in zip(space.spaces, action, strict=True):
                yield from _parts(part, value)
        case spaces.Dict():
            for key, part in space.spaces.items():
                yield from _parts(part, action[key])


def _limited(space: gymnasium.Space[Any], action: Any, limits: Iterator[_Limits]) -> Any:
    match space:
        case spaces.Box():
            return next(limits)(action)
        case spaces.Tuple():
            return tuple([_limited(part, value, limits) for part, value in zip(space.spaces, action, strict=True)])
        case spaces.Dict():
            return {key: _limited(part, action[key], limits) for key, part in space.spaces.items()}
    return action


def endless(space: gymnasium.Space[Any]) -> bool:
    """Whether values of a space may be infinite."""
    match space:
        case spaces.Box():
            return not space.is_bounded("both")
        case spaces.Tuple() | spaces.OneOf():
            return any(map(endless, space.spaces))
        case spaces.Dict():
            return any(map(endless, space.spaces.values()))
        case spaces.Sequence():
            return endless(space.feature_space)
        case spaces.Graph():
            return endless(space.node_space) or (space.edge_space is not None and endless(space.edge_space))
    return False


def finite(value: Any) -> bool:
    """Whether all numbers of an action are finite."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, tuple | list):
        return all(map(finite, value))
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return kind != "f" or bool(np.isfinite(value).all())


def fail_safe_of(env: gymnasium.Env[Any, Any], given: Any = None) -> Any:
    """The action of a plant that nobody commands: `given`, or what the environment names as its `fail_safe`, or rest.

    Rest is 0, or what the space has next to it; of discrete actions the first. Raises `BadInput` for what is no action.
    """
    space = env.action_space
    if given is None:
        given = getattr(env.unwrapped, "fail_safe", None)
    if given is None:
        return _rest(space)
    try:
        action = _as_of(space, given)
        fits = space.contains(action) and finite(action)
    except (TypeError, ValueError, KeyError, OverflowError):
        fits = False
    if not fits:
        raise BadInput(f"fail-safe: must be an action of {space}, got {given!r}")
    return action


def _as_of(space: gymnasium.Space[Any], given: Any) -> Any:
    """What was written as plain numbers, as an action of a space."""
    match space:
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return np.asarray(given, space.dtype).reshape(space.shape)
        case spaces.Tuple():
            return tuple(_as_of(part, value) for part, value in zip(space.spaces, given, strict=True))
        case spaces.Dict():
            return {key: _as_of(part, given[key]) for key, part in space.spaces.items()}
    return given


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
