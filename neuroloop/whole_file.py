"""Files that are whole or not there: written beside their place, flushed to the disk, renamed.

A process that is killed meanwhile leaves its temporary file behind; it holds a lock on it for as long as it lives, so that
whoever comes next can tell what is abandoned, and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

BETWEEN_LOOKS = 0.01  # s, at whether another still writes


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written, which takes the place of `path` if all goes well. Raises `OSError`."""
    with beside(path) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else a power failure may undo the renaming
    except OSError:
        pass  # some file systems have no such thing
    finally:
        os.close(folder)


@contextlib.contextmanager
def beside(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the folder of `path`, gone afterwards unless it was renamed. Raises `OSError`."""
    with _temporary(path) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def sweep(path: Path, patience: float = 0.0) -> int:
    """Remove what killed processes left beside `path`, and give who still writes there `patience` s to end.

    Returns how many files were removed.
    """
    removed, until = 0, time.monotonic() + patience
    for left in path.parent.glob(f"{_prefix(path)}*"):
        with contextlib.suppress(OSError), left.open("rb") as file:  # another's, or gone meanwhile
            while not _locked(file) and time.monotonic() < until:
                time.sleep(BETWEEN_LOOKS)
            if _locked(file):
                left.unlink()
                removed += 1
    return removed


def _locked(file: IO[bytes]) -> bool:
    """Lock a file, unless another has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _temporary(path: Path) -> Any:
    file = tempfile.NamedTemporaryFile(dir=path.parent, prefix=_prefix(path), delete=False)  # noqa: SIM115
    with contextlib.suppress(OSError):  # some file systems lock nothing
        _locked(file)
    return file


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
