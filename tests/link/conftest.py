"""Processes as a user starts them: `neuroloop …`, each with what it says, and none left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WAIT = 60.0  # s, at most, on a busy machine


class Process:
    """A command of neuroloop that runs."""

    def __init__(self, folder: Path, words: tuple[str, ...], within: tuple[str, ...]) -> None:
        command = [*within, sys.executable, "-m", "neuroloop", *words]
        self.log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.popen = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"}
            )

    def says(self, what: str) -> str:
        """The first line that holds `what`, once it is said."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            ended = self.popen.poll() is not None
            for line in self.log.read_text().splitlines():
                if what in line:
                    return line
            assert not ended, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"does not say {what!r}: {self.log.read_text()}")

    def send(self, which: int) -> None:
        self.popen.send_signal(which)

    def ended(self) -> tuple[int, str]:
        """Its exit code, once it ended, and all that it said."""
        return self.popen.wait(WAIT), self.log.read_text()

    def end(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        if self.popen.poll() is None:
            self.send(how)
            self.send(signal.SIGCONT)
        return self.ended()


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("serve", …, until="is served at")`: a process that ends with the test; `within` goes before the command."""
    running: list[Process] = []

    def begin(*words: Any, until: str = "", within: tuple[str, ...] = (), cwd: Path | None = None) -> Process:
        running.append(Process(cwd or tmp_path, tuple(map(str, words)), within))
        if until:
            running[-1].says(until)
        return running[-1]

    yield begin
    for process in running:
        process.end(signal.SIGKILL)
