"""A process that writes checkpoints for another one, so that the loop pays for a copy in memory and for nothing else.

Arrays travel in a piece of memory that both map, a line in a pipe says that they are there, a line back that they are
written. A scribe whose other end is killed finishes what it writes, and ends.

    memory: length of the header (8 bytes, little-endian), header (JSON), arrays
"""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import checkpoint
from .checkpoint import Checkpoint
from .errors import CheckpointError

START = "import sys; sys.path.insert(0, sys.argv[1]); from neuroloop.scribe import main; main(int(sys.argv[2]))"
SHARED = Path("/dev/shm")  # memory that is a file, where there is such a thing
ALIGNED = 64  # bytes
SPARE = 1.5  # times what is needed now, so that networks may grow
PATIENCE = 60.0  # s that the last checkpoint may take to be written


class Scribe:
    """Has checkpoints written to `path`, one after the other. The process is started with the first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._memory: mmap.mmap | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waits, self.written = False, 0
        self.failure: CheckpointError | None = None

    @property
    def busy(self) -> bool:
        """Whether a checkpoint is still being written."""
        if self._waits and self._answered(0.0):
            self._hear()
        return self._waits

    def put(self, snapshot: Callable[[], Checkpoint]) -> None:
        """Copy a checkpoint, and have it written. Not while `busy`."""
        try:
            self._fill(snapshot())
            if self._process is None:
                self._process = self._start()
            assert self._process.stdin is not None
            self._process.stdin.write(b"write\n")
            self._process.stdin.flush()
            self._waits = True
        except (OSError, TypeError, ValueError) as error:
            self._end()
            self.failure = CheckpointError(
                f"{self._path}: cannot be written: {getattr(error, 'strerror', None) or error}"
            )

    def close(self) -> None:
        """Wait for what is being written."""
        if self._waits:
            if self._answered(PATIENCE):
                self._hear()
            else:
                self.failure = CheckpointError(f"{self._path}: was not written within {PATIENCE:.0f} s")
        self._end()
        if self._memory is not None:
            self._memory.close()
        if self._file is not None:
            self._file.close()
        self._memory = self._file = None

    def _start(self) -> subprocess.Popen[bytes]:
        assert self._file is not None
        fd, root = self._file.fileno(), str(Path(__file__).parents[1])
        return subprocess.Popen(
            [sys.executable, "-c", START, root, str(fd)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[fd],
            start_new_session=True,  # a Ctrl-C at the terminal is for us
        )  # fmt: skip

    def _fill(self, snapshot: Checkpoint) -> None:
        places: list[tuple[str, str, list[int], int]] = []
        size = 0
        arrays = {name: np.asarray(array, order="C") for name, array in snapshot.arrays.items()}
        for name, array in arrays.items():
            places.append((name, array.dtype.str, list(array.shape), size))
            size += -(-array.nbytes // ALIGNED) * ALIGNED
        facts = {"path": str(self._path.absolute()), "toml": snapshot.toml, "facts": snapshot.facts, "arrays": places}
        header = json.dumps(facts, allow_nan=False).encode()
        start = _start_of_arrays(len(header))
        memory = self._room(start + size)
        memory[:8] = len(header).to_bytes(8, "little")
        memory[8 : 8 + len(header)] = header
        whole = np.frombuffer(memory, np.uint8)
        for array, (*_, offset) in zip(arrays.values(), places, strict=True):
            whole[start + offset :][: array.nbytes] = array.reshape(-1).view(np.uint8)

    def _room(self, size: int) -> mmap.mmap:
        """Memory of at least this size, which the scribe can map."""
        if self._memory is None or len(self._memory) < size:
            wanted = int(SPARE * size)
            self._memory = None if self._file is None else _mapped(self._file, wanted)
            if self._memory is None:
                self._end()  # it knows another file
                self._file, self._memory = _made(wanted)
        return self._memory

    def _answered(self, within: float) -> bool:
        """Whether the scribe's answer comes within so many s."""
        assert self._process is not None
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], within)[0])

    def _hear(self) -> None:
        """Take the scribe's answer, which is there."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._waits, line = False, self._process.stdout.readline()
        if not line:
            self.failure = CheckpointError(f"{self._path}: cannot be written: the process that writes it ended")
            self._end()
            return
        said = json.loads(line)
        self.failure = None if said is None else CheckpointError(said)
        self.written += said is None

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process, self._waits = None, False


def _mapped(file: IO[bytes], size: int) -> mmap.mmap | None:
    """A file as memory; None where there is no room for it."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # to write where there is no room would kill us
        else:
            os.ftruncate(file.fileno(), size)
        return mmap.mmap(file.fileno(), size)
    except OSError:
        return None


def _made(size: int) -> tuple[IO[bytes], mmap.mmap]:
    """A new file that is memory, or on the disk where there is not enough of that. Raises `OSError`."""
    for folder in (SHARED, None) if SHARED.is_dir() else (None,):
        file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        memory = _mapped(file, size)
        if memory is not None:
            return file, memory
        file.close()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _start_of_arrays(header: int) -> int:
    return -(-(8 + header) // ALIGNED) * ALIGNED


def _read(memory: mmap.mmap) -> tuple[Path, Checkpoint]:
    """What lies in the memory; arrays are views."""
    length = int.from_bytes(memory[:8], "little")
    header, start = json.loads(memory[8 : 8 + length]), _start_of_arrays(length)

    def view(dtype: str, shape: list[int], offset: int) -> NDArray[Any]:
        return np.ndarray(shape, dtype, memory, start + offset)

    arrays = {name: view(*place) for name, *place in header["arrays"]}
    return Path(header["path"]), Checkpoint(header["toml"], header["facts"], arrays)


def main(fd: int) -> None:
    """The scribe: writes what it is told to, until nobody is there."""
    for _ in sys.stdin.buffer:
        error: str | None = None
        memory = mmap.mmap(fd, 0)
        try:
            checkpoint.write(*_read(memory))
        except CheckpointError as refused:
            error = str(refused)
        except Exception as failed:
            error = f"cannot be written: {type(failed).__name__}: {failed}"
        try:
            print(json.dumps(error), flush=True)
        except BrokenPipeError:  # it was killed meanwhile
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush goes nowhere
            return
