"""A file that holds whole records at any time, whatever becomes of the one who writes it."""

from __future__ import annotations

import contextlib
import os


class Stream:
    """What `mcap.writer.Writer` writes to: one or more whole records at a time."""

    def __init__(self, path: str, overwrite: bool) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if overwrite else os.O_EXCL), 0o666)
        self._size = 0

    def write(self, records: bytes | memoryview) -> int:
        """Write all of it, or nothing and raise `OSError`."""
        left = memoryview(records)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            raise
        self._size += len(records)
        return len(records)

    def tell(self) -> int:
        """Bytes so far."""
        return self._size

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """Have the disk hold it."""
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
