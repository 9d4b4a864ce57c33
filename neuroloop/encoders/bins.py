"""Bins of pixels: regions of interest of a camera's picture, cut into cells, each an input neuron for each polarity."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..errors import ConfigError, UnsupportedSpace, unknown
from ..sensors.space import EventSpace
from ..settings import EventPooling

POLARITIES = {"both": (0, 1), "merged": (0, 0), "on": (-1, 0), "off": (0, -1)}  # the channel of OFF and of ON


class Bins(NamedTuple):
    """Which input neuron an event belongs to: `first[r, p] + rows[r, y] · across[r] + columns[r, x]`, if none of it is −1."""

    columns: NDArray[np.int32]  # (regions, width)
    rows: NDArray[np.int32]  # (regions, height)
    across: NDArray[np.int32]  # (regions,): columns of bins
    first: NDArray[np.int32]  # (regions, 2): the first neuron of each polarity


def choose(space: Space[Any], on: tuple[str, ...], at: str) -> tuple[str, tuple[Any, ...], EventSpace]:
    """Name, path and space of the event packets in an observation; `on`: their key, such as "events" or "eye.events"."""
    found = _event_spaces(space, "observation", ())
    if not found:
        raise UnsupportedSpace(
            f"observation space {space}: holds no event packets; wrap the environment in an EventCameraWrapper"
        )
    if len(on) > 1:
        raise ConfigError(f"{at}.on: must be one key, got {list(on)}; give each camera an encoder of its own")
    if on and found[0][1]:
        by_key = {".".join(map(str, one[1])): one for one in found}
        if on[0] not in by_key:
            raise ConfigError(f"{at}.on: {unknown('key of event packets', on[0], by_key)}")
        return by_key[on[0]]
    if on:
        return f"observation[{on[0]!r}]", *found[0][1:]
    if len(found) > 1:
        names = ", ".join(".".join(map(str, path)) for _, path, _ in found)
        raise ConfigError(f"{at}.on: is needed, since there are several event packets: {names}")
    return found[0]


def _event_spaces(space: Space[Any], name: str, path: tuple[Any, ...]) -> list[tuple[str, tuple[Any, ...], EventSpace]]:
    match space:
        case EventSpace():
            return [(name, path, space)]
        case spaces.Dict() | spaces.Tuple():
            parts = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
            return [one for key, part in parts for one in _event_spaces(part, f"{name}[{key!r}]", (*path, key))]
        case _:
            return []


def bins_of(config: EventPooling, space: EventSpace, at: str) -> tuple[Bins, tuple[tuple[int, int, int], ...]]:
    """The tables of all regions, and the shape of each."""
    regions = config.regions or ((0, 0, space.width, space.height),)
    channels = POLARITIES[config.polarity]
    bins = Bins(
        np.full((len(regions), space.width), -1, np.int32), np.full((len(regions), space.height), -1, np.int32),
        np.zeros(len(regions), np.int32), np.full((len(regions), 2), -1, np.int32),
    )  # fmt: skip
    shapes, n = list[tuple[int, int, int]](), 0
    for r, (left, top, width, height) in enumerate(regions):
        if left + width > space.width or top + height > space.height:
            raise ConfigError(
                f"{at}.regions[{r}]: reaches to ({left + width}, {top + height}), outside the {space.width} × "
                f"{space.height} pixels of the camera"
            )
        sizes = [
            _cut(size, *one) for size, one in zip((width, height), _wanted(config, r, width, height, at), strict=True)
        ]
        bins.columns[r, left : left + width], bins.rows[r, top : top + height] = sizes
        shape = max(channels) + 1, int(sizes[1][-1]) + 1, int(sizes[0][-1]) + 1
        bins.across[r] = shape[2]
        bins.first[r] = [n + channel * shape[1] * shape[2] if channel >= 0 else -1 for channel in channels]
        shapes.append(shape)
        n += int(np.prod(shape))
    return bins, tuple(shapes)


def _wanted(config: EventPooling, r: int, width: int, height: int, at: str) -> list[tuple[int, int | None]]:
    """For columns and rows: the size of a cell, or how many bins."""
    if config.bins is None:
        return [(size, None) for size in config.cell]
    if config.bins[0] > width or config.bins[1] > height:
        raise ConfigError(f"{at}.bins: {list(config.bins)} are more than the {width} × {height} pixels of region {r}")
    return [(1, n) for n in config.bins]


def _cut(size: int, cell: int, n: int | None) -> NDArray[np.int32]:
    """The bin of each of `size` pixels: cells of equal size, the last may be smaller, or `n` as equal as can be."""
    pixels = np.arange(size)
    return (pixels // cell if n is None else pixels * n // size).astype(np.int32)
