"""An event camera: frames with times in, address-events out (Lichtsteiner, Posch and Delbruck 2008).

What a pixel does is in `front_end.py` (light to level), `crossing.py` (level to events) and `shot_noise.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config import table
from ..errors import BadInput, ConfigError, unknown
from ..settings.sensors import PIXELS, Pixel
from ..types import EVENT
from .cells import LONG_AGO, Counters, Numbers, at, made, noise_weights, of, row, wake
from .frame import advance
from .front_end import FrontEnd
from .images import Images
from .sorting import DIGITS

MOST_PIXELS, LONGEST = 65_536, 2**31 - 1  # a side; µs between two frames
KEPT = (row.level, row.other, row.reference, row.leak)  # of the cells: what changes
ROOM = 4096  # events to begin with


class EventCounts(NamedTuple):
    """Events since the last reset."""

    on: int
    off: int


class EventCamera:
    """`width` × `height` pixels of one kind: the name of a parameter set, or a `Pixel`.

    `seed` makes the chip: thresholds, leaks, hot and dead pixels; and the noise, until `reset` gives it another.
    Raises `ConfigError`.
    """

    def __init__(self, width: int, height: int, pixel: str | Pixel = "clean", seed: int = 0) -> None:
        for name, size in (("width", width), ("height", height)):
            if not _whole(size) or not 1 <= size <= MOST_PIXELS:
                raise ConfigError(f"event camera: {name} must be a whole number from 1 to {MOST_PIXELS}, got {size!r}")
        self.width, self.height, self.pixel, self.seed = int(width), int(height), pixel_of(pixel), _seed(seed)
        n = self.width * self.height
        self._images, self._front_end = Images(self.width, self.height), FrontEnd(self.pixel, n)
        self._cells = made(self.pixel, n, self.seed)
        self._leaks = bool(self._cells[row.usual].any())
        size = self._cells.shape[1]
        self._ready, self._held = np.full(size, LONG_AGO), np.zeros(size, np.int32)
        self._flags, self._counts = np.zeros(size, np.uint8), np.zeros(2**DIGITS, np.int64)
        self._counters, self._numbers = np.zeros(len(Counters._fields), np.int64), np.zeros(len(Numbers._fields))
        self._weights = noise_weights(self.pixel, self._cells, n) if self.pixel.shot_rate > 0.0 else np.zeros(0)
        self._write_settings()
        self._make_room(ROOM)
        self.reset(self.seed)

    def reset(self, seed: int | None = None) -> None:
        """Forget what was seen. The chip stays; noise goes on, or begins anew with a seed."""
        if seed is not None:
            self._counters[at.seed], self._counters[at.frames] = _seed(seed), 0
        for place in (at.begun, at.held, at.on, at.off, at.stage):
            self._counters[place] = 0
        self._counters[at.newest] = row.level
        self._ready[:] = LONG_AGO

    def see(self, frame: NDArray[Any], t_us: int) -> NDArray[np.void]:
        """The events since the frame before, in order of time; the first frame only sets levels.

        A frame is uint8, or floats from 0 to 1, of linear intensity, (height, width) or (height, width, 3). The array that
        is returned (dtype `EVENT`) is a view that the next call overwrites. Raises `BadInput`.
        """
        t_us = self._checked(t_us)
        light = self._images.linear(frame)
        return self._advance(light, t_us, light.dtype == np.uint8)

    def see_log(self, frame: NDArray[np.floating[Any]], t_us: int) -> NDArray[np.void]:
        """The same for a frame of natural logarithms of the intensity, which may exceed 0 (white). Raises `BadInput`."""
        t_us = self._checked(t_us)
        return self._advance(self._images.logarithmic(frame), t_us, False)

    @property
    def counts(self) -> EventCounts:
        """Events since the last reset."""
        return EventCounts(int(self._counters[at.on]), int(self._counters[at.off]))

    def state(self) -> dict[str, NDArray[Any]]:
        """All that changes, as copies."""
        return {
            "chip": np.array([self.width, self.height, self.seed]),
            "cells": self._cells[list(KEPT)],
            "ready": self._ready.copy(),
            "counters": self._counters.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state of this camera, or of one that was made alike. Raises `BadInput`."""
        own = self.state()
        for name, value in own.items():
            if name not in state or np.shape(state[name]) != value.shape:
                raise BadInput(f"event camera: the state's {name!r} must be an array of shape {list(value.shape)}")
        if not np.array_equal(state["chip"], own["chip"]):
            raise BadInput(
                f"event camera: the state is of another camera: width, height, seed {np.asarray(state['chip']).tolist()}, "
                f"this one has {own['chip'].tolist()}"
            )
        self._cells[list(KEPT)] = state["cells"]
        self._ready[:], self._counters[:] = state["ready"], state["counters"]
        held = np.flatnonzero(self._ready >= self._counters[at.start]) if self._counters[at.held] else np.zeros(0, int)
        self._held[: held.size] = held
        self._counters[at.held] = held.size

    def _checked(self, t_us: int) -> int:
        if not _whole(t_us):
            raise BadInput(f"event camera: t_us must be a whole number of µs, got {t_us!r}")
        if self._counters[at.begun]:
            since = int(t_us) - int(self._counters[at.start])
            if not 0 < since <= LONGEST:
                raise BadInput(
                    f"event camera: t_us must be later than the frame before ({self._counters[at.start]}) "
                    f"by at most {LONGEST} µs, got {t_us}; call reset() to begin anew"
                )
        elif not -(2**60) < t_us < 2**60:
            raise BadInput(f"event camera: t_us must lie within ±2^60, got {t_us}")
        return int(t_us)

    def _advance(self, light: NDArray[Any], t_us: int, bytes_: bool) -> NDArray[np.void]:
        counters, begun = self._counters, bool(self._counters[at.begun])
        counters[at.end] = t_us
        counters[at.newest] = row.level + row.other - counters[at.newest]
        seconds = 1e-6 * (t_us - int(counters[at.start])) if begun else np.inf
        (self._front_end.see_bytes if bytes_ else self._front_end.see_light)(light, seconds, self._cells, counters)
        if not begun:
            wake.now(self._cells, counters)
            counters[at.begun] = 1
            counters[at.events] = 0
        else:
            while not advance.now(
                self._cells, self._ready, self._held, self._flags, self._keys, self._weights, self._counts, counters,
                self._numbers, self._leaks, self._events,
            ):  # fmt: skip
                self._make_room(2 * self._events.size)
        counters[at.start] = t_us
        counters[at.frames] += 1
        return self._events[: counters[at.events]]

    def _make_room(self, n: int) -> None:
        """Room for so many events of a frame, and what was found so far."""
        keys = np.empty((2, n), np.uint64)
        if self._counters[at.events]:
            keys[0, : self._keys.shape[1]] = self._keys[0]
        self._keys, self._events = keys, np.zeros(n, EVENT)

    def _write_settings(self) -> None:
        pixel, numbers = self.pixel, self._numbers
        self._counters[at.width] = self.width
        self._counters[at.refractory] = round(pixel.refractory * 1e6)
        numbers[of.jitter], numbers[of.in_light] = pixel.leak_jitter, pixel.shot_in_light
        numbers[of.rate] = pixel.shot_rate * 1e-6 * (self._weights[-1] if self._weights.size else 0.0)
        numbers[of.balance] = pixel.threshold_on / pixel.threshold_off
        numbers[of.knee], numbers[of.linear_range], numbers[of.offset] = pixel.knee, pixel.linear_range, pixel.offset


def pixel_of(pixel: str | Pixel) -> Pixel:
    """The parameter set of a name, or a `Pixel` that is checked. Raises `ConfigError`."""
    if isinstance(pixel, str):
        if pixel not in PIXELS:
            raise ConfigError(f"event camera: {unknown('pixel', pixel, PIXELS)}")
        return PIXELS[pixel]
    if not isinstance(pixel, Pixel):
        raise ConfigError(f"event camera: pixel must be a name or a Pixel, got {type(pixel).__name__}")
    checked = table(msgspec.structs.asdict(pixel), Pixel, "pixel")
    if checked.knee == 0.0 and checked.offset == 0.0:
        raise ConfigError("pixel.offset: must be > 0 where pixel.knee is 0, or black has no logarithm")
    return checked


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _seed(seed: Any) -> int:
    if not _whole(seed) or not 0 <= seed < 2**63:
        raise ConfigError(f"event camera: seed must be a whole number from 0 to 2^63 - 1, got {seed!r}")
    return int(seed)
