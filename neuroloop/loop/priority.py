"""What a process may ask for so that its ticks come in time: SCHED_FIFO, locked memory, no garbage collection."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

PRIORITY = 80  # of 1 to 99
LOCK_ALL = 3  # MCL_CURRENT | MCL_FUTURE


@contextmanager
def undisturbed(fifo: bool) -> Iterator[list[str]]:
    """Run without pauses of the garbage collector, and with `fifo` before all ordinary processes, in memory that is never
    swapped; processes that are started meanwhile are ordinary ones.

    Gives what was not permitted, in words; everything is as before afterwards.
    """
    refused: list[str] = []
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    before = _to_fifo(refused) if fifo else None
    locked = _lock(refused) if fifo else False
    try:
        yield refused
    finally:
        if before is not None:
            _back_to(*before)
        if locked:
            ctypes.CDLL(None).munlockall()
        gc.unfreeze()
        if was_on:
            gc.enable()


def _to_fifo(refused: list[str]) -> tuple[int, os.sched_param] | None:
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as error:
        refused.append(
            f"SCHED_FIFO: {error.strerror}; run as root, or allow it by `ulimit -r {PRIORITY}` (rtprio in limits.conf)"
        )
        return None
    return before


def _back_to(policy: int, priority: os.sched_param) -> None:
    try:
        os.sched_setscheduler(0, policy, priority)
    except PermissionError:  # only root may let go of what children do not inherit
        os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, priority)


def _lock(refused: list[str]) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(LOCK_ALL) == 0:
        return True
    refused.append(f"mlockall: {os.strerror(ctypes.get_errno())}; raise `ulimit -l`")
    return False
