"""`foxglove.RawImage` in Protocol Buffers, which Rerun and Foxglove show as a picture: its schema, written and read.

By hand, because the library that has it weighs 54 MB. Wire format: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from typing import NamedTuple

NAME = "foxglove.RawImage"
VARINT, BYTES, FIXED32 = 0, 2, 5
INT32, INT64, STRING, MESSAGE, BYTES_FIELD, FIXED = 5, 3, 9, 11, 12, 7  # types of fields in a descriptor


class RawImage(NamedTuple):
    """A picture."""

    encoding: str
    height: int
    width: int
    data: bytes | memoryview


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | VARINT) + _varint(value)


def _message(name: str, fields: list[tuple[int, str, int]], of: str = "") -> bytes:
    """A DescriptorProto; `of`: the type of fields that are messages."""
    body = _bytes(1, name.encode())
    for number, field, kind in fields:
        one = _bytes(1, field.encode()) + _number(3, number) + _number(4, 1) + _number(5, kind)
        body += _bytes(2, one + (_bytes(6, of.encode()) if kind == MESSAGE else b""))
    return body


def _file(path: str, package: str, message: bytes, needs: str = "") -> bytes:
    """A FileDescriptorProto."""
    body = _bytes(1, path.encode()) + _bytes(2, package.encode()) + (_bytes(3, needs.encode()) if needs else b"")
    return body + _bytes(4, message) + _bytes(12, b"proto3")


def schema() -> bytes:
    """The FileDescriptorSet."""
    time = "google/protobuf/timestamp.proto"
    stamp = _message("Timestamp", [(1, "seconds", INT64), (2, "nanos", INT32)])
    image = _message(
        "RawImage",
        [(1, "timestamp", MESSAGE), (7, "frame_id", STRING), (2, "width", FIXED), (3, "height", FIXED),
         (4, "encoding", STRING), (5, "step", FIXED), (6, "data", BYTES_FIELD)],
        ".google.protobuf.Timestamp",
    )  # fmt: skip
    return _bytes(1, _file(time, "google.protobuf", stamp)) + _bytes(
        1, _file("foxglove/RawImage.proto", "foxglove", image, time)
    )


def encode(image: RawImage, t_ns: int) -> bytes:
    """A picture at a time since 1970."""
    stamp = _number(1, t_ns // 10**9) + _number(2, t_ns % 10**9)
    n = len(image.data)
    head = struct.pack("<BIBI", 2 << 3 | FIXED32, image.width, 3 << 3 | FIXED32, image.height)
    step = struct.pack("<BI", 5 << 3 | FIXED32, n // image.height)
    return b"".join(
        (
            _bytes(1, stamp),
            head,
            _bytes(4, image.encoding.encode()),
            step,
            _varint(6 << 3 | BYTES),
            _varint(n),
            image.data,
        )
    )


def decode(message: memoryview) -> RawImage:
    """A picture; raises `ValueError` for what is none."""
    found: dict[int, int | memoryview] = {}
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        if tag & 7 == VARINT:
            found[tag >> 3], place = _read_varint(message, place)
        elif tag & 7 == FIXED32 and place + 4 <= len(message):
            found[tag >> 3], place = int.from_bytes(message[place : place + 4], "little"), place + 4
        elif tag & 7 == BYTES:
            n, place = _read_varint(message, place)
            if place + n > len(message):
                raise ValueError("the picture ends early")
            found[tag >> 3], place = message[place : place + n], place + n
        else:
            raise ValueError(f"no field of a picture has the tag {tag}")
    width, height, encoding, data = (found.get(field) for field in (2, 3, 4, 6))
    if not (isinstance(width, int) and isinstance(height, int)) or isinstance(encoding, int | None):
        raise ValueError("the picture has no size or encoding")
    return RawImage(bytes(encoding).decode(), height, width, memoryview(b"") if isinstance(data, int | None) else data)


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
        if byte < 0x80:
            return value, place
    raise ValueError("the picture ends early")
