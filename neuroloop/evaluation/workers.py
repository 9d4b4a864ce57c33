"""Where studies run: one `concurrent.futures` executor, whatever stands behind it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def workers(jobs: int, cluster: str | None = None) -> Iterator[Executor]:
    """An executor of `jobs` local processes. Work that has not begun is dropped if the block ends by an exception."""
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
