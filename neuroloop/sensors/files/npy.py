"""Events as a NumPy array in a file: records of `neuroloop.types.EVENT`, 13 bytes each. It does not tell the sensor's size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...types import EVENT
from .facts import Facts, Tally
from .source import BLOCK, as_events, columns_of

MAGIC = b"\x93NUMPY"
MOST_HEADER = 10_000  # characters; longer ones are not ours, and cost memory to parse
MOST_ITEM = 256  # bytes of a record


class NpyReader:
    """Reads records with columns named as ours, or as common libraries name them."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            self._dtype, self._n = _header(self._file, path)
        except BaseException:
            self._file.close()
            raise
        self._path, self._start, n_bytes = path, self._file.tell(), os.fstat(self._file.fileno()).st_size
        self._whole = min(self._n, (n_bytes - self._start) // self._dtype.itemsize)
        self._lost_bytes = n_bytes - self._start - self._whole * self._dtype.itemsize
        first = self._time(0) if self._whole else None
        last = self._time(self._whole - 1) if self._whole else None
        self.facts = Facts(path, "npy", None, None, self._whole, first, last, n_bytes)

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Read on from the first event."""
        self._file.seek(self._start)
        left = self._whole
        while left:
            data = self._file.read(min(left, BLOCK) * self._dtype.itemsize)
            records = np.frombuffer(data, self._dtype, len(data) // self._dtype.itemsize)
            if not records.size:
                tally.note("the file became shorter while it was read", n_events=left)
                return
            left -= records.size
            yield as_events(records, self._path, tally)
        if self._n > self._whole:
            tally.note("the file ends early", self._lost_bytes, self._n - self._whole)
        elif self._lost_bytes:
            tally.note("bytes after the last event", self._lost_bytes)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _time(self, index: int) -> int:
        self._file.seek(self._start + index * self._dtype.itemsize)
        record = np.frombuffer(self._file.read(self._dtype.itemsize), self._dtype, 1)
        columns = columns_of(self._dtype)
        return int(record[columns["t_us"]][0]) if columns else 0


def _header(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], int]:
    """Type and number of the records. Raises `BadInput` for an array that holds no events."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(file, max_header_size=MOST_HEADER)
    except Exception as error:  # NumPy parses it as Python, in more than one way
        raise BadInput(f"{path}: not a NumPy file, or its header is damaged: {error}") from None
    odd = dtype.hasobject or dtype.itemsize > MOST_ITEM or columns_of(dtype) is None
    if len(shape) != 1 or shape[0] < 0 or odd:
        raise BadInput(f"{path}: expected one row of records t, x, y and p, got {dtype} of shape {list(shape)}")
    return dtype, shape[0]


class NpyWriter:
    """Writes records of `EVENT`; the header is completed when it is closed."""

    def __init__(self, path: Path, width: int, height: int, named: Path) -> None:
        self._file, self._n = path.open("xb"), 0
        self._write_header()

    def append(self, events: NDArray[Any]) -> None:
        """Write events."""
        self._file.write(np.ascontiguousarray(events).view(np.uint8).data)
        self._n += events.size

    def close(self) -> None:
        """Write the number of events into the header, for which NumPy leaves room."""
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        header = {"descr": EVENT.descr, "fortran_order": False, "shape": (self._n,)}
        np.lib.format.write_array_header_1_0(self._file, header)
