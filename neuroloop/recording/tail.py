"""How a recording ended, found through the index at the end of the file."""

from __future__ import annotations

import struct
import zlib
from typing import IO

from mcap.opcode import Opcode

from .channels import END, FORMAT
from .checksum import checksum
from .scan import MAGIC, MOST_CHUNK, Damaged, Record, facts_of

_FOOTER = struct.Struct("<BQQQI")  # opcode, length, where the index begins, where its offsets do, checksum
_HEAD = struct.Struct("<BQ")
_INDEX = struct.Struct("<QQI")  # offset and length of a record of facts, length of its name


def end_of(file: IO[bytes], size: int) -> dict[str, str]:
    """What was said at the end of a recording; nothing where the file was cut off, or its end is damaged."""
    try:
        return _end_of(file, size)
    except (Damaged, struct.error):
        return {}


def summary_of(file: IO[bytes], size: int) -> bytes:
    """The index at the end, with what channels there are; nothing where there is none, or it is damaged."""
    tail = _FOOTER.size + len(MAGIC)
    if size < tail + len(MAGIC):
        return b""
    file.seek(size - tail)
    footer = file.read(tail)
    opcode, length, start, _, crc = _FOOTER.unpack_from(footer)
    if (opcode, length) != (Opcode.FOOTER, 20) or footer[_FOOTER.size :] != MAGIC:
        return b""
    if not 0 < start <= size - tail or size - tail - start > MOST_CHUNK:
        return b""
    file.seek(start)
    summary = file.read(size - tail - start)
    return summary if zlib.crc32(footer[: _FOOTER.size - 4], zlib.crc32(summary)) == crc else b""


def _end_of(file: IO[bytes], size: int) -> dict[str, str]:
    summary, place = summary_of(file, size), 0
    while place < len(summary):
        opcode, length = _HEAD.unpack_from(summary, place)
        place += _HEAD.size
        if opcode == Opcode.METADATA_INDEX:
            offset, whole, n = _INDEX.unpack_from(summary, place)
            if summary[place + _INDEX.size :][:n] == END.encode() and _HEAD.size <= whole <= size - offset:
                return _facts(file, Record(Opcode.METADATA, offset + _HEAD.size, whole - _HEAD.size))
        place += length
    return {}


def _facts(file: IO[bytes], record: Record) -> dict[str, str]:
    name, facts = facts_of(file, record)
    fits = name == END and facts.get("format") == FORMAT and facts.get("crc32") == str(checksum(facts))
    return facts if fits else {}
