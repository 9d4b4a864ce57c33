"""Records of the ring as the loop makes them and the process that writes takes them apart; never seen outside."""

from __future__ import annotations

import functools
import struct

CODES = ("", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "b1")  # dtypes, by number
SIZE = (1 << 56) - 1  # of a part; the byte above is its dtype


TICK, EPISODE, LAST, END = range(1, 5)  # what a record is; its first byte
FIRST, TERMINATED, TRUNCATED, FAILED, TIMED, LAST_FOLLOWS = (1 << bit for bit in range(6))  # of a tick; the second byte
EPISODE_HEAD = struct.Struct("<BxxxIqqd")  # kind, steps, t_ns, episode, return
SHORT_HEAD = struct.Struct("<B7x")


@functools.cache
def head_of(numbers: int) -> struct.Struct:
    """The head of a tick: kind, flags, plant steps, seq, tick, episode, t_ns, reward, answer, five times, numbers."""
    return struct.Struct(f"<BBxxIqqqqdd5q{numbers}d")
