"""A study: many runs through one executor, written down one by one, so that it can be interrupted and go on.

The longest runs go first, and a run is handed over only when a process is free for it: then a process that dies takes
down known runs only. Each of these is run once more by itself; one that dies again failed.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from typing import Any

from ..errors import NeuroloopError
from .journal import Journal
from .progress import Watcher
from .runs import Job, failed, run
from .workers import at_once, workers

Row = dict[str, Any]
POLL = 0.5  # s between looks at whether a cluster grew
DIED = "its process died twice, the second time running nothing else: out of memory, or the environment crashed"


class Study:
    """Runs jobs that a journal does not hold yet."""

    def __init__(
        self, journal: Journal, watcher: Watcher, n_jobs: int | None = None, cluster: str | None = None
    ) -> None:
        """`n_jobs` run at a time: by default one, or as many as `cluster` has workers."""
        self._journal, self._watcher = journal, watcher
        self._n_jobs, self._cluster = n_jobs, cluster

    def rows(self, jobs: Iterable[Job]) -> list[Row]:
        """The row of every job, in the order of `jobs`; what is missing is run. Raises `NeuroloopError` if that cannot be."""
        jobs = list(jobs)
        missing = {job.key: job for job in jobs if job.key not in self._journal.rows}
        queue = deque(sorted(missing.values(), key=lambda job: -job.seconds))
        self._watcher.begin(len(jobs) - len(queue), len(jobs), sum(job.seconds for job in queue))
        try:
            while queue:
                self._empty(queue)
        except CancelledError:
            raise NeuroloopError("the cluster's scheduler is gone; the same command goes on") from None
        finally:
            self._watcher.end()
        return [self._journal.rows[job.key] for job in jobs]

    def _empty(self, queue: deque[Job]) -> None:
        """Run what is queued, or as much as one pool stands; suspects run once more, each alone."""
        before = len(queue)
        suspects = self._work(queue, self._n_jobs)
        for job in suspects:
            self._watcher.say(f"{_name(job)}: a process died while it ran; it runs again, alone")
            if self._work(deque([job]), 1):
                self._finish(job, failed(job, DIED))
        if len(queue) == before:
            raise NeuroloopError("processes for runs die before they begin; is there memory for them?")

    def _work(self, queue: deque[Job], n_jobs: int | None) -> list[Job]:
        """Run what is queued; returns early with the jobs that ran when a process died."""
        running: dict[Future[Row], Job] = {}
        with workers(min(n_jobs or 1, len(queue)), self._cluster) as pool:
            while queue or running:
                alive = self._hand_over(queue, running, pool, at_once(pool, n_jobs))
                self._watcher.running(len(running))
                if not running:
                    time.sleep(POLL)  # a cluster whose workers are gone; others may come
                done, _ = wait(running, POLL if alive else None, FIRST_COMPLETED if alive else ALL_COMPLETED)
                died = [job for future in done if not self._take(future, job := running.pop(future))]
                if died or not alive:  # the pool is broken: all that ran ended with it
                    wait(running)
                    return died + [job for future, job in running.items() if not self._take(future, job)]
        return []

    def _hand_over(self, queue: deque[Job], running: dict[Future[Row], Job], pool: Executor, room: int) -> bool:
        """Submit while there is room; returns whether the pool still takes work."""
        while queue and len(running) < room:
            try:
                with _children_deaf_to_ctrl_c():
                    running[pool.submit(run, queue[0])] = queue[0]
            except BrokenExecutor:
                return False
            queue.popleft()
        return True

    def _take(self, future: Future[Row], job: Job) -> bool:
        """Write down what came of a run; False if its process died."""
        row = _row(future, job)
        if row is not None:
            self._finish(job, row)
        return row is not None

    def _finish(self, job: Job, row: Row) -> None:
        self._journal.add(job.key, row)
        self._watcher.finished(f"{_name(job)}: {_summary(job, row)}", job.seconds)


def _row(future: Future[Row], job: Job) -> Row | None:
    """What came of a run; None if its process died. Raises what a cluster says for all runs."""
    try:
        return future.result()
    except BrokenExecutor:
        return None
    except (CancelledError, NeuroloopError):
        raise
    except Exception as error:
        return failed(job, f"{type(error).__name__}: {error}")


@contextmanager
def _children_deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that start here inherit a blocked SIGINT: a terminal sends Ctrl-C to all of them, but only we answer it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _name(job: Job) -> str:
    return f"{job.task} {job.agent} seed {job.seed}"


def _summary(job: Job, row: Row) -> str:
    if row["error"] is not None:
        return f"FAILED: {row['error']}"
    if job.episodes is not None:
        return f"mean {row['final_mean']:.5g} of {job.episodes} episodes"
    at = "not solved" if row["solved_at_step"] is None else f"solved at {row['solved_at_step']}"
    held = "" if row["held_worst"] is None else f", {row['held_worst']:.5g} at worst afterwards"
    final = "" if row["final_mean"] is None else f", mean {row['final_mean']:.5g}"
    return f"{at}{final}{held}, {row['us_per_step']:.1f} µs a step"
