"""Files that are whole or not there: written beside their place, flushed to the disk, renamed.

A process that is killed meanwhile leaves its temporary file behind; it holds a lock on it for as long as it lives, so that
whoever comes next can tell what is abandoned, and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ENDING, RANDOM = ".unfinished", 8  # of temporary files: how they end, after so many characters
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
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_prefix(path), suffix=ENDING, delete=False) as file:
        try:
            _locked(file.fileno())
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`, for those who open files by their names; gone afterwards. Raises `OSError`."""
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=ENDING))
    fd = os.open(folder, os.O_RDONLY)
    try:
        _locked(fd)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(fd)


def settle(made: Path, path: Path) -> None:
    """Give a file or a folder, made on the same disk, its name. Raises `FileExistsError` if there is something of that name."""
    folder = made.is_dir()
    if folder:
        path.mkdir()
    else:
        try:
            os.link(made, path)
            return made.unlink()
        except FileExistsError:
            raise
        except OSError:  # exFAT, FAT and some networks have no links: whoever makes the file has the name
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        made.replace(path)
    except OSError:
        path.rmdir() if folder else path.unlink()
        raise


def sweep(path: Path, patience: float = 0.0) -> int:
    """Remove what killed processes left beside `path`, and give who still writes there `patience` s to end.

    Returns how many files were removed.
    """
    removed, until = 0, time.monotonic() + patience
    for left in path.parent.glob(f"{glob.escape(_prefix(path))}{'?' * RANDOM}{ENDING}"):
        with contextlib.suppress(OSError):  # another's, or gone meanwhile
            fd = os.open(left, os.O_RDONLY)
            try:
                while not _locked(fd) and time.monotonic() < until:
                    time.sleep(BETWEEN_LOOKS)
                if _locked(fd):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
                    removed += 1
            finally:
                os.close(fd)
    return removed


def _locked(fd: int) -> bool:
    """Lock a file, unless another has, or the file system locks nothing."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
