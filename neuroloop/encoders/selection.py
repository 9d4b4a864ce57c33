"""Keys of an observation by name: "imu", "arm.angles", "1", "imu[0:3]", "arm.angles[2]", or "[0:4]" of a Box."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..errors import ConfigError, unknown
from .observation import ROOT, Layout, join, lay_out

_INDEX = re.compile(r"(.*?)(\[[-\d:,\s]+\])?", re.DOTALL)


class Found(NamedTuple):
    """What a key names."""

    key: str  # as it was given
    name: str  # as users index it
    space: Space[Any]
    take: Callable[[Any], Any]  # out of the whole observation
    within: str  # such as "[0:3]"; empty: all of it


def find(space: Space[Any], key: str, where: str) -> Found:
    """What `key` names in an observation space. Raises `ConfigError` with the closest match."""
    match = _INDEX.fullmatch(key)
    assert match is not None
    path, index = match[1], match[2] or ""
    if path == ROOT and not (isinstance(space, spaces.Dict) and ROOT in space.spaces):
        path = ""
    steps = _steps(space, path)
    if steps is None:
        raise ConfigError(f"{where}: " + unknown("key", path, _known(space)))
    part, name = space, ROOT
    for step in steps:
        part, name = part[step], f"{name}[{step!r}]"  # type: ignore[index]
    return Found(key, name, part, functools.partial(_walk, steps), index)


def layout_of_keys(space: Space[Any], keys: Sequence[str], where: str) -> Layout:
    """The layout of what `keys` name, one after the other. Raises `ConfigError` or `UnsupportedSpace`."""
    found = [find(space, key, where) for key in keys]
    if len({one.name for one in found}) == 1:  # of one array: taken at once
        chosen = np.concatenate([_chosen(one, where) for one in found])
        return _at(lay_out(found[0].space, found[0].name).take(chosen), found[0].take)
    parts = [(lay_out(one.space, one.name).take(_chosen(one, where)), one.take) for one in found]
    return join(parts)


def _at(layout: Layout, take: Callable[[Any], Any]) -> Layout:
    flatten = layout.flatten
    return layout._replace(flatten=lambda observation: flatten(take(observation)))


def _chosen(found: Found, where: str) -> NDArray[np.int64]:
    """Which dimensions of what it is in a key names."""
    layout = lay_out(found.space, found.name)
    if not found.within:
        return np.arange(layout.size)
    shape = found.space.shape
    if shape is None or isinstance(found.space, spaces.Discrete):
        raise ConfigError(f"{where}: {found.key!r} has an index, but {found.name} is {found.space}")
    try:
        chosen = np.arange(layout.size).reshape(shape)[_index(found.within)].reshape(-1)
    except (IndexError, TypeError, ValueError):
        raise ConfigError(f"{where}: {found.key!r} does not fit {found.name}, whose shape is {list(shape)}") from None
    if not chosen.size:
        raise ConfigError(f"{where}: {found.key!r} names nothing: the shape of {found.name} is {list(shape)}")
    return chosen.astype(np.int64)


def _index(text: str) -> tuple[int | slice, ...]:
    """The index that a text such as "[0, 2:4]" stands for."""
    entries = [entry.strip() for entry in text[1:-1].split(",")]
    return tuple(
        slice(*(int(end) if end.strip() else None for end in entry.split(":"))) if ":" in entry else int(entry)
        for entry in entries
    )


def _steps(space: Space[Any], path: str) -> tuple[Any, ...] | None:
    """The keys that a dotted path stands for; keys may hold dots themselves. None if there are none such."""
    if not path:
        return ()
    for key, part in _parts(space):
        text = str(key)
        if path == text or path.startswith(f"{text}."):
            rest = _steps(part, path[len(text) + 1 :])
            if rest is not None:
                return (key, *rest)
    return None


def _parts(space: Space[Any]) -> Iterator[tuple[Any, Space[Any]]]:
    if isinstance(space, spaces.Dict):
        yield from space.spaces.items()
    elif isinstance(space, spaces.Tuple):
        yield from enumerate(space.spaces)


def _known(space: Space[Any], before: str = "") -> list[str]:
    """Every path in a space."""
    found = [] if before else [ROOT]
    for key, part in _parts(space):
        found += [f"{before}{key}", *_known(part, f"{before}{key}.")]
    return found


def _walk(steps: tuple[Any, ...], value: Any) -> Any:
    for step in steps:
        value = value[step]
    return value
