"""A ring of records in shared memory: one process puts them in, another takes them out, and neither waits for the other.

The first page holds int64 numbers: how many bytes were put in and taken out in all, and what became of the one who takes
out. A record is its size as int64, then its bytes, filled up to a multiple of 8; a size of −1 says that the next one is at the
beginning of the room.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from collections.abc import Iterator

PAGE = 4096
PUT, TAKEN, STATE, ERRNO, COUNT = 0, 8, 16, 17, 18  # places of numbers in the first page, on cache lines of their own
OPEN, FAILED, DONE = range(3)  # states of the one who takes out
TURN = -1  # instead of a size


def make_room(size: int) -> int:
    """A file in memory for a ring of `size` bytes, a power of 2; returns its descriptor."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("neuroloop-recording")
    else:
        file, name = tempfile.mkstemp()
        os.unlink(name)
        fd = file
    os.truncate(fd, PAGE + size)
    return fd


class Ring:
    """One end of the ring in the file `fd`."""

    def __init__(self, fd: int) -> None:
        self.size = os.fstat(fd).st_size - PAGE
        # all of it is made at once: a page that is first touched in the loop would cost more than the record
        self._map = mmap.mmap(fd, PAGE + self.size, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
        everything = memoryview(self._map)
        self._numbers, self._room = everything[:PAGE].cast("q"), everything[PAGE:]
        self._sizes = self._room.cast("q")
        self._fence = threading.Lock()  # taking and leaving it orders writes as others see them, on every processor
        self._put = self._taken = 0

    def put(self, record: bytes) -> bool:
        """Put a record in; False if there is no room for it."""
        n = len(record)
        length, place = 8 + (n + 7 & ~7), self._put & self.size - 1
        skipped = self.size - place if place + length > self.size else 0
        end = self._put + skipped + length
        if end - self._taken > self.size:
            self._taken = self._numbers[TAKEN]
            if end - self._taken > self.size:
                return False
        with self._fence:
            if skipped:
                self._sizes[place >> 3] = TURN
                place = 0
            self._sizes[place >> 3] = n
            self._room[place + 8 : place + 8 + n] = record
        with self._fence:
            self._put = self._numbers[PUT] = end
        return True

    def take(self) -> Iterator[memoryview]:
        """Take out what is there. A record is valid until the next one is asked for."""
        with self._fence:
            end = self._numbers[PUT]
        while self._taken < end:
            place = self._taken & self.size - 1
            n = self._sizes[place >> 3]
            if n == TURN:
                self._taken += self.size - place
                continue
            yield self._room[place + 8 : place + 8 + n]
            with self._fence:
                self._taken += 8 + (n + 7 & ~7)
                self._numbers[TAKEN] = self._taken

    @property
    def state(self) -> int:
        """What became of the one who takes out."""
        return self._numbers[STATE]

    @property
    def errno(self) -> int:
        """Why it failed."""
        return self._numbers[ERRNO]

    @property
    def count(self) -> int:
        """Ticks that the one who takes out has written."""
        return self._numbers[COUNT]

    @count.setter
    def count(self, ticks: int) -> None:
        self._numbers[COUNT] = ticks

    def say(self, state: int, errno: int = 0) -> None:
        """Tell the one who puts in."""
        self._numbers[ERRNO] = errno
        self._numbers[STATE] = state
