"""Records of the ring as the loop makes them and the process that writes takes them apart; never seen outside."""

from __future__ import annotations

import functools
import struct
from enum import IntEnum, IntFlag

CODES = ("", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "b1")  # dtypes, by number
SIZE = (1 << 56) - 1  # of a part; the byte above is its dtype


class Kind(IntEnum):
    """What a record is; its first byte."""

    TICK = 1
    EPISODE = 2
    LAST = 3
    END = 4


class Flag(IntFlag):
    """Of a tick; the second byte."""

    FIRST = 1
    TERMINATED = 2
    TRUNCATED = 4
    FAILED = 8  # the plant gave no answer
    TIMED = 16
    LAST = 32  # the observation after it follows


EPISODE = struct.Struct("<BxxxIqqd")  # kind, steps, t_ns, episode, return
SHORT = struct.Struct("<B7x")


@functools.cache
def head_of(numbers: int) -> struct.Struct:
    """Kind, flags, plant steps, seq, tick, episode, t_ns, reward, answer, five times, numbers."""
    return struct.Struct(f"<BBxxIqqqqdd5q{numbers}d")


def end_of(kind: Kind) -> bytes:
    """The head of a record without one."""
    return SHORT.pack(kind)
