"""NumPy archives with everything in them, and CSV with what has a few numbers a tick."""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RecordingError
from ..reader import Recording
from .flat import Field, dtype_of, fields_of, spikes_in

MOST_BYTES = 8 << 30  # of all arrays together, or half of the memory where that is less


def to_npz(recording: Recording, path: Path) -> None:
    """Columns, observations and actions of every tick as arrays by name; events one after the other, with where each tick's
    begin; spikes as in `Recorded`. Raises `RecordingError` where that would be too large for memory."""
    arrays: dict[str, NDArray[Any]] = {name: recording.column(name) for name in recording.columns}
    fields = fields_of(recording)
    kept = [field for field in fields if field.leaf.kind != "frames"]
    if left := [field.name for field in fields if field.leaf.kind == "frames"]:
        warnings.warn(f"{recording.path}: {', '.join(left)} have no fixed size, and are left out", stacklevel=4)
    lists: dict[str, list[NDArray[Any]]] = {field.name: [] for field in kept}
    room = _Room(recording, sum(array.nbytes for array in arrays.values()))
    for one in recording.ticks():
        values = {field.name: np.asarray(field.get(one.tick)) for field in kept}
        values |= {f"spikes/{name}": raster for name, raster in one.spikes.items()}
        room.take(sum(value.nbytes for value in values.values()))
        for name, value in values.items():
            lists.setdefault(name, []).append(value)
    events = {field.name: dtype_of(field) for field in kept if field.leaf.kind == "events"}
    for name in list(lists):
        values_of = lists.pop(name)  # so that no more than one array is there twice
        if name in events:
            arrays[name] = np.concatenate(values_of) if values_of else np.zeros(0, events[name])
            arrays[f"{name}/begin"] = np.cumsum([0, *map(len, values_of)])
        else:
            arrays[name] = np.stack(values_of) if values_of else np.zeros(0)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


class _Room:
    """Counts bytes while a recording is read, and ends that before they are too many."""

    def __init__(self, recording: Recording, taken: int) -> None:
        self._path, self._taken = recording.path, taken
        self._most = min(MOST_BYTES, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)

    def take(self, size: int) -> None:
        """A tick of so many bytes. Raises `RecordingError` once there are too many."""
        self._taken += size
        if self._taken > self._most:
            raise RecordingError(
                f"{self._path}: all ticks are more than {self._most} bytes as arrays; export to parquet instead"
            )


def to_csv(recording: Recording, path: Path) -> None:
    """A row a tick: its numbers, small observations and actions number by number, and how many spikes each population fired.
    Numbers are written so that reading them gives the same bits."""
    names = recording.columns
    columns = [recording.column(name).tolist() for name in names]
    fields = [field for field in fields_of(recording) if field.columns]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        for k, one in enumerate(recording.ticks()):
            if k == 0:
                values = [name for field in fields for name in field.columns]
                out.writerow([*names, *values, *(f"spikes/{name}" for name in one.spikes)])
            row = [number for field in fields for number in _numbers(field, one.tick)]
            out.writerow([*(column[k] for column in columns), *row, *map(spikes_in, one.spikes.values())])


def _numbers(field: Field, tick: Any) -> list[Any]:
    numbers: list[Any] = np.asarray(field.get(tick)).ravel().tolist()
    return numbers
