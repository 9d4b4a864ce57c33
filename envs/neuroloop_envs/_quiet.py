"""What Bullet's C code prints is kept away from the program's own output; what matters of it is raised as well."""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

_LIBC = ctypes.CDLL(None)
_lock = threading.RLock()


@contextlib.contextmanager
def hushed(*descriptors: int) -> Iterator[None]:
    """Drop what is printed to file descriptors, 1 being stdout and 2 stderr, meanwhile: by all threads, so be short."""
    with _lock:
        _flush()
        saved: list[tuple[int, int]] = []
        with contextlib.suppress(OSError):  # a process without stdout has nothing to keep clean
            for descriptor in descriptors:
                saved.append((descriptor, os.dup(descriptor)))
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
        try:
            yield
        finally:
            _flush()
            for descriptor, copy in saved:
                os.dup2(copy, descriptor)
                os.close(copy)


def _flush() -> None:
    """Empty Python's and C's buffers: text left there would come out on the wrong side."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):  # its reader is gone, or it is closed
                stream.flush()
    _LIBC.fflush(None)
