"""Ticks as records for the ring: what the loop does of the work, which is as little as can be.

A record is a head, the spikes, and the parts of observation and action, each with its size before.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..activity import Activity
from ..errors import PlantError
from ..link.values import Values
from ..loop.timing import TIMING
from ..types import EVENT, Outcome, Tick, Timed
from ..types import LINK as LINK_INFO
from .channels import COLUMNS, LINK, NOT_KNOWN, Raster
from .layout import Part
from .records import (
    CODES,
    FAILED,
    LAST,
    LAST_FOLLOWS,
    LINKED,
    SHORT_HEAD,
    TERMINATED,
    TICK,
    TIMED,
    TRUNCATED,
    head_of,
)  # fmt: skip

NO_TIME = Timed(0, 0, 0, 0, 0)
NO_LINK: tuple[int, ...] = (0, 0, 0, 0, 0)


class Packer:
    """Packs what happens in one loop."""

    def __init__(self, activity: Activity, observation: Sequence[Part], action: Sequence[Part]) -> None:
        self._activity = activity
        self._spikes = [*activity.rasters.values(), *activity.cells.values()]
        self._observation = [_taker(part) for part in observation]
        self._action = [_taker(part) for part in action]
        self._head = head_of(len(activity.numbers))
        self._sizes = {n: struct.Struct(f"<{n}Q") for n in (len(observation), len(observation) + len(action))}
        self._sizes[2 * len(observation) + len(action)] = struct.Struct(f"<{2 * len(observation) + len(action)}Q")

    @property
    def rasters(self) -> tuple[Raster, ...]:
        """What spikes there are, in their order."""
        named = {**self._activity.rasters, **self._activity.cells}
        return tuple(Raster(name, array.shape) for name, array in named.items())

    def tick(self, tick: Tick, seq: int) -> bytes:
        """A tick. Raises `PlantError` for values that are none of the spaces."""
        outcome, timed, link, flags, answer, n_steps = tick.outcome, NO_TIME, NO_LINK, int(tick.first), 0.0, 0
        parts = [take(tick.observation) for take in self._observation]
        parts += [take(tick.action) for take in self._action]
        if outcome is None:
            flags |= FAILED
        else:
            flags |= TERMINATED * outcome.terminated | TRUNCATED * outcome.truncated
            answer, n_steps = outcome.reward, outcome.n_steps
            told = outcome.info.get(TIMING)
            if isinstance(told, Timed):
                timed, flags = told, flags | TIMED
            if (facts := outcome.info.get(LINK_INFO)) is not None:
                link, flags = _link(facts), flags | LINKED
            if outcome.ended:
                flags |= LAST_FOLLOWS
                parts += [take(outcome.observation) for take in self._observation]
        head = self._head.pack(
            TICK, flags, n_steps, seq, tick.tick, tick.episode, tick.t_ns, tick.reward, answer, *timed, *link,
            *self._activity.read(),
        )  # fmt: skip
        sizes = [size for size, _ in parts]
        return b"".join((
            head, *[array.tobytes() for array in self._spikes], self._sizes[len(sizes)].pack(*sizes),
            *[raw for _, raw in parts],
        ))  # fmt: skip

    def last(self, outcome: Outcome) -> bytes:
        """The observation after the last tick of all."""
        parts = [take(outcome.observation) for take in self._observation]
        sizes = self._sizes[len(parts)].pack(*[size for size, _ in parts])
        return b"".join((SHORT_HEAD.pack(LAST), sizes, *[raw for _, raw in parts]))


def _link(facts: Mapping[str, Any]) -> tuple[int, ...]:
    """What is told of a link, as whole numbers."""
    told = (facts.get(name) for name in COLUMNS[LINK])
    return tuple(NOT_KNOWN if number is None else int(number) for number in told)


Taken = tuple[int, bytes]  # size, in the upper byte the dtype if it is not the space's; the bytes


def _taker(part: Part) -> Any:
    leaf, space, get = part
    if leaf.kind == "events":
        return lambda value: _events(get(value))
    if leaf.kind == "frames":
        values = Values(space)
        return lambda value: _frames(values, get(value))
    dtype = np.dtype(leaf.dtype)
    shape = leaf.shape

    def take(value: Any) -> Taken:
        array = get(value)
        if type(array) is not np.ndarray or array.dtype != dtype or array.shape != shape:
            return _converted(array, dtype, shape)
        raw = array.tobytes()
        return len(raw), raw

    return take


def _converted(value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Taken:
    """Numbers of another dtype than the space's: they are kept as they are, or replay would see others."""
    array = np.asarray(value)
    code = f"{array.dtype.kind}{array.dtype.itemsize}"
    if array.shape != shape or code not in CODES:
        raise PlantError(f"{value!r} is no value of {dtype} and shape {shape}")
    if array.dtype == dtype or (array.ndim == 0 and array.dtype.kind in "iu" and dtype.kind in "iu"):
        raw = array.astype(dtype).tobytes()
        return len(raw), raw
    raw = array.tobytes()
    return len(raw) | CODES.index(code) << 56, raw


def _events(value: Any) -> Taken:
    array = np.asarray(value)
    if array.dtype != EVENT or array.ndim != 1:
        raise PlantError(f"events must be a one-dimensional array of EVENT, got {array.dtype} of {array.shape}")
    raw = array.tobytes()
    return len(raw), raw


def _frames(values: Values, value: Any) -> Taken:
    frames = [frame.tobytes() if isinstance(frame, np.ndarray) else bytes(frame) for frame in values.write(value)]
    raw = b"".join(piece for frame in frames for piece in (len(frame).to_bytes(4, "little"), frame))
    return len(raw), raw
