"""Plants and controllers of the suite `link`, in processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .link_cases import PLANT

STARTING = 60.0  # s that a process may take until it is there
Process = subprocess.Popen[bytes]


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for sockets and logs, its owner's only."""
    with tempfile.TemporaryDirectory(prefix="neuroloop-bench-") as made:
        yield Path(made)


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """This process, and those that it starts meanwhile, on one core: where they run is then not up to chance."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def started(*words: object) -> Iterator[Process]:
    """A Python process `python WORDS`, killed in the end."""
    process = start(*words)
    try:
        yield process
    finally:
        end(process)


def start(*words: object) -> Process:
    """Start `python WORDS`. What it prints is nobody's: readers of a suite have figures."""
    command = [sys.executable, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process: Process) -> None:
    """Kill a process, stopped ones too."""
    process.kill()
    process.wait()


@contextlib.contextmanager
def served(endpoint: str, *options: object, **settings: object) -> Iterator[Process]:
    """The silent plant, by `neuroloop serve`."""
    arguments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with started("-m", "neuroloop", "serve", PLANT, "--bind", endpoint, *arguments, *options) as process:
        until(Path(endpoint.removeprefix("ipc://")).exists, process)
        yield process


def until(happened: Callable[[], bool], process: Process | None = None, patience: float = STARTING) -> None:
    """Wait for something. Raises `RuntimeError` if it does not happen, or a process that is needed for it ends."""
    end_at = time.monotonic() + patience
    while not happened():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{process.args!r}: ended with {process.returncode} before it was there")
        if time.monotonic() > end_at:
            raise RuntimeError(f"nothing happened for {patience:g} s")
        time.sleep(0.001)
