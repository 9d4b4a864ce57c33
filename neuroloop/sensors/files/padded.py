"""A truncated HDF5 file as one of its full length, with zeros at its end: the HDF5 library opens nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

END_AT = {0: 40, 1: 44, 2: 28, 3: 28}  # where the superblock of each version holds the file's length
MOST = 1 << 50  # bytes that a file can claim


class Padded(io.RawIOBase):
    """A read-only file; `n_missing` bytes were added."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self._file = path, path.open("rb")
        head = self._file.read(64)
        self.n_bytes = self._file.seek(0, io.SEEK_END)
        at = END_AT.get(head[8] if len(head) > 8 else 0, 40)
        self._end = max(self.n_bytes, int.from_bytes(head[at : at + 8], "little"))
        if self._end > MOST:
            self._end = self.n_bytes
        self.n_missing = self._end - self.n_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        n = max(min(len(buffer), self._end - self._at), 0)
        self._file.seek(self._at)
        data = self._file.read(n)
        buffer[: len(data)] = data
        buffer[len(data) : n] = bytes(n - len(data))
        self._at += n
        return n

    def close(self) -> None:
        self._file.close()
        super().close()
