"""Runs through one executor, whatever becomes of its processes.

A run is handed over only when a process is free for it: then a process that dies takes down known runs only. Each of these
is run once more by itself; one that dies again failed.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from ..errors import NeuroloopError
from .workers import at_once

Row = dict[str, Any]
Item = TypeVar("Item")
Pools = Callable[[int], AbstractContextManager[Executor]]  # opens an executor of so many processes
POLL = 0.25  # s between looks at whether to stop, and at whether a cluster grew
DIED = "its process died twice, the second time running nothing else: out of memory, or the environment crashed"


class Source(Protocol[Item]):
    """Hands out runs, and is told what came of each."""

    def next(self) -> Item | None:
        """The next run; None if there is none, or none before another one ended."""

    def submit(self, pool: Executor, item: Item) -> Future[Row]:
        """Hand a run over."""

    def finished(self, item: Item, row: Row) -> None:
        """A run ended."""

    def failed(self, item: Item, error: str) -> None:
        """A run left nothing but its error."""

    def again(self, item: Item) -> bool:
        """A process died while this ran: whether it is still wanted."""

    def say(self, text: str) -> None:
        """Something that is worth a line."""


class Stopped(Exception):
    """Leaves an executor without waiting for what runs."""


class Crew(Generic[Item]):
    """Does what a source hands out."""

    def __init__(
        self,
        source: Source[Item],
        pools: Pools,
        n_jobs: int | None = None,
        keep_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """`n_jobs` run at a time: by default one, or as many as a cluster has workers. `keep_on` says whether to go on."""
        self._source, self._pools, self._n_jobs, self._keep_on = source, pools, n_jobs, keep_on
        self._back: deque[Item] = deque()  # what a broken pool did not take
        self._handed, self._waiting = 0, False

    def run(self) -> bool:
        """Run until the source has nothing more; False if told to stop. Raises `NeuroloopError` if that cannot be."""
        try:
            while self._round() or self._back:
                pass
        except Stopped:
            return False
        except CancelledError:
            raise NeuroloopError("the cluster's scheduler is gone; the same command goes on") from None
        return True

    def _round(self) -> bool:
        """Run as much as one pool stands, then each suspect alone; returns whether there were any."""
        before = self._handed
        suspects = self._work(self._next, self._n_jobs)
        for item in suspects:
            if self._source.again(item) and self._work(partial(next, iter([item]), None), 1):
                self._source.failed(item, DIED)
        if self._back and self._handed == before:
            raise NeuroloopError("processes for runs die before they begin; is there memory for them?")
        return bool(suspects)

    def _next(self) -> Item | None:
        return self._back.popleft() if self._back else self._source.next()

    def _work(self, take: Callable[[], Item | None], n_jobs: int | None) -> list[Item]:
        """Run what there is to take; returns early with the runs that were under way when a process died."""
        running: dict[Future[Row], Item] = {}
        with self._pools(n_jobs or 1) as pool:
            while self._keep_on():
                room = self._room(pool, n_jobs)
                alive = self._hand_over(take, running, pool, room)
                if not running and room:
                    return []
                if not running:
                    time.sleep(POLL)  # a cluster whose workers are gone; others may come
                done = wait(running, POLL, FIRST_COMPLETED).done
                died = [item for future in done if not self._take(future, item := running.pop(future))]
                if died or not alive:  # the pool is broken: all that ran ended with it
                    wait(running)
                    return died + [item for future, item in running.items() if not self._take(future, item)]
            raise Stopped

    def _room(self, pool: Executor, n_jobs: int | None) -> int:
        """How many runs an executor takes; says when that changes from or to none."""
        room = at_once(pool, n_jobs)
        if self._waiting != (room == 0):
            self._waiting = room == 0
            self._source.say("no worker is left: waiting for one" if self._waiting else "a worker is there again")
        return room

    def _hand_over(
        self, take: Callable[[], Item | None], running: dict[Future[Row], Item], pool: Executor, room: int
    ) -> bool:
        """Submit while there is room; returns whether the pool still takes work."""
        while len(running) < room and (item := take()) is not None:
            try:
                with _children_deaf_to_ctrl_c():
                    running[self._source.submit(pool, item)] = item
            except BrokenExecutor:
                self._back.append(item)
                return False
            self._handed += 1
        return True

    def _take(self, future: Future[Row], item: Item) -> bool:
        """Pass on what came of a run; False if its process died. Raises what a cluster says for all runs."""
        try:
            row = future.result()
        except BrokenExecutor:
            return False
        except (CancelledError, NeuroloopError):
            raise
        except Exception as error:
            self._source.failed(item, f"{type(error).__name__}: {error}")
        else:
            self._source.finished(item, row)
        return True


@contextmanager
def _children_deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that start here inherit a blocked SIGINT: a terminal sends Ctrl-C to all of them, but only we answer it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
