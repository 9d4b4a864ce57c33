"""What real time asks of the operating system, and gives back."""

import os
import time
from pathlib import Path

import pytest
import zmq

from neuroloop.loop.priority import CARRIERS, PRIORITY, undisturbed


def carriers() -> list[tuple[int, int]]:
    """Policy and priority of each thread of ZeroMQ."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text().startswith(CARRIERS):
            thread = int(task.name)
            found.append((os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority))
    return found


def test_the_threads_that_carry_messages_come_right_after_the_loop_and_are_as_before_afterwards() -> None:
    already = len(carriers())  # of other contexts of this process
    with zmq.Context() as context, context.socket(zmq.PUB):  # which start them
        end = time.monotonic() + 10.0
        while len(before := carriers()) < already + 2:  # they name themselves, once they run
            assert time.monotonic() < end
        with undisturbed(fifo=True) as refused:
            if any("SCHED_FIFO" in why for why in refused):
                pytest.skip(f"not permitted here: {refused}")
            assert os.sched_getparam(0).sched_priority == PRIORITY
            flags = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
            assert carriers() == [(flags, PRIORITY - 1)] * len(before)
        assert carriers() == before
        with undisturbed(fifo=False):
            assert carriers() == before
