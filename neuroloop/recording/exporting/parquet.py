"""Apache Parquet: a row a tick, of any length."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingExtra
from ..reader import Recording
from .flat import Field, dtype_of, fields_of

ROWS = 1024  # of a group


def to_parquet(recording: Recording, path: Path) -> None:
    """Numbers of every tick as columns; observations and actions as lists in C order, pictures as bytes, events as lists of
    records; spikes as lists of int32, as in `Recorded`."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingExtra("export to parquet", "parquet") from None
    names = recording.columns
    columns = {name: recording.column(name) for name in names}
    fields = [field for field in fields_of(recording) if field.leaf.kind != "frames"]
    types = {name: pyarrow.from_numpy_dtype(column.dtype) for name, column in columns.items()}
    types |= {field.name: _type(pyarrow, field) for field in fields}
    ticks, done = recording.ticks(), 0
    writer: Any = None
    try:
        while rows := list(islice(ticks, ROWS)):
            if writer is None:
                types |= {f"spikes/{name}": pyarrow.list_(pyarrow.int32()) for name in rows[0].spikes}
                writer = parquet.ParquetWriter(path, pyarrow.schema(list(types.items())), compression="zstd")
            group: dict[str, Any] = {name: columns[name][done : done + len(rows)] for name in names}
            group |= {field.name: [_value(field, one.tick) for one in rows] for field in fields}
            group |= {f"spikes/{name}": [one.spikes[name].ravel() for one in rows] for name in rows[0].spikes}
            writer.write_table(pyarrow.table([pyarrow.array(group[name], types[name]) for name in types], list(types)))
            done += len(rows)
        if writer is None:
            writer = parquet.ParquetWriter(path, pyarrow.schema(list(types.items())))
    finally:
        if writer is not None:
            writer.close()


def _type(pyarrow: Any, field: Field) -> Any:
    if field.leaf.kind == "picture":
        return pyarrow.binary()
    if field.leaf.kind == "events":
        event = dtype_of(field)
        return pyarrow.list_(
            pyarrow.struct([(name, pyarrow.from_numpy_dtype(event[name])) for name in event.names or ()])
        )
    number = pyarrow.from_numpy_dtype(dtype_of(field))
    return number if not field.leaf.shape else pyarrow.list_(number)


def _value(field: Field, tick: Any) -> Any:
    value = np.asarray(field.get(tick))
    if field.leaf.kind == "picture":
        return value.tobytes()
    if field.leaf.kind == "events":
        names: tuple[str, ...] = value.dtype.names or ()
        return [dict(zip(names, event, strict=True)) for event in value.tolist()]
    return value[()] if not field.leaf.shape else value.ravel()
