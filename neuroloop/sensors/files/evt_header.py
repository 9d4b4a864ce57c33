"""The text at the beginning of RAW files: format, geometry, and in ours what the file holds."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import NamedTuple

from ...errors import BadInput
from .facts import Tally

VERSIONS = {"2.0": "evt2", "EVT2": "evt2", "3.0": "evt3", "EVT3": "evt3"}
MOST_HEADER = 1 << 16  # bytes
KEY = "neuroloop_events"
DIGITS = 19  # of a signed number of 64 bits: the line is as long before the file is finished as after
TEXT = string.printable.encode()
LOOK = 16  # bytes: so many that are text are a line that was damaged, no words


class Held(NamedTuple):
    """What a file says that it holds; None where it cannot be read, as in a file that nobody finished."""

    n_events: int | None
    first_us: int | None
    last_us: int | None

    def compare(self, n: int, last_us: int | None, tally: Tally) -> None:
        """Note where a file holds something else: `n` events until `last_us`."""
        if self.n_events is None:
            tally.note("the file was not finished, or the line that says how many events it holds is damaged")
        elif n < self.n_events:
            tally.note(
                f"the file ends early: it says that it holds {self.n_events} events until t = {self.last_us} µs",
                n_events=self.n_events - n,
            )
        elif n > self.n_events:
            tally.note(f"{n - self.n_events} more events than the {self.n_events} that the file says it holds")
        elif last_us != self.last_us:
            tally.note(f"times are wrong: the last one is {last_us} µs, and the file says {self.last_us} µs")


class Header(NamedTuple):
    """What the lines of text say."""

    format: str
    width: int | None
    height: int | None
    size: int  # bytes
    start_us: int  # to be added to all times, as faery writes it
    held: Held | None  # None: the file does not say it


def read_header(data: bytes, path: Path) -> Header:
    """The header of a file that begins with `data`. Raises `BadInput` where there is none, or a part of one."""
    known, start, ended = _lines(data)
    name, *pairs = known.get("format", "").split(";")
    version = name or known.get("evt", "")
    if version not in VERSIONS:
        got = repr(version[:40]) if version else "no version"
        raise BadInput(f"{path}: expected a RAW file of EVT 2.0 or EVT 3.0, got {got}")
    if not ended and all(byte in TEXT for byte in data[start : start + LOOK]):
        raise BadInput(
            f"{path}: the header of this RAW file is damaged, or the file ends within it; nothing can be read"
        )
    options = dict(pair.partition("=")[::2] for pair in pairs)
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", known.get("geometry", ""))
    width, height = size.groups() if size else (options.get("width", ""), options.get("height", ""))
    t0 = known.get("t0", "")
    start_us = int(t0) if re.fullmatch(r"\d{1,18}", t0) else 0
    held = _held(known[KEY]) if KEY in known else None
    return Header(VERSIONS[version], _pixels(width), _pixels(height), start, start_us, held)


def held_line(held: Held | None) -> bytes:
    """The line that says what a file holds, of the same length whatever that is; None: it is not finished."""
    words = ("-" * DIGITS,) * 3 if held is None else (f"{number or 0:0{DIGITS}d}" for number in held)
    return f"% {KEY} {' '.join(words)}\n".encode()


def _lines(data: bytes) -> tuple[dict[str, str], int, bool]:
    """Keys and their values, where the text ends, and whether it says so."""
    known: dict[str, str] = {}
    start = 0
    while data[start : start + 2] == b"% ":
        end = data.find(b"\n", start)
        if end < 0:
            break
        line = data[start + 2 : end].decode("latin-1").strip()
        start = end + 1
        if line == "end":
            return known, start, True
        name, _, value = line.partition(" ")
        known[name.lower()] = value.strip()
    return known, start, False


def _held(text: str) -> Held:
    match = re.fullmatch(r"(\d{19}) (\d{19}) (\d{19})", text)
    if match is None:
        return Held(None, None, None)
    n, first_us, last_us = map(int, match.groups())
    return Held(n, first_us, last_us) if n else Held(0, None, None)


def _pixels(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None
