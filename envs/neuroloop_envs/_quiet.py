"""What Bullet's C code prints is kept away from the program's own output; what matters of it is raised as well."""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

_LIBC = ctypes.CDLL(None)
_lock = threading.Lock()


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Drop what is printed to C's stdout meanwhile: warnings of shipped models, greetings, progress."""
    with _lock:
        _flush()
        try:
            saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.close(nowhere)
        except OSError:  # a process without stdout has nothing to keep clean
            yield
            return
        try:
            yield
        finally:
            _flush()
            os.dup2(saved, 1)
            os.close(saved)


def _flush() -> None:
    """Empty Python's and C's buffers: text left there would come out on the wrong side."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):  # its reader is gone, or it is closed
            sys.stdout.flush()
    _LIBC.fflush(None)
