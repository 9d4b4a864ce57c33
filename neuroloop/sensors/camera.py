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
from .cells import (
    LONG_AGO,
    Counters,
    Numbers,
    Plan,
    Progress,
    Shape,
    at,
    done,
    has,
    made,
    noise_weights,
    of,
    row,
    size_of,
    wake,
)
from .frame import BEGIN, advance
from .front_end import FrontEnd
from .images import Images
from .memory import CHANGING, check_state
from .sorting import DIGITS

MOST_PIXELS, MOST_SIDE = 2**26, 65_536
LONGEST = 2**31 - 1  # µs between two frames
ROOM = 4096  # events to begin with


class EventCounts(NamedTuple):
    """Events since the last reset."""

    on: int
    off: int


class Thresholds(NamedTuple):
    """In ln units, a number for each pixel."""

    on: NDArray[np.float32]
    off: NDArray[np.float32]


class EventCamera:
    """`width` × `height` pixels of one kind: the name of a parameter set, or a `Pixel`.

    `seed` makes the chip: thresholds, leaks, hot and dead pixels; and the noise, until `reset` gives it another.
    Raises `ConfigError`.
    """

    def __init__(self, width: int, height: int, pixel: str | Pixel = "clean", seed: int = 0) -> None:
        for name, size in (("width", width), ("height", height)):
            if not _whole(size) or not 1 <= size <= MOST_SIDE:
                raise ConfigError(f"event camera: {name} must be a whole number from 1 to {MOST_SIDE}, got {size!r}")
        if width * height > MOST_PIXELS:
            raise ConfigError(f"event camera: must have at most {MOST_PIXELS} pixels, got {width} × {height}")
        self.width, self.height, self.pixel, self.seed = int(width), int(height), pixel_of(pixel), _seed(seed)
        n = self.width * self.height
        self._images, self._front_end = Images(self.width, self.height), FrontEnd(self.pixel, n)
        self._cells = made(self.pixel, n, self.seed)
        self._leaks = bool(self._cells[row.usual].any())
        size = size_of(n)
        self._ready, self._held = np.full(size, LONG_AGO), np.zeros(size + 1, np.int32)
        self._flags, self._flagged = np.zeros(size, np.uint8), np.zeros(size + 1, np.int32)
        self._counts = np.zeros(2**DIGITS, np.int64)
        self._shape, self._counters, self._progress = (
            np.zeros(len(kind._fields), np.int64) for kind in (Shape, Counters, Progress)
        )
        self._numbers = np.zeros(len(Numbers._fields))
        self._weights = noise_weights(self.pixel, self._cells, n) if self.pixel.shot_rate > 0.0 else np.zeros(0)
        self._write_settings()
        self._keys, self._events = np.empty((2, ROOM), np.uint64), np.zeros(ROOM, EVENT)
        self._plan = np.zeros(len(Plan._fields), np.int64)
        self._write_plan()
        self.reset(self.seed)

    def reset(self, seed: int | None = None) -> None:
        """Forget what was seen. The chip stays; noise goes on, or begins anew with a seed."""
        if seed is not None:
            self._counters[at.seed], self._counters[at.frames] = _seed(seed), 0
        for place in (at.begun, at.on, at.off):
            self._counters[place] = 0
        self._progress[done.held] = 0
        self._counters[at.newest] = row.level
        self._cells[row.level] = self._cells[row.other] = 0.0  # so that the first levels are not rounded from others
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

    @property
    def thresholds(self) -> Thresholds:
        """Of every pixel, ln units, float32[height, width]; infinite where a pixel is dead."""
        return Thresholds(self._image(row.on), self._image(row.off))

    @property
    def leak_rates(self) -> NDArray[np.float32]:
        """Of every pixel, Hz, float32[height, width], without jitter."""
        return self._image(row.usual) / self._image(row.on)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that changes, as copies, and what it belongs to."""
        return {
            "chip": np.array([self.width, self.height, self.seed]),
            "pixel": np.array(msgspec.structs.astuple(self.pixel), np.float64),
            "cells": self._cells[list(CHANGING), : self._ready.size],
            "ready": self._ready.copy(),
            "counters": self._counters.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state of this camera, or of one that was made alike. Raises `BadInput`."""
        check_state(state, self.state())
        self._cells[list(CHANGING), : self._ready.size] = state["cells"]
        self._counters[:] = state["counters"]
        self._ready[:] = state["ready"]
        held = np.flatnonzero(self._ready >= self._counters[at.start])
        self._held[: held.size] = held
        self._progress[done.held] = held.size

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, in this process or in another, is made anew: it cannot share addresses."""
        return _copied, (self.width, self.height, self.pixel, self.seed, self.state())

    def _image(self, place: int) -> NDArray[np.float32]:
        return self._cells[place, : self.width * self.height].reshape(self.height, self.width).copy()

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
        counters, progress, begun = self._counters, self._progress, bool(self._counters[at.begun])
        progress[done.end], progress[done.stage] = t_us, BEGIN
        counters[at.newest] = row.level + row.other - counters[at.newest]
        seconds = 1e-6 * (t_us - int(counters[at.start])) if begun else np.inf
        (self._front_end.see_bytes if bytes_ else self._front_end.see_light)(light, seconds, self._cells, counters)
        if not begun:
            wake.now(self._cells, self._shape, counters)
            counters[at.begun], progress[done.events], counters[at.base] = 1, 0, t_us
        else:
            while not advance.now(self._plan, self._leaks, self._events):
                self._make_room(2 * self._events.size)
        counters[at.start] = t_us
        counters[at.frames] += 1
        return self._events[: progress[done.events]]

    def _make_room(self, n: int) -> None:
        """Room for so many events of a frame, and what was found so far."""
        keys = np.empty((2, n), np.uint64)
        keys[0, : self._keys.shape[1]] = self._keys[0]
        self._keys, self._events = keys, np.zeros(n, EVENT)
        self._write_plan()

    def _write_plan(self) -> None:
        """Where the arrays lie, which nothing but `_make_room` exchanges."""
        arrays = {
            "cells": self._cells, "ready": self._ready, "held": self._held, "flags": self._flags, "flagged": self._flagged,
            "keys": self._keys, "weights": self._weights, "counts": self._counts, "shape": self._shape,
            "counters": self._counters, "progress": self._progress, "numbers": self._numbers,
        }  # fmt: skip
        self._plan[:] = Plan(**{name: array.ctypes.data for name, array in arrays.items()})
        self._shape[has.room] = self._keys.shape[1]

    def _write_settings(self) -> None:
        pixel, numbers = self.pixel, self._numbers
        self._shape[has.width], self._shape[has.pixels] = self.width, self.width * self.height
        self._shape[has.size], self._shape[has.stride] = self._ready.size, self._cells.shape[1]
        self._shape[has.refractory] = round(pixel.refractory * 1e6)
        numbers[of.jitter], numbers[of.in_light] = pixel.leak_jitter, pixel.shot_in_light
        numbers[of.rate] = pixel.shot_rate * 1e-6 * (self._weights[-1] if self._weights.size else 0.0)
        numbers[of.balance] = pixel.threshold_on / pixel.threshold_off
        numbers[of.knee], numbers[of.linear_range], numbers[of.offset] = pixel.knee, pixel.linear_range, pixel.offset


def _copied(width: int, height: int, pixel: Pixel, seed: int, state: Mapping[str, NDArray[Any]]) -> EventCamera:
    camera = EventCamera(width, height, pixel, seed)
    camera.restore(state)
    return camera


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
