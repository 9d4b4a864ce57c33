"""A Dask scheduler and its workers, as processes of their own on loopback, and small learning runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neuroloop.agent import read_config
from neuroloop.evaluation.learning_run import LearningRun

ROOT = Path(__file__).parent.parent.parent


class Dask:
    """Processes of a cluster."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._folder = folder
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        self._wait_for(lambda: self._answers(port))

    def start_worker(self, name: str, *options: str, source: Path = ROOT) -> None:
        """Start a worker that imports neuroloop from `source`, and wait until the scheduler knows it."""
        begin = ("worker", self.address, "--host", "127.0.0.1", "--name", name, "--no-nanny", "--no-dashboard")
        self.workers[name] = self._start(
            *begin, "--local-directory", str(self._folder), *(options or ("--nthreads", "1")), source=source
        )
        self._wait_for(lambda: name in self.names())

    def names(self) -> list[str]:
        """Workers that the scheduler knows."""
        from neuroloop.evaluation.cluster import _identity

        return [str(worker["name"]) for worker in _identity(self.address)["workers"].values()]

    def stop(self) -> None:
        for process in (*self.workers.values(), self.scheduler):
            process.kill()
            process.wait()

    def _start(self, *words: str, source: Path = ROOT) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words]
        return subprocess.Popen(command, env=self.environment(source), cwd=self._folder, stderr=subprocess.DEVNULL)

    @staticmethod
    def environment(source: Path = ROOT) -> dict[str, str]:
        """Variables with which a process imports neuroloop from `source`."""
        return os.environ | {"PYTHONPATH": os.pathsep.join(str(source / part) for part in ("", "envs", "agents"))}

    @staticmethod
    def _answers(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    @staticmethod
    def _wait_for(happened: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    """A scheduler without workers."""
    cluster = Dask(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def runs() -> Callable[[int, int], list[LearningRun]]:
    """Makes learning runs of CartPole, with seeds from 0."""

    def make(n: int, steps: int) -> list[LearningRun]:
        name, agent = read_config("cartpole")
        return [LearningRun(name, agent, seed, steps, stop_when_solved=False) for seed in range(n)]

    return make
