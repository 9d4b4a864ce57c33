"""Absolute deadlines: tick k is due at start + k × period, however late the ticks before were.

`wait` sleeps by clock_nanosleep on CLOCK_MONOTONIC with TIMER_ABSTIME, in which no drift adds up. What happens to ticks whose
time went by while one was at work is the overrun policy's:

    skip      they are left out, and counted: the next tick is the next one that is due
    stretch   time is stretched: the grid moves, so that the next tick is due at once and none is left out
    hold      as skip, and the plant makes up for them with what it did before, for at most `MOST_HELD` of them
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from typing import Literal

from .. import arguments
from ..errors import BadInput, unknown

Policy = Literal["skip", "stretch", "hold"]
POLICIES: tuple[Policy, ...] = ("skip", "stretch", "hold")
NS = 1_000_000_000
TIMER_ABSTIME = 1
MOST_HELD = 100  # ticks that an action is held for at once; those before them are left out
LONGEST = 1e9  # s of a period or a deadline


class _Timespec(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))


class Clock:
    """Ticks of `period` s. Raises `BadInput`."""

    def __init__(self, period: float, policy: Policy = "skip") -> None:
        if policy not in POLICIES:
            raise BadInput(f"policy: {unknown('overrun policy', str(policy), POLICIES)}")
        self.period_ns = max(1, round(NS * seconds("period", period)))
        self.policy, self._due = policy, 0
        self._until = _Timespec()

    def start(self) -> None:
        """The first tick is due now."""
        self._due = time.monotonic_ns()

    @property
    def due_ns(self) -> int:
        """When the next tick is due, on CLOCK_MONOTONIC."""
        return self._due

    @property
    def tick_ns(self) -> int:
        """When the tick that `wait` returned for was due: all ticks lie on the grid, however late they begin."""
        return self._due - self.period_ns

    def wait(self) -> tuple[int, int]:
        """Sleep until the next tick is due; returns how late it begins (ns), and how many ticks were left out before it.

        Raises `KeyboardInterrupt` as `time.sleep` does.
        """
        late = time.monotonic_ns() - self._due
        left_out = 0
        if late < 0:
            self._sleep()
            late = time.monotonic_ns() - self._due
        elif late >= self.period_ns:
            if self.policy == "stretch":
                self._due += late
                late = 0
            else:
                left_out = late // self.period_ns
                self._due += left_out * self.period_ns
                late -= left_out * self.period_ns
        self._due += self.period_ns
        return late, left_out

    def _sleep(self) -> None:
        until = self._until
        until.s, until.ns = divmod(self._due, NS)
        while (code := _nanosleep(time.CLOCK_MONOTONIC, TIMER_ABSTIME, ctypes.byref(until), None)) == errno.EINTR:
            pass  # Python's own handlers run between calls
        if code:
            raise OSError(code, os.strerror(code))


def seconds(name: str, value: float) -> float:
    """A time that a plant may take. Raises `BadInput`."""
    if arguments.positive(name, value, "s") > LONGEST:
        raise BadInput(f"{name}: must be at most {LONGEST:g} s, got {value!r}")
    return float(value)


_libc = ctypes.CDLL(None, use_errno=True)
_nanosleep = _libc.clock_nanosleep
_nanosleep.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Timespec), ctypes.POINTER(_Timespec))
