"""Keeps a process that runs jobs to one thread."""

from __future__ import annotations

import os
import sys

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_thread() -> None:
    """Let numerical libraries that are loaded from now on use one thread: processes share the cores, not threads."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if "numba" in sys.modules:  # too late for its variable
        os.environ.pop("NUMBA_NUM_THREADS")
        sys.modules["numba"].set_num_threads(1)
