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

from .facts import Tally

MAGIC = b"#!AER-DAT4.0\r\n"
MOST_HEADER = 1 << 24  # bytes
FIELD = 6  # where a table's directory holds the place of its second field, the closing table's position


def is_finished(path: Path) -> bool:
    """Whether a file has its closing table."""
    head = _head(path)
    return 0 < closing_table(head) <= path.stat().st_size


def closing_table(head: bytes) -> int:
    """Where the closing table begins; 0 or below where there is none, or the header does not say."""
    try:
        table = len(MAGIC) + 4
        table += struct.unpack_from("<I", head, table)[0]
        directory = table - struct.unpack_from("<i", head, table)[0]
        if directory < 0 or struct.unpack_from("<H", head, directory)[0] <= FIELD:
            return 0
        place = struct.unpack_from("<H", head, directory + FIELD)[0]
        return int(struct.unpack_from("<q", head, table + place)[0]) if place else 0
    except struct.error:
        return 0


def packets(path: Path, tally: Tally) -> Iterator[int]:
    """The length of each whole packet; what follows the last one, and should not, is noted."""
    head, size = _head(path), path.stat().st_size
    closing = closing_table(head)
    end = closing if 0 < closing <= size else size
    at = len(MAGIC) + 4 + struct.unpack_from("<I", head, len(MAGIC))[0]
    with path.open("rb") as file:
        while at + 8 <= end:
            file.seek(at)
            stream, length = struct.unpack("<ii", file.read(8))
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
