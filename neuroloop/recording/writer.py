"""The loop's end of the process that writes: starts it, hands records over, and notices what becomes of it."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from ..errors import RecordingError
from .channels import Setup
from .process import command
from .ring import DONE, FAILED, Ring, make_room

PATIENCE = 60.0  # s that the end of a run waits for the file
QUIET = 1.0  # s that it waits before it says so


class Writer:
    """A process that writes what `setup` says, and a ring of `room` bytes to it.

    `say` is told, once, what the end of a run waits for if it takes long. Raises `RecordingError`.
    """

    def __init__(self, setup: Setup, room: int, say: Callable[[str], None] | None = None) -> None:
        self._path, self.failure, self._say = setup.path, "", say
        try:
            Path(setup.path).parent.mkdir(parents=True, exist_ok=True)
            self._fd = make_room(room)
        except OSError as error:
            raise RecordingError(f"{setup.path}: cannot be written: {error.strerror}") from None
        try:
            self._ring = Ring(self._fd)
            self.process = self._started(setup)
        except BaseException:
            os.close(self._fd)
            raise

    def _started(self, setup: Setup) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command(self._fd), stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(self._fd,), process_group=0
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(setup) + b"\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        process.stdout.close()
        if answer == b"\n":
            return process
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        if self._ring.errno == errno.EEXIST:
            raise RecordingError(f"{self._path}: is there already; remove it, or name another file")
        why = os.strerror(self._ring.errno) if self._ring.state == FAILED else "the process that writes did not start"
        raise RecordingError(f"{self._path}: cannot be written: {why}")

    def put(self, record: bytes) -> bool:
        """Hand a record over; False where there is no room."""
        return self._ring.put(record)

    @property
    def written(self) -> int:
        """Ticks that were written."""
        return self._ring.count

    def look(self) -> str:
        """See whether the process still writes; why not, or nothing."""
        if not self.failure:
            if self._ring.state == FAILED:
                self.failure = os.strerror(self._ring.errno)
            elif self.process.poll() is not None and self._ring.state != DONE:
                self.failure = "the process that writes it was killed"
        return self.failure

    def insist(self, record: bytes) -> None:
        """Hand a record over, though it may take a while: the loop is over."""
        began = time.monotonic()
        while not self.look() and not self._ring.put(record):
            waited = time.monotonic() - began
            if waited > QUIET:
                self._tell_wait()
            if waited > PATIENCE:
                self.failure = "the process that writes it does not go on"
            time.sleep(0.001)

    def wait(self) -> str:
        """Wait for the process to end; returns what went wrong. A second call does nothing."""
        if self._fd < 0:
            return self.failure
        try:
            if not self.look():
                try:
                    self.process.wait(QUIET)
                except subprocess.TimeoutExpired:
                    self._tell_wait()
                    self.process.wait(PATIENCE - QUIET)
                self.look()
        except subprocess.TimeoutExpired:
            self.failure = "the process that writes it did not end"
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdin is not None:
                self.process.stdin.close()
            os.close(self._fd)
            self._fd = -1
        return self.failure

    def _tell_wait(self) -> None:
        say, self._say = self._say, None
        if say is not None:
            say(
                f"recording {self._path}: waits up to {PATIENCE:.0f} s until all is written, by process {self.process.pid}"
            )
