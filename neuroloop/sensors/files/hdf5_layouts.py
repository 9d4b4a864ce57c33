"""Where events lie in an HDF5 file: four columns in one group, or records in one dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ...errors import BadInput
from .source import BLOCK, columns_of

GROUPS = ("events", "/", "CD", "davis/left", "prophesee/left", "left/events")  # where others keep them
COLUMNS = (("t", "ts", "t_us", "timestamp"), ("x", "xs"), ("y", "ys"), ("p", "ps", "polarity", "on"))
MOST_CHUNK = 1 << 24  # events
MOST_A_BYTE = 1024  # events that compression can hold


class Layout(NamedTuple):
    """Datasets t, x, y and p, or one of records."""

    datasets: tuple[Any, ...]
    n: int  # events
    chunk: int  # events that can be read only together
    offset_us: int  # to be added to all times
    width: int | None
    height: int | None


def find(h5py: Any, file: Any, path: Path) -> Layout:
    """Find the events of a file. Raises `BadInput` where there are none."""
    for name in GROUPS:
        node = file.get(name)
        if isinstance(node, h5py.Dataset):
            if node.ndim == 1 and columns_of(node.dtype):
                return _layout(h5py, file, (node,), path)
        elif node is not None:
            datasets = _columns(h5py, node) or _records(h5py, node)
            if datasets:
                return _layout(h5py, file, datasets, path)
    raise BadInput(f"{path}: holds no datasets t, x, y and p in one group, and no records of them")


def _columns(h5py: Any, group: Any) -> tuple[Any, ...]:
    found = [next((group[name] for name in names if name in group), None) for names in COLUMNS]
    fits = all(isinstance(one, h5py.Dataset) and one.ndim == 1 and one.dtype.kind in "iub" for one in found)
    return tuple(found) if fits else ()


def _records(h5py: Any, group: Any) -> tuple[Any, ...]:
    node = group.get("events")
    return (node,) if isinstance(node, h5py.Dataset) and node.ndim == 1 and columns_of(node.dtype) else ()


def _layout(h5py: Any, file: Any, datasets: tuple[Any, ...], path: Path) -> Layout:
    n = min(dataset.shape[0] for dataset in datasets)
    chunk = max(dataset.chunks[0] if dataset.chunks else 1 for dataset in datasets)
    if chunk > MOST_CHUNK:
        raise BadInput(f"{path}: its chunks of {chunk} events are larger than the {MOST_CHUNK} that are read")
    if n > MOST_A_BYTE * path.stat().st_size:
        raise BadInput(f"{path}: is damaged: says that it holds {n} events, in {path.stat().st_size} bytes")
    offset = file.get("t_offset")
    known = isinstance(offset, h5py.Dataset) and offset.shape == () and offset.dtype.kind in "iu"
    attributes = datasets[0].parent.attrs if len(datasets) > 1 else datasets[0].attrs
    width, height = (_pixels(attributes, name) for name in ("width", "height"))
    return Layout(datasets, n, max(chunk, 1) if chunk > 1 else BLOCK, int(offset[()]) if known else 0, width, height)


def _pixels(attributes: Any, name: str) -> int | None:
    value = attributes.get(name)
    try:
        return int(value) if value is not None and 0 < int(value) <= 1 << 16 else None
    except (TypeError, ValueError):
        return None
