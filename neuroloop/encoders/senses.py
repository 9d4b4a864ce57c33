"""What an agent senses: its observation as numbers for compiled encoders, and as it is for those in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ..errors import ConfigError, PlantError
from ..settings import AnyEncoder, ClockConfig, EventPooling, OneEncoder, Parts, PythonEncoder, Rhythm, Spindles
from ..walk import MOST
from .events import EventEncoder
from .hosted import Host
from .hosts import Hosts
from .observation import Layout, check_size, join, layout_of, misfit, real
from .protocol import SpikeEncoder
from .python import load
from .selection import layout_of_keys

MAKERS: dict[type[OneEncoder], Callable[[Any, str], SpikeEncoder]] = {PythonEncoder: load, EventPooling: EventEncoder}
"""Settings of encoders in Python, and what makes the encoder from settings and their path."""


FLOAT64 = np.dtype(np.float64)  # numpy's own: whoever has another object has his numbers looked at


class Sense(NamedTuple):
    """One encoder and what it encodes."""

    name: str  # empty if it is the only one
    path: str  # of its settings
    config: OneEncoder
    layout: Layout  # of what it takes as numbers; an encoder in Python takes none, nor does a bare rhythm
    host: Host | None


class Senses:
    """The encoders of a network, and `readings` that others take. Raises `ConfigError` or `UnsupportedSpace`."""

    def __init__(
        self, config: AnyEncoder, space: Space[Any], clock: ClockConfig, seed: int, readings: Layout | None = None
    ) -> None:
        parts = config.part if isinstance(config, Parts) else {"": config}
        self._space = space
        self._shape = space.shape or f"what {space} holds"
        self.parts = tuple(_sense(name, part, space, clock, seed) for name, part in parts.items())
        self.encoded = sum(part.layout.size for part in self.parts)  # numbers that encoders take; readings follow
        self.readings = join([]) if readings is None else readings
        layouts = [part.layout for part in self.parts] + ([self.readings] if self.readings.size else [])
        self.layout = layouts[0] if len(layouts) == 1 else join([(layout, _all) for layout in layouts])
        check_size(self.layout, "encoder")
        self._discrete = bool(self.layout.levels.any())
        self.hosts = Hosts([part.host for part in self.parts if part.host is not None])

    def flat(self, observation: Any) -> NDArray[np.float64]:
        """The observation as numbers. Raises `PlantError` for what is no observation of this plant."""
        levels = self.layout.levels
        try:
            flat = np.asarray(self.layout.flatten(observation))
            if flat.dtype is not FLOAT64:
                flat = real(flat)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
            found = misfit(self._space, observation)
            raise PlantError(found or f"the observation {observation!r} does not fit its space: {error}") from None
        if flat.shape != levels.shape:
            found = None if self._space.shape is not None else misfit(self._space, observation)
            raise PlantError(found or f"the observation has shape {np.shape(observation)}, expected {self._shape}")
        if self._discrete and not (fits := _are_levels(flat, levels)).all():
            self.check_finite(flat)
            d = int(np.flatnonzero(~fits)[0])
            raise PlantError(f"the observation {observation!r} lies outside its space: {self.layout.names[d]}")
        return flat

    def check_finite(self, flat: NDArray[np.float64]) -> None:
        """Raise `PlantError` with the name of a dimension that is not finite, or beyond all measure."""
        for name, value in zip(self.layout.names, flat, strict=True):
            if not abs(value) < MOST:
                raise PlantError(f"{name} is {value}; observations must be finite")


def _are_levels(flat: NDArray[np.float64], levels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each dimension is a level that there is, or continuous."""
    fits: NDArray[np.bool_] = (levels == 0) | ((flat >= 0) & (flat < levels) & (flat == np.floor(flat)))
    return fits


def _all(observation: Any) -> Any:
    return observation


def _sense(name: str, config: OneEncoder, space: Space[Any], clock: ClockConfig, seed: int) -> Sense:
    path = f"encoder.part.{name}" if name else "encoder"
    if type(config) in MAKERS:
        host = Host(path, MAKERS[type(config)](config, path), config.on, space, clock, seed)
        return Sense(name, path, config, join([]), host)
    if isinstance(config, Rhythm) and not config.on:
        return Sense(name, path, config, join([]), None)
    if isinstance(config, Spindles):
        return Sense(name, path, config, _joints(config, space, path), None)
    return Sense(name, path, config, _layout(config.on, space, f"{path}.on"), None)


def _layout(keys: tuple[str, ...], space: Space[Any], where: str) -> Layout:
    return layout_of_keys(space, keys, where) if keys else layout_of(space)


def _joints(config: Spindles, space: Space[Any], path: str) -> Layout:
    """Positions of all joints, then velocities and loads where they are observed."""
    layouts, all_keys = [_layout(config.on, space, f"{path}.on")], config.on
    for name, keys in (("velocity", config.velocity), ("load", config.load)):
        if keys:
            layouts.append(layout_of_keys(space, keys, f"{path}.{name}"))
            if layouts[-1].size != layouts[0].size:
                sizes = f"{layouts[-1].size} for {layouts[0].size} joints"
                raise ConfigError(f"{path}.{name}: needs one dimension for each joint, got {sizes}")
            all_keys += keys
    if config.on:
        return layout_of_keys(space, all_keys, path)
    return layouts[0] if len(layouts) == 1 else join([(layout, _all) for layout in layouts])
