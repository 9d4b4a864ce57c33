"""What all contract tests share."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from ..errors import BadInput
from ..sensors.space import EventSpace
from ..types import EVENT, Spikes


class ContractError(AssertionError):
    """A part does not do what its protocol says."""


def require(holds: Any, what: str) -> None:
    """Raise `ContractError` unless something holds."""
    if not holds:
        raise ContractError(what)


def check_space(name: str, space: Any) -> None:
    """Raise `BadInput` for what is no space."""
    if not isinstance(space, Space):
        raise BadInput(f"{name}: must be a Gymnasium space, got {space!r}")


def samples(space: Space[Any], n: int, seed: int) -> list[Any]:
    """Seeded members of a space, whose own generator is left alone."""
    own = copy.deepcopy(space)
    own.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [own.sample() for _ in range(n)]


def spoilt(space: Space[Any], value: Any, name: str = "observation") -> Iterator[tuple[str, str, Any]]:
    """Copies of a member of a space with one thing wrong: the name of the key, what is wrong, and the copy."""
    match space:
        case spaces.Dict():
            for key, part in space.spaces.items():
                for where, what, bad in spoilt(part, value[key], str(key)):
                    yield where, what, {**value, key: bad}
                yield str(key), "is missing", {k: v for k, v in value.items() if k != key}
        case spaces.Tuple():
            for i, part in enumerate(space.spaces):
                for where, what, bad in spoilt(part, value[i], f"{name}[{i}]"):
                    yield where, what, (*value[:i], bad, *value[i + 1 :])
        case spaces.Box() if np.issubdtype(space.dtype, np.floating) and np.size(value):
            for number in (np.nan, np.inf, -np.inf):
                bad = np.array(value)
                bad.reshape(-1)[-1] = number
                yield name, f"is {number}", bad
            yield name, "has another shape", np.zeros((*space.shape, 2), space.dtype)
        case spaces.Discrete():
            yield name, "lies outside", space.start + space.n
        case spaces.MultiDiscrete():
            yield name, "lies outside", space.start + space.nvec
        case spaces.MultiBinary():
            yield name, "lies outside", np.full(space.shape, 2, np.int8)
        case EventSpace():
            events = np.zeros(2, EVENT)
            events["t_us"] = 5, 4
            yield name, "is not sorted by time", events
            for field, least in (("x", space.width), ("y", space.height), ("p", 2)):
                if least <= np.iinfo(EVENT[field]).max:
                    events = np.zeros(2, EVENT)
                    events[field][1] = least
                    yield name, f"has {field} = {least}", events
            yield name, "is no list of events", np.zeros(2)


def same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    """Where two states differ, bit for bit; None if they do not."""
    if ours.keys() != theirs.keys():
        return f"one has {sorted(ours)}, the other {sorted(theirs)}"
    for name, array in ours.items():
        if array.dtype != theirs[name].dtype or array.shape != theirs[name].shape:
            return (
                f"array {name!r} is {array.dtype}{list(array.shape)} and {theirs[name].dtype}{list(theirs[name].shape)}"
            )
        if array.tobytes() != theirs[name].tobytes():
            return f"array {name!r} differs"
    return None


def equal(ours: Any, theirs: Any) -> bool:
    """Whether two observations are the same."""
    if isinstance(ours, Mapping):
        return ours.keys() == theirs.keys() and all(equal(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, tuple | list):
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    return bool(np.array_equal(ours, theirs))


def what_is_wrong(spikes: Any, n: int, n_steps: int) -> str | None:
    """What is wrong with the spikes of a control step; None if nothing is."""
    if not isinstance(spikes, Spikes):
        return f"must return Spikes, got {type(spikes).__name__}"
    for name, array in zip(spikes._fields, spikes, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != np.int32 or array.ndim != 1:
            return f"{name} must be an int32 vector, got {getattr(array, 'dtype', type(array).__name__)}"
    ids, offsets = spikes
    if offsets.shape != (n_steps + 1,):
        return f"offsets must be {n_steps + 1} numbers for {n_steps} steps, got {offsets.size}"
    if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] > ids.size:
        return f"offsets must rise from 0 to at most {ids.size}, the number of ids, got {offsets}"
    for step in range(n_steps):
        fired = spikes.at(step)
        if (np.diff(fired) <= 0).any():
            return f"ids must rise within a step, got {fired} in step {step}"
        if fired.size and not (fired[0] >= 0 and fired[-1] < n):
            return f"ids must be from 0 to {n - 1}, got {fired} in step {step}"
    return None
