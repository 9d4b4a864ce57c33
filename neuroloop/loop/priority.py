"""What a process may ask for so that its ticks come in time: SCHED_FIFO, locked memory, no garbage collection."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIORITY = 80  # of 1 to 99
CARRIERS = "ZMQbg/"  # what the threads are called by which ZeroMQ sends and receives
LOCK_ALL = 3  # MCL_CURRENT | MCL_FUTURE


@contextmanager
def undisturbed(fifo: bool) -> Iterator[list[str]]:
    """Run without pauses of the garbage collector, and with `fifo` before all ordinary processes, in memory that is never
    swapped; processes that are started meanwhile are ordinary ones. ZeroMQ's threads, where there are any, come right after
    ours: messages reach us on a busy machine too, and a flood of them does not hold us up.

    Gives what was not permitted, in words; everything is as before afterwards.
    """
    refused: list[str] = []
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    before = _to_fifo(refused) if fifo else None
    carriers = {} if before is None else _carriers_to_fifo()
    locked = _lock(refused) if fifo else False
    try:
        yield refused
    finally:
        for thread, was in carriers.items():
            with contextlib.suppress(OSError):  # it is over
                _back_to(thread, *was)
        if before is not None:
            _back_to(0, *before)
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


def _carriers_to_fifo() -> dict[int, tuple[int, os.sched_param]]:
    """Threads that send and receive, and how they were scheduled."""
    found: dict[int, tuple[int, os.sched_param]] = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it is over
            if (task / "comm").read_text().startswith(CARRIERS):
                thread = int(task.name)
                before = os.sched_getscheduler(thread), os.sched_getparam(thread)
                os.sched_setscheduler(thread, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY - 1))
                found[thread] = before
    return found


def _back_to(thread: int, policy: int, priority: os.sched_param) -> None:
    try:
        os.sched_setscheduler(thread, policy, priority)
    except PermissionError:  # only root may let go of what children do not inherit
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, priority)


def _lock(refused: list[str]) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(LOCK_ALL) == 0:
        return True
    refused.append(f"mlockall: {os.strerror(ctypes.get_errno())}; raise `ulimit -l`")
    return False
