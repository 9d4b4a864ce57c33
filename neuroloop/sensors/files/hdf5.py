"""Events in HDF5, a dataset a column: /events/t, x, y and p, as in DSEC (Gehrig et al. 2021), compressed by lzf.

Read are also columns in another group or none, DSEC's /t_offset, and records in one dataset, such as /CD/events of
Prophesee's files, where the HDF5 library has the filter that compressed them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, MissingExtra
from ...types import EVENT
from .facts import Facts, Tally
from .hdf5_layouts import Layout, find
from .padded import Padded
from .source import BLOCK, as_events, gathered

MAGIC = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK = 48  # bytes at the beginning of a file that hold no events
CHUNK = 1 << 15  # events that are compressed together
GROUP, VERSION = "events", 1
COLUMNS = {"t": "t_us", "x": "x", "y": "y", "p": "p"}
FAILS = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError)  # of h5py on damaged files


def h5py_() -> Any:
    """The library, with the filters that others' files may need. Raises `MissingExtra`."""
    try:
        import h5py
    except ImportError:
        raise MissingExtra("HDF5", "events") from None
    with contextlib.suppress(ImportError):
        import hdf5plugin  # noqa: F401
    return h5py


class Hdf5Reader:
    """Reads columns or records; what cannot be decompressed is lost, the rest is read."""

    def __init__(self, path: Path) -> None:
        h5py, self._padded = h5py_(), Padded(path)
        try:
            self._file = h5py.File(self._padded if self._padded.n_missing else path, "r")
            self._layout: Layout = find(h5py, self._file, path)
            self.facts = self._facts(path)
        except FAILS as error:
            self.close()
            raise BadInput(f"{path}: its HDF5 structure is damaged: {_line(error)}") from None
        except BaseException:
            self.close()
            raise

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Read on from the first event."""
        step = self._layout.chunk * max(BLOCK // self._layout.chunk, 1)
        for begin in range(0, self._layout.n, step):
            yield from self._block(begin, min(begin + step, self._layout.n), tally)
        if self._padded.n_missing:
            tally.note(f"the file ends {self._padded.n_missing} bytes early")

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_file"):
            with contextlib.suppress(*FAILS):
                self._file.close()
        self._padded.close()

    def _facts(self, path: Path) -> Facts:
        layout = self._layout
        first = last = None
        if layout.n:
            with contextlib.suppress(*FAILS):
                first, last = self._time(0), self._time(layout.n - 1)
        if self._padded.n_missing:
            last = None
        return Facts(path, "hdf5", layout.width, layout.height, layout.n, first, last, self._padded.n_bytes)

    def _time(self, index: int) -> int:
        return int(self._read(index, index + 1, Tally())["t_us"][0])

    def _block(self, begin: int, end: int, tally: Tally) -> Iterator[NDArray[Any]]:
        """A block, or where a part of it cannot be read, its chunks."""
        try:
            yield self._read(begin, end, tally)
            return
        except FAILS as error:
            why = _line(error)
        step = self._layout.chunk
        if end - begin <= step:
            tally.note(f"chunks that cannot be read: {why}", n_events=end - begin)
            return
        for part in range(begin, end, step):
            yield from self._block(part, min(part + step, end), tally)

    def _read(self, begin: int, end: int, tally: Tally) -> NDArray[Any]:
        layout = self._layout
        for dataset in layout.datasets:
            if dataset.chunks:
                _check_chunks(dataset, begin, end, self._padded.n_bytes)
            elif self._padded.n_missing:
                _check_offset(dataset, end, self._padded.n_bytes)
        parts = [np.asarray(dataset[begin:end]) for dataset in layout.datasets]
        if len(parts) == 1:
            events = as_events(parts[0], self._padded.path, tally)
        else:
            events = gathered(parts[0], parts[1], parts[2], parts[3], tally)
        if layout.offset_us:
            events["t_us"] += layout.offset_us
        return events


def _check_offset(dataset: Any, end: int, n_bytes: int) -> None:
    """Raises `OSError` where these events lie beyond the end of a truncated file."""
    offset = dataset.id.get_offset()
    if offset is None or offset + end * dataset.dtype.itemsize > n_bytes:
        raise OSError("beyond the end of the file")


def _check_chunks(dataset: Any, begin: int, end: int, n_bytes: int) -> None:
    """Raises `OSError` where a chunk of these events is missing, which the library would read as zeros."""
    for index in range(begin // dataset.chunks[0], -(-end // dataset.chunks[0])):
        info = dataset.id.get_chunk_info_by_coord((index * dataset.chunks[0],))
        if not info.size or not SUPERBLOCK <= (info.byte_offset or 0) <= n_bytes - info.size:
            raise OSError("beyond the end of the file, or never written")


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class Hdf5Writer:
    """Writes whole chunks, in the order of time, so that the beginning of a truncated file can be read."""

    def __init__(self, path: Path, width: int, height: int, named: Path) -> None:
        self._file = h5py_().File(path, "x", rdcc_nbytes=0)
        group = self._file.create_group(GROUP)
        group.attrs.update({"format": "neuroloop", "version": VERSION, "width": width, "height": height, "unit": "us"})
        self._columns = {
            ours: group.create_dataset(
                name, (0,), EVENT[ours], maxshape=(None,), chunks=(CHUNK,), compression="lzf", shuffle=True, fletcher32=True
            )
            for name, ours in COLUMNS.items()
        }  # fmt: skip
        self._n = self._n_held = 0
        self._held = np.empty(CHUNK, EVENT)

    def append(self, events: NDArray[Any]) -> None:
        """Write the chunks that are full."""
        while events.size:
            part = events[: CHUNK - self._n_held]
            self._held[self._n_held : self._n_held + part.size] = part
            self._n_held, events = self._n_held + part.size, events[part.size :]
            if self._n_held == CHUNK:
                self._flush()

    def close(self) -> None:
        """Write the rest."""
        try:
            if self._file:
                self._flush()
        finally:
            self._file.close()

    def _flush(self) -> None:
        end = self._n + self._n_held
        for name, dataset in self._columns.items():
            dataset.resize((end,))
            dataset[self._n : end] = self._held[name][: self._n_held]
        self._n, self._n_held = end, 0
