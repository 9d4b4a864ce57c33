"""Finds what is whole in a damaged file: where a record cannot be trusted, nor its length, the next is found by its beginning.

Chunks, facts and attachments have checksums of their own, so that nothing is found that is none.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

from mcap.opcode import Opcode

from .channels import AGAIN, END, META, START
from .checksum import checksum
from .scan import KNOWN, MAGIC, Damaged, Record, attachment, facts_of, unpacked

_HEAD = struct.Struct("<BQ")


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


BEGINNINGS = (  # a text that stands in every such record, and how many bytes of its body are before
    (Opcode.CHUNK, _text("zstd"), 28),
    (Opcode.METADATA, _text(META), 0),
    (Opcode.METADATA, _text(AGAIN), 0),
    (Opcode.METADATA, _text(END), 0),
    (Opcode.ATTACHMENT, _text(START), 16),
)
MOST_BEFORE = 64  # bytes of a body that such a text ends within


class Found(NamedTuple):
    """A chunk, facts, an attachment or the end of the data; or a part of the file that is lost."""

    record: Record | None  # None: lost
    chunk: memoryview | None = None  # unpacked
    facts: tuple[str, dict[str, str]] | None = None  # name and texts


LOST, OTHER = Found(None), Found(None)  # OTHER: a record without a checksum


def whole_parts(file: IO[bytes], size: int) -> Iterator[Found]:
    """All of a file that is whole, in its order; ends early where nothing more can be found."""
    place = trusted = len(MAGIC)  # trusted: where the last part with a checksum ends
    tried, lost = 0, 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as everything:
        while place < size:
            record = _record_at(file, place, size)
            found = None if record is None else _checked(file, record)
            if record is not None and found is not None:
                place = record.place + record.size
                if found is OTHER:
                    continue
                if not _begins(found):  # before what a file begins with, no tick was lost
                    yield from [LOST] * lost
                trusted, lost = place, 0
                yield found
                if record.opcode == Opcode.DATA_END:
                    return
                continue
            tried = max(tried, place)
            if record is not None and record.opcode != Opcode.CHUNK:
                after = record.place + record.size
                if (
                    after == size or _record_at(file, after, size) is not None
                ):  # facts that are damaged: no tick is lost
                    place = trusted = after
                    continue
            following = _next(everything, file, max(trusted, tried + 1), size)
            lost += record is not None or following is not None
            if following is None:
                break
            place = following
    yield from [LOST] * lost


def _record_at(file: IO[bytes], place: int, size: int) -> Record | None:
    """The record that seems to be there. What looks like a chunk is taken for one, whatever its first byte says."""
    file.seek(place)
    head = file.read(_HEAD.size + MOST_BEFORE)
    if len(head) < _HEAD.size:
        return None
    opcode, length = _HEAD.unpack_from(head)
    _, text, before = BEGINNINGS[0]
    if head[_HEAD.size + before :].startswith(text):
        opcode = Opcode.CHUNK
    fits = opcode in KNOWN and length <= size - place - _HEAD.size
    return Record(opcode, place + _HEAD.size, length) if fits else None


def _checked(file: IO[bytes], record: Record) -> Found | None:
    """A record whose checksum fits; None where it does not."""
    try:
        if record.opcode == Opcode.CHUNK:
            return Found(record, chunk=unpacked(file, record))
        if record.opcode == Opcode.METADATA:
            name, facts = facts_of(file, record)
            return Found(record, facts=(name, facts)) if facts.get("crc32") == str(checksum(facts)) else None
        if record.opcode == Opcode.ATTACHMENT:
            attachment(file, record)
            return Found(record)
    except Damaged:
        return None
    return Found(record) if record.opcode == Opcode.DATA_END else OTHER


def _begins(found: Found) -> bool:
    """Whether it lies before all chunks."""
    if found.facts is not None:
        return found.facts[0] in (META, AGAIN)
    return found.record is not None and found.record.opcode == Opcode.ATTACHMENT


def _next(everything: mmap.mmap, file: IO[bytes], start: int, size: int) -> int | None:
    """Where the next record that could be told by its beginning lies."""
    nearest = end = size
    for opcode, text, before in BEGINNINGS:
        at, skipped = start - 1, _HEAD.size + before
        while (at := everything.find(text, at + 1 + skipped, end) - skipped) >= start:
            record = _record_at(file, at, size)
            if record is not None and record.opcode == opcode:
                nearest = min(nearest, at)
                end = min(size, nearest + _HEAD.size + MOST_BEFORE)
                break
    return None if nearest == size else nearest
