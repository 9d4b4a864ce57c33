"""RAW files of Prophesee's cameras: lines of text that begin with %, then words of EVT2 or EVT3."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...types import EVENT
from . import evt2, evt3
from .facts import Facts, Tally
from .source import BLOCK

CODECS: dict[str, ModuleType] = {"evt2": evt2, "evt3": evt3}
VERSIONS = {"2.0": "evt2", "EVT2": "evt2", "3.0": "evt3", "EVT3": "evt3"}
MOST_HEADER = 1 << 16  # bytes
MOST_PIXELS = 2048  # a row or a column: addresses have 11 bits
MOST_FILL = 1 << 22  # words that a gap may take
READ = 1 << 20  # words at a time


class Header(NamedTuple):
    """What the lines of text say."""

    format: str
    width: int | None
    height: int | None
    size: int  # bytes
    start_us: int  # to be added to all times, as faery writes it


class EvtReader:
    """Decodes EVT2 or EVT3. Events before the first time of the file have none, and are lost."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            self._header = read_header(self._file.read(MOST_HEADER), path)
        except BaseException:
            self._file.close()
            raise
        format_, width, height, _, _ = self._header
        self._codec = CODECS[format_]
        n_bytes = os.fstat(self._file.fileno()).st_size
        self.facts = Facts(path, format_, width, height, None, None, None, n_bytes)

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Decode from the first word."""
        self._file.seek(self._header.size)
        state, events = np.zeros(8, np.int64), np.empty(BLOCK, EVENT)
        state[self._codec.of.high] = -1
        if self._codec is evt3:
            state[evt3.of.y] = -1
        size = self._codec.WORD.itemsize
        while data := self._file.read(READ * size):
            words = np.frombuffer(data, self._codec.WORD, len(data) // size)
            while words.size:
                read, found = self._codec.decode(words, state, events)
                words = words[read:]
                self._note(state, tally)
                if found:
                    events["t_us"][:found] += self._header.start_us
                    yield events[:found]
                    events = np.empty(BLOCK, EVENT)
            if len(data) % size:
                tally.note("the file ends within a word", len(data) % size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _note(self, state: NDArray[np.int64], tally: Tally) -> None:
        of = self._codec.of
        if state[of.untimed]:
            tally.note("events before the first time", n_events=int(state[of.untimed]))
        if state[of.unknown]:
            tally.note("words of no known type", int(state[of.unknown]) * self._codec.WORD.itemsize)
        state[of.untimed] = state[of.unknown] = 0


def read_header(data: bytes, path: Path) -> Header:
    """Format, geometry and length of the text at the beginning of a file. Raises `BadInput`."""
    known: dict[str, str] = {}
    start = 0
    while data[start : start + 2] == b"% ":
        end = data.find(b"\n", start)
        if end < 0:
            break
        line = data[start + 2 : end].decode("latin-1").strip()
        start = end + 1
        if line == "end":
            break
        name, _, value = line.partition(" ")
        known[name.lower()] = value.strip()
    name, *pairs = known.get("format", "").split(";")
    version = name or known.get("evt", "")
    if version not in VERSIONS:
        got = repr(version[:40]) if version else "no version"
        raise BadInput(f"{path}: expected a RAW file of EVT 2.0 or EVT 3.0, got {got}")
    options = dict(pair.partition("=")[::2] for pair in pairs)
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", known.get("geometry", ""))
    width, height = size.groups() if size else (options.get("width", ""), options.get("height", ""))
    t0 = known.get("t0", "")
    start_us = int(t0) if re.fullmatch(r"\d{1,18}", t0) else 0
    return Header(VERSIONS[version], _pixels(width), _pixels(height), start, start_us)


def _pixels(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None


class Evt3Writer:
    """Encodes EVT3."""

    name = "EVT3"

    def __init__(self, path: Path, width: int, height: int, named: Path) -> None:
        self._codec, self._path = CODECS[self.name.lower()], named
        if max(width, height) > MOST_PIXELS:
            raise BadInput(f"{named}: {self.name} holds at most {MOST_PIXELS} pixels a side, got {width} × {height}")
        self._state = np.full(8, -1, np.int64)
        self._words = np.empty(READ, self._codec.WORD)
        self._last_us = 0
        self._file = path.open("xb")
        self._file.write(
            f"% evt {self.name[-1]}.0\n% format {self.name};height={height};width={width}\n"
            f"% geometry {width}x{height}\n% end\n".encode()
        )

    def append(self, events: NDArray[Any]) -> None:
        """Encode events."""
        self._check_times(events)
        while events.size:
            done, made = self._codec.encode(events, self._state, self._words)
            self._file.write(self._words[:made].view(np.uint8).data)
            events = events[done:]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

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
