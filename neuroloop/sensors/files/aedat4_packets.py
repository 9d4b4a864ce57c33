"""Where the packets of an AEDAT 4.0 file begin and end, so that what is damaged can be passed over and counted.

A file is a line of text, a header (its length and a FlatBuffers table of compression, place of the closing table, and
description), packets (number of the stream, length, and so many bytes), and the closing table, which a recorder that died
did not write.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ...errors import BadInput
from .facts import Tally

MAGIC = b"#!AER-DAT4.0\r\n"
MOST_HEADER = 1 << 24  # bytes
CLOSING, DESCRIPTION = 6, 8  # where a table's directory holds the places of its second and third field


def is_finished(path: Path) -> bool:
    """Whether a file has its closing table."""
    return 0 < _closing_table(_head(path)) <= path.stat().st_size


def check_header(path: Path) -> None:
    """Raise `BadInput` for a damaged header: the library that reads it ends the process at some of them."""
    head = _head(path)
    try:
        at = _place(head, DESCRIPTION)
        at += struct.unpack_from("<I", head, at)[0]
        length = struct.unpack_from("<I", head, at)[0]
        description = head[at + 4 : at + 4 + length].decode()
        if not at or len(description.encode()) < length:
            raise ValueError("it ends early")
        streams = ElementTree.fromstring(description.rstrip("\0"))
        if streams.find("node[@name='outInfo']") is None:
            raise ValueError("it describes no streams")
    except (struct.error, ValueError, ElementTree.ParseError) as error:
        raise BadInput(f"{path}: the header of this AEDAT4 file is damaged: {error}") from None


def _closing_table(head: bytes) -> int:
    """Where the closing table begins; 0 or below where there is none, or the header does not say."""
    try:
        place = _place(head, CLOSING)
        return int(struct.unpack_from("<q", head, place)[0]) if place else 0
    except (struct.error, ValueError):
        return 0


def _place(head: bytes, field: int) -> int:
    """Where a field of the header's table lies; 0 where it is absent."""
    start = len(MAGIC) + 4
    table: int = start + struct.unpack_from("<I", head, start)[0]
    directory: int = table - struct.unpack_from("<i", head, table)[0]
    if directory < start:
        raise ValueError("its table points outside")
    if struct.unpack_from("<H", head, directory)[0] <= field:
        return 0
    place: int = struct.unpack_from("<H", head, directory + field)[0]
    return table + place if place else 0


def packets(path: Path, tally: Tally) -> Iterator[int]:
    """The length of each whole packet; what follows the last one, and should not, is noted."""
    head, size = _head(path), path.stat().st_size
    closing = _closing_table(head)
    end = closing if 0 < closing <= size else size
    at = len(MAGIC) + 4 + struct.unpack_from("<I", head, len(MAGIC))[0]
    with path.open("rb") as file:
        while at + 8 <= end:
            file.seek(at)
            _, length = struct.unpack("<ii", file.read(8))
            if length < 0 or at + 8 + length > end:
                break
            at += 8 + length
            yield 8 + length
    if at < end:
        tally.note("the file ends within a packet, or the length of one is damaged", end - at)
    elif closing > size:
        tally.note(f"the file ends {closing - size} bytes early")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(len(MAGIC) + 4)
        if len(start) < len(MAGIC) + 4:
            return start + bytes(len(MAGIC) + 4 - len(start))
        length = struct.unpack_from("<I", start, len(MAGIC))[0]
        return start + file.read(min(length, MOST_HEADER, os.fstat(file.fileno()).st_size))
