"""RAW files of Prophesee's cameras: lines of text that begin with %, then words of EVT2 or EVT3.

The format does not say how long a file is. Ours say it in a line that others skip: `% neuroloop_events N FIRST LAST`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...types import EVENT
from . import evt2, evt3
from .evt_header import MOST_HEADER, Held, held_line, read_header
from .facts import Facts, Tally
from .source import BLOCK

CODECS: dict[str, ModuleType] = {"evt2": evt2, "evt3": evt3}
MOST_PIXELS = 2048  # a row or a column: addresses have 11 bits
MOST_FILL = 1 << 22  # words that a gap may take
READ = 1 << 20  # words at a time


class EvtReader:
    """Decodes EVT2 or EVT3. Events before the first time of the file have none, and are lost."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            self._header = read_header(self._file.read(MOST_HEADER), path)
        except BaseException:
            self._file.close()
            raise
        header, held = self._header, self._header.held or Held(None, None, None)
        self._codec = CODECS[header.format]
        n_bytes = os.fstat(self._file.fileno()).st_size
        self.facts = Facts(path, header.format, header.width, header.height, *held, n_bytes)

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Decode from the first word."""
        self._file.seek(self._header.size)
        state, events = np.zeros(8, np.int64), np.empty(BLOCK, EVENT)
        state[self._codec.of.high] = -1
        if self._codec is evt3:
            state[evt3.of.y] = -1
        size, n, last_us = self._codec.WORD.itemsize, 0, None
        while data := self._file.read(READ * size):
            words = np.frombuffer(data, self._codec.WORD, len(data) // size)
            while words.size:
                read, found = self._codec.decode(words, state, events)
                words = words[read:]
                n += found + self._note(state, tally)
                if found:
                    events["t_us"][:found] += self._header.start_us
                    last_us = int(events["t_us"][found - 1])
                    yield events[:found]
                    events = np.empty(BLOCK, EVENT)
            if len(data) % size:
                tally.note("the file ends within a word", len(data) % size)
        if self._header.held is not None:
            self._header.held.compare(n, last_us, tally)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _note(self, state: NDArray[np.int64], tally: Tally) -> int:
        """Note what was lost; returns how many events had no time."""
        of = self._codec.of
        untimed = int(state[of.untimed])
        if untimed:
            tally.note("events before the first time", n_events=untimed)
        if state[of.unknown]:
            tally.note("words of no known type", int(state[of.unknown]) * self._codec.WORD.itemsize)
        state[of.untimed] = state[of.unknown] = 0
        return untimed


class Evt3Writer:
    """Encodes EVT3."""

    name = "EVT3"

    def __init__(self, path: Path, width: int, height: int, named: Path) -> None:
        self._codec, self._path = CODECS[self.name.lower()], named
        if max(width, height) > MOST_PIXELS:
            raise BadInput(f"{named}: {self.name} holds at most {MOST_PIXELS} pixels a side, got {width} × {height}")
        self._state = np.full(8, -1, np.int64)
        self._words = np.empty(READ, self._codec.WORD)
        self._n_events, self._first_us, self._last_us = 0, 0, 0
        self._file = path.open("xb")
        self._file.write(f"% evt {self.name[-1]}.0\n% format {self.name};height={height};width={width}\n".encode())
        self._file.write(f"% geometry {width}x{height}\n".encode())
        self._place = self._file.tell()
        self._file.write(held_line(None) + b"% end\n")

    def append(self, events: NDArray[Any]) -> None:
        """Encode events."""
        self._check_times(events)
        if events.size and not self._n_events:
            self._first_us = int(events["t_us"][0])
        self._n_events += events.size
        while events.size:
            done, made = self._codec.encode(events, self._state, self._words)
            self._file.write(self._words[:made].view(np.uint8).data)
            events = events[done:]

    def close(self) -> None:
        """Say in the header what the file holds, and close it."""
        with self._file:
            self._file.seek(self._place)
            self._file.write(held_line(Held(self._n_events, self._first_us, self._last_us)))

    def _check_times(self, events: NDArray[Any]) -> None:
        if not events.size:
            return
        times = events["t_us"]
        if times[0] < 0:
            raise BadInput(f"{self._path}: {self.name} holds no times below 0, got {times[0]} µs")
        longest = MOST_FILL * self._codec.STEP << self._codec.LOW_BITS
        gap = int(np.diff(times, prepend=self._last_us).max())
        if gap > longest:
            raise BadInput(
                f"{self._path}: {self.name} begins at 0 µs and counts through every gap; the longest that can be written "
                f"is {longest} µs, got {gap}; subtract the time of the first event, or write .npy or .h5"
            )
        self._last_us = int(times[-1])


class Evt2Writer(Evt3Writer):
    """Encodes EVT2."""

    name = "EVT2"
