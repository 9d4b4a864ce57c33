"""Which events can be: with a polarity of 0 or 1, on the sensor, in order of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._numba import compiled
from ...errors import BadInput
from ...types import EVENT
from .facts import Facts, Tally

ANY = 1 << 16  # pixels a side: every address fits


@compiled
def _faults(events, last_us, width, height):  # type: ignore[no-untyped-def]
    """How many events cannot be, and the first one that is earlier than the one before it, or −1."""
    n_bad, back = 0, np.int64(-1)
    for i in range(events.size):
        event = events[i]
        n_bad += event.p > 1 or event.x >= width or event.y >= height
        if event.t_us < last_us and back < 0:
            back = np.int64(i)
        last_us = event.t_us
    return n_bad, back


def sound(events: NDArray[Any], facts: Facts, tally: Tally) -> NDArray[Any]:
    """The events that can be. The rest is noted."""
    width, height = facts.width or ANY, facts.height or ANY
    n_bad, _ = _faults(events, _EARLIEST, width, height)
    if not n_bad:
        return events
    where = "" if width == ANY else f" or outside {width} × {height} pixels"
    tally.note(f"events of no polarity{where}", n_events=n_bad)
    return events[_fit(events, width, height)]


def checked(events: Any, last_us: int | None, width: int, height: int, where: str) -> NDArray[Any]:
    """Events to be written. Raises `BadInput` for the first that cannot be, or comes too late."""
    if not isinstance(events, np.ndarray) or events.dtype != EVENT or events.ndim != 1:
        got = f"{events.dtype} of shape {list(events.shape)}" if isinstance(events, np.ndarray) else repr(events)[:80]
        raise BadInput(f"{where}: must be one row of neuroloop.types.EVENT, got {got}")
    earliest = _EARLIEST if last_us is None else np.int64(last_us)
    n_bad, back = _faults(events, earliest, width, height)
    if n_bad:
        i = int(np.flatnonzero(~_fit(events, width, height))[0])
        raise BadInput(
            f"{where}: events lie within {width} × {height} pixels and have a polarity of 0 or 1, got "
            f"x = {events['x'][i]}, y = {events['y'][i]}, p = {events['p'][i]} at index {i}"
        )
    if back >= 0:
        before = events["t_us"][back - 1] if back else last_us
        raise BadInput(
            f"{where}: must be in order of time, got {events['t_us'][back]} µs after {before} µs at index {back}; "
            'sort them: events[np.argsort(events["t_us"], kind="stable")]'
        )
    return events


def joined(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    """Blocks of events as one array; as bytes, since NumPy copies records field by field."""
    if not blocks:
        return np.empty(0, EVENT)
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([np.ascontiguousarray(block).view(np.uint8) for block in blocks]).view(EVENT)


_EARLIEST = np.int64(np.iinfo(np.int64).min)


def _fit(events: NDArray[Any], width: int, height: int) -> NDArray[np.bool_]:
    fits: NDArray[np.bool_] = (events["p"] <= 1) & (events["x"] < width) & (events["y"] < height)
    return fits
