"""Arrays as ROS 2's `std_msgs/msg/…MultiArray` in CDR, little-endian: schema, written and read.

A message is the number of dimensions (0), an offset (0), the number of elements, and the elements, aligned to their own size.
An array whose dtype is not the channel's has one dimension, which is labelled with its dtype.
"""

from __future__ import annotations

import functools
import struct

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "f8": "Float64", "f4": "Float32", "i1": "Int8", "i2": "Int16", "i4": "Int32", "i8": "Int64",
    "u1": "UInt8", "u2": "UInt16", "u4": "UInt32", "u8": "UInt64",
}  # fmt: skip
SCHEMA = """\
MultiArrayLayout layout
{element}[] data
================================================================================
MSG: std_msgs/MultiArrayLayout
MultiArrayDimension[] dim
uint32 data_offset
================================================================================
MSG: std_msgs/MultiArrayDimension
string label
uint32 size
uint32 stride
"""
_U4 = struct.Struct("<I")


def schema_name(code: str) -> str:
    """The name of the message that holds a dtype."""
    return f"std_msgs/msg/{NAMES[code]}MultiArray"


def schema(code: str) -> bytes:
    """Its definition."""
    return SCHEMA.format(element=NAMES[code].lower()).encode()


@functools.lru_cache(256)
def prefix(code: str, n: int, label: str = "") -> bytes:
    """What stands before `n` elements of a dtype."""
    body = _U4.pack(0)
    if label:
        text = label.encode() + b"\0"
        body = _U4.pack(1) + _U4.pack(len(text)) + text + b"\0" * (-len(text) % 4) + struct.pack("<II", n, n)
    body += struct.pack("<II", 0, n)
    size = int(code[1])
    return b"\0\1\0\0" + body + b"\0" * (-len(body) % size if n else 0)


def decode(message: memoryview, code: str) -> tuple[NDArray[np.generic], str]:
    """The elements, a view, and the label. Raises `ValueError` for what is no such message."""
    try:
        body, label, place = message[4:], "", 4
        if bytes(message[:4]) != b"\0\1\0\0":
            raise ValueError("not CDR")
        if dims := _U4.unpack_from(body)[0]:
            length = _U4.unpack_from(body, 4)[0]
            if dims != 1 or not 1 <= length <= 16:
                raise ValueError("an array has one dimension with a name at most")
            label, place = bytes(body[8 : 7 + length]).decode(), 8 + length + (-length % 4) + 8
        offset, n = struct.unpack_from("<II", body, place)
        place += 8
        place += -place % int(code[1]) if n else 0
        if offset or len(body) != place + n * int(code[1]):
            raise ValueError(f"{n} elements do not fill {len(body)} bytes")
        return np.frombuffer(body, f"<{code}", n, place), label
    except struct.error as error:
        raise ValueError(str(error)) from None
