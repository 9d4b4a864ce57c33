"""The records of an MCAP file one after the other, whether it has an index or not, with their checksums.

Nothing is believed before it is checked, and no more memory is taken than the file has bytes, or a chunk may have.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO, NamedTuple

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Metadata, Schema

from ..errors import RecordingError

MAGIC = b"\x89MCAP0\r\n"
MOST_CHUNK = 1 << 28  # bytes of a chunk, packed or not
MOST_FACTS = 1 << 24  # bytes of a record of facts
_HEAD, _MESSAGE = struct.Struct("<BQ"), struct.Struct("<HIQQ")
KNOWN = frozenset(Opcode)


class Damaged(RecordingError):
    """What is in the file from here on cannot be trusted."""


class Record(NamedTuple):
    """A record of the file, not read yet."""

    opcode: int
    place: int  # of its body
    size: int


class Message(NamedTuple):
    """A message of a chunk."""

    channel: int
    sequence: int
    log_ns: int
    publish_ns: int
    data: memoryview


def records(file: IO[bytes], size: int) -> Iterator[Record]:
    """Every record up to the end of the data, the file's end, or one that is cut off. Raises `Damaged`."""
    place = len(MAGIC)
    while place + _HEAD.size <= size:
        file.seek(place)
        opcode, length = _HEAD.unpack(file.read(_HEAD.size))
        if opcode not in KNOWN:
            raise Damaged(f"byte {place}: no record begins there")
        place += _HEAD.size
        if place + length > size:
            return
        yield Record(opcode, place, length)
        if opcode == Opcode.DATA_END:
            return
        place += length


def body(file: IO[bytes], record: Record, most: int) -> bytes:
    """What a record holds. Raises `Damaged` where it is larger than it may be."""
    if record.size > most:
        raise Damaged(f"byte {record.place}: a record of {record.size} bytes, more than {most}")
    file.seek(record.place)
    return file.read(record.size)


def unpacked(file: IO[bytes], record: Record) -> memoryview:
    """The records within a chunk. Raises `Damaged`."""
    raw = body(file, record, MOST_CHUNK)
    try:
        return _content(Chunk.read(ReadDataStream(BytesIO(raw))))
    except Exception as error:  # whatever the libraries say of damaged bytes
        raise Damaged(f"byte {record.place}: the chunk there is damaged: {error}") from None


def _content(chunk: Chunk) -> memoryview:
    if chunk.uncompressed_size > MOST_CHUNK:
        raise ValueError(f"it would unpack to {chunk.uncompressed_size} bytes, more than {MOST_CHUNK}")
    if chunk.compression == "zstd":
        size = zstandard.get_frame_parameters(chunk.data).content_size
        if size not in (chunk.uncompressed_size, zstandard.CONTENTSIZE_UNKNOWN):
            raise ValueError(f"it says that it has {chunk.uncompressed_size} bytes, and has {size}")
        data = zstandard.decompress(chunk.data, chunk.uncompressed_size)
    elif chunk.compression == "":
        data = chunk.data
    else:
        raise ValueError(f"it is packed by {chunk.compression[:16]!r}; only zstd is read here")
    if len(data) != chunk.uncompressed_size or zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("its checksum does not fit")
    return memoryview(data)


def within(chunk: memoryview) -> Iterator[Message | Channel | Schema]:
    """Messages, channels and schemas of a chunk. Raises `Damaged`."""
    place, end = 0, len(chunk)
    while place < end:
        if place + _HEAD.size > end:
            raise Damaged("a chunk ends within a record")
        opcode, length = _HEAD.unpack_from(chunk, place)
        place += _HEAD.size
        if length > end - place or (opcode == Opcode.MESSAGE and length < _MESSAGE.size):
            raise Damaged("a chunk ends within a record")
        if opcode == Opcode.MESSAGE:
            channel, sequence, log_ns, publish_ns = _MESSAGE.unpack_from(chunk, place)
            yield Message(channel, sequence, log_ns, publish_ns, chunk[place + _MESSAGE.size : place + length])
        elif opcode in (Opcode.CHANNEL, Opcode.SCHEMA):
            stream = ReadDataStream(BytesIO(chunk[place : place + length]))
            yield Channel.read(stream) if opcode == Opcode.CHANNEL else Schema.read(stream)
        place += length


def facts_of(file: IO[bytes], record: Record) -> tuple[str, dict[str, str]]:
    """Name and facts of a record of facts. Raises `Damaged`."""
    raw = body(file, record, MOST_FACTS)
    try:
        found = Metadata.read(ReadDataStream(BytesIO(raw)))
    except Exception as error:  # whatever a library makes of bytes that were changed
        raise Damaged(f"byte {record.place}: the facts there are damaged: {error}") from None
    return found.name, found.metadata


def attachment(file: IO[bytes], record: Record) -> Attachment:
    """An attached file. Raises `Damaged`."""
    raw = body(file, record, record.size)
    if len(raw) < 4 or zlib.crc32(memoryview(raw)[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise Damaged(f"byte {record.place}: the checksum of what is attached there does not fit")
    found: Attachment = Attachment.read(ReadDataStream(BytesIO(raw)))
    return found


def check_data(file: IO[bytes], end: Record) -> None:
    """Raise `Damaged` if the checksum of all before the end of the data does not fit."""
    (expected,) = struct.unpack("<I", body(file, end, 4).ljust(4, b"\0"))
    file.seek(0)
    left, crc = end.place - _HEAD.size, 0
    while left and (piece := file.read(min(left, 1 << 20))):
        left, crc = left - len(piece), zlib.crc32(piece, crc)
    if expected not in (0, crc):
        raise Damaged("the checksum of the whole file does not fit")
