"""The process that writes a recording: takes records out of the ring until its owner closes it, or is gone."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable

import msgspec

from . import records
from .channels import END, Setup
from .file import File
from .ring import DONE, FAILED, Ring

IDLE = 0.005  # s between looks at an empty ring
CHUNK_NS = 1_000_000_000  # a chunk is written after so long, though it may not be full
BOOT = "import sys; sys.path[:] = {path!r}; from neuroloop.recording.process import main; main({fd})"


def command(fd: int) -> list[str]:
    """How this process is started: a new interpreter, which knows of its owner only what it is told."""
    return [sys.executable, "-P", "-c", BOOT.format(path=sys.path, fd=fd)]


def main(fd: int) -> None:
    """Write what is told first on stdin and then comes through the ring in the file `fd`. stdin is left open as long as
    the owner lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner decides when it is over
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _leave_the_front()
    owner, told = os.getppid(), sys.stdin.buffer.readline()
    if not told:
        return
    ring, setup = Ring(fd), msgspec.json.decode(told, type=Setup)
    try:
        file = File(setup)
    except OSError as error:
        ring.say(FAILED, error.errno or -1)
        print(error.strerror, flush=True)
        return
    print("", flush=True)  # ready
    try:
        end = _write(ring, file, owner)
        file.add_metadata(END, end or {"reason": "the process that recorded ended without closing the file"})
        file.close()
    except OSError as error:
        ring.say(FAILED, error.errno or -1)
        return
    ring.say(DONE)


def _write(ring: Ring, file: File, owner: int) -> dict[str, str]:
    """Write until the end; what is told of it, nothing if the owner is gone."""
    write: dict[int, Callable[[memoryview], None]] = {
        records.TICK: file.tick,
        records.EPISODE: file.episode,
        records.LAST: file.last,
    }
    waiting = select.poll()
    waiting.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    due = time.monotonic_ns() + CHUNK_NS
    gone = False
    while True:
        for record in ring.take():
            kind = record[0]
            if kind == records.END:
                return msgspec.json.decode(record[8:], type=dict[str, str])
            write[kind](record)
            ring.count += kind == records.TICK
        if gone:
            return {}
        if (now := time.monotonic_ns()) >= due:
            file.flush()
            due = now + CHUNK_NS
        gone = bool(waiting.poll(1e3 * IDLE)) or os.getppid() != owner  # then what is in the ring is taken once more


def _leave_the_front() -> None:
    """The loop's own priority is not for this."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
