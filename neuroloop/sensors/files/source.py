"""What every format's reader and writer can do, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...types import EVENT
from .facts import Facts, Tally

BLOCK = 1 << 17  # events that a reader holds at a time
NAMES = {
    "t_us": ("t_us", "t", "ts", "timestamp"),
    "x": ("x",),
    "y": ("y",),
    "p": ("p", "on", "pol", "polarity"),
}  # what others call the columns


class Source(Protocol):
    """An open file to read from."""

    facts: Facts

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Events in the order of the file, at most about `BLOCK` at a time; losses are noted in `tally`."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Target(Protocol):
    """An open file to write to."""

    def append(self, events: NDArray[Any]) -> None:
        """Write events that were checked."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def columns_of(dtype: np.dtype[Any]) -> dict[str, str] | None:
    """Where the columns of an event stand in somebody's records; None if a column is missing or is no whole number."""
    fields: Mapping[str, Any] = dtype.fields or {}
    found = {ours: next((name for name in theirs if name in fields), "") for ours, theirs in NAMES.items()}
    fits = all(name and fields[name][0].kind in ("iub" if ours == "p" else "iu") for ours, name in found.items())
    return found if fits else None


def as_events(records: NDArray[Any], path: Path, tally: Tally) -> NDArray[Any]:
    """Records with columns of other names or types as events; those that fit no event are left out and noted."""
    if records.dtype == EVENT:
        return records
    columns = columns_of(records.dtype)
    if columns is None:
        raise BadInput(f"{path}: its records have the columns {list(records.dtype.names or ())}, not t, x, y and p")
    t, x, y, p = (records[columns[name]] for name in ("t_us", "x", "y", "p"))
    return gathered(t, x, y, p, tally)


def gathered(t: NDArray[Any], x: NDArray[Any], y: NDArray[Any], p: NDArray[Any], tally: Tally) -> NDArray[Any]:
    """Four columns as events. A polarity of −1 is OFF; what fits no event is left out and noted."""
    fits = np.ones(t.size, bool)
    for column in (x, y):
        if column.dtype.itemsize > 2 or column.dtype.kind == "i":
            fits &= (column >= 0) & (column <= 65535)
    if t.dtype == np.uint64:
        fits &= t <= np.iinfo(np.int64).max
    events = np.empty(t.size, EVENT)
    with np.errstate(invalid="ignore"):
        events["t_us"], events["x"], events["y"] = t.astype(np.int64), x.astype(np.uint16), y.astype(np.uint16)
    events["p"] = p if p.dtype.itemsize == 1 and p.dtype.kind != "i" else _polarity(p)
    if fits.all():
        return events
    tally.note("events beyond what 64-bit times and 16-bit addresses hold", n_events=int((~fits).sum()))
    return events[fits]


def _polarity(p: NDArray[Any]) -> NDArray[np.uint8]:
    """Wide or signed polarities as 0 and 1, and 2 for what is none."""
    return np.where(p == 1, 1, np.where((p == 0) | (p == -1), 0, 2)).astype(np.uint8)
