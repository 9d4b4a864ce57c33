"""NumPy archives with everything in them, and CSV with what has a few numbers a tick."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RecordingError
from ..reader import Recording
from .flat import Field, dtype_of, fields_of, spikes_in

MOST_BYTES = 8 << 30  # of one array


def to_npz(recording: Recording, path: Path) -> None:
    """Columns, observations and actions of every tick as arrays by name; events one after the other, with where each tick's
    begin; spikes as in `Recorded`. Raises `RecordingError` where that would be too large for memory."""
    arrays: dict[str, NDArray[Any]] = {name: recording.column(name) for name in recording.columns}
    n = len(arrays["seq"])
    fields = fields_of(recording)
    kept = [field for field in fields if field.leaf.kind != "frames"]
    if left := [field.name for field in fields if field.leaf.kind == "frames"]:
        warnings.warn(f"{recording.path}: {', '.join(left)} have no fixed size, and are left out", stacklevel=4)
    for field in kept:
        if (size := n * field.n * dtype_of(field).itemsize) > MOST_BYTES:
            raise RecordingError(
                f"{recording.path}: {field.name} of all ticks are {size} bytes; export to parquet instead"
            )
    lists: dict[str, list[NDArray[Any]]] = {field.name: [] for field in kept}
    for one in recording.ticks():
        for field in kept:
            lists[field.name].append(np.asarray(field.get(one.tick)))
        for name, raster in one.spikes.items():
            lists.setdefault(f"spikes/{name}", []).append(raster)
    for name, values in lists.items():
        if any(field.name == name and field.leaf.kind == "events" for field in kept):
            arrays[name] = np.concatenate(values) if values else np.zeros(0, dtype_of(kept[0]))
            arrays[f"{name}/begin"] = np.cumsum([0, *map(len, values)])
        else:
            arrays[name] = np.stack(values) if values else np.zeros(0)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


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
