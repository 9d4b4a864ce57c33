"""A study: many runs, written down one by one, so that it can be interrupted and go on. The longest go first."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor, Future
from typing import Any

from .crew import Crew
from .journal import Journal
from .progress import Watcher
from .runs import Job, failed, run
from .workers import workers

Row = dict[str, Any]


class Study:
    """Runs jobs that a journal does not hold yet."""

    def __init__(
        self, journal: Journal, watcher: Watcher, n_jobs: int | None = None, cluster: str | None = None
    ) -> None:
        """`n_jobs` run at a time: by default one, or as many as `cluster` has workers."""
        self._journal, self._watcher = journal, watcher
        self._crew = Crew(self, functools.partial(workers, cluster=cluster), n_jobs)
        self._queue: deque[Job] = deque()
        self._n_running = 0

    def rows(self, jobs: Iterable[Job]) -> list[Row]:
        """The row of every job, in the order of `jobs`; what is missing is run. Raises `NeuroloopError` if that cannot be."""
        jobs = list(jobs)
        missing = {job.key: job for job in jobs if job.key not in self._journal.rows}
        self._queue = deque(sorted(missing.values(), key=lambda job: -job.seconds))
        self._watcher.begin(len(jobs) - len(missing), len(jobs), sum(job.seconds for job in self._queue))
        try:
            if missing:
                self._crew.run()
        finally:
            self._watcher.end()
        return [self._journal.rows[job.key] for job in jobs]

    def next(self) -> Job | None:
        """The longest run that is left."""
        if not self._queue:
            return None
        self._running(self._n_running + 1)
        return self._queue.popleft()

    def submit(self, pool: Executor, item: Job) -> Future[Row]:
        return pool.submit(run, item)

    def finished(self, item: Job, row: Row) -> None:
        """Write down what came of a run."""
        self._running(self._n_running - 1)
        self._journal.add(item.key, row)
        self._watcher.finished(f"{_name(item)}: {_summary(item, row)}", item.seconds)

    def failed(self, item: Job, error: str) -> None:
        self.finished(item, failed(item, error))

    def again(self, item: Job) -> bool:
        self.say(f"{_name(item)}: a process died while it ran; it runs again, alone")
        return True

    def say(self, text: str) -> None:
        self._watcher.say(text)

    def _running(self, n: int) -> None:
        self._n_running = n
        self._watcher.running(n)


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
