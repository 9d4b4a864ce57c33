"""Processes that end when whoever started them does, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # of Linux's prctl


def ends_with_parent() -> Callable[[], None] | None:
    """What a child does before it becomes another program, where the system can watch over its parent (Linux)."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask


class Owner:
    """The process that started this one, by its number; None: nobody whose end matters."""

    def __init__(self, pid: int | None) -> None:
        self._pid = pid

    @property
    def there(self) -> bool:
        """Whether it still runs."""
        return self._pid is None or os.getppid() == self._pid
