"""Where studies run: one `concurrent.futures` executor, local processes or a Dask cluster behind it.

What is submitted must be a function of an importable module and should return what goes wrong in it as data. It computes in
one thread, so the same arguments give the same bits wherever it runs.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection

from ..errors import BadInput
from .one_thread import one_thread


@contextmanager
def workers(jobs: int, cluster: str | None = None) -> Iterator[Executor]:
    """An executor of `jobs` local processes, or of the workers of the Dask scheduler at the address `cluster`.

    If the block ends by an exception, or this process is killed, work that runs or waits is dropped: local processes end at
    once, a cluster's workers after what they are at. Raises `BadInput` for a cluster that is not there or does not fit.
    """
    if jobs < 1:
        raise BadInput(f"jobs: must be at least 1, got {jobs}")
    if cluster is None:
        with _processes(jobs) as pool:
            yield pool
    else:
        from .cluster import connect

        with connect(cluster) as remote:
            yield remote


def at_once(executor: Executor, jobs: int | None) -> int:
    """How many jobs keep an executor busy: `jobs`, or as many as a cluster has workers at this moment."""
    from .cluster import Cluster

    if not isinstance(executor, Cluster):
        return jobs or 1
    return min(jobs or executor.n_workers, executor.n_workers)


@contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    lifeline, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(lifeline,))
    try:
        yield pool
    except BaseException:
        ours.close()
        pool.shutdown(cancel_futures=True)
        raise
    else:
        pool.shutdown()
    finally:
        ours.close()
        lifeline.close()


def _begin(lifeline: Connection) -> None:
    """Prepare a local process: Ctrl-C is its parent's business, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_thread()
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of the pipe closes, which `kill -9` of its owner does too."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()  # nothing is ever sent
    os._exit(1)
