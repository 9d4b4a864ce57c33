"""Writing event files: under a temporary name, until the file is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from ... import arguments
from ...errors import BadInput
from .check import ANY, checked
from .formats import format_of
from .source import Target


class EventWriter:
    """Writes events as they come; the file gets its name from `close`, once it is whole and on the disk.

    The format follows from the ending of `path`: .npy, .h5, .aedat4, or .raw, which is EVT3 unless `encoding` is "evt2".
    As a context manager that an error leaves, it leaves no file. Raises `BadInput` where nothing can be written, and for
    events that are outside `width` × `height` or not in order of time; `MissingExtra` where the format needs one.
    """

    def __init__(self, path: str | Path, width: int, height: int, *, encoding: str | None = None) -> None:
        self.path = Path(path)
        self.width, self.height = _pixels("width", width), _pixels("height", height)
        self.n_events = 0
        self._last_us: int | None = None
        self._target: Target | None = None
        self._unfinished = self.path.with_name(f".{self.path.stem}.{secrets.token_hex(4)}{self.path.suffix}")
        make = format_of(self.path, encoding).write
        if self.path.exists() and not self.path.is_file():
            raise BadInput(f"{self.path}: cannot be written: is not a file")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._target = make(self._unfinished, self.width, self.height, self.path)
        except OSError as error:
            self.discard()
            raise self._unwritable(error) from None
        except BaseException:
            self.discard()
            raise

    def append(self, events: NDArray[Any]) -> None:
        """Write events that come after those before; ties in time keep their order."""
        if self._target is None:
            raise BadInput(f"{self.path}: the writer is closed")
        events = checked(events, self._last_us, self.width, self.height, str(self.path))
        if not events.size:
            return
        try:
            self._target.append(events)
        except OSError as error:
            self.discard()
            raise self._unwritable(error) from None
        self._last_us = int(events["t_us"][-1])
        self.n_events += events.size

    def close(self) -> None:
        """Finish the file. A second call does nothing."""
        target, self._target = self._target, None
        if target is None:
            return
        try:
            target.close()
            with self._unfinished.open("rb") as file:
                os.fsync(file.fileno())
            self._unfinished.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from None
        finally:
            self._unfinished.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave no file, unless it is finished."""
        target, self._target = self._target, None
        with contextlib.suppress(OSError):
            if target is not None:
                target.close()
        with contextlib.suppress(OSError):
            self._unfinished.unlink(missing_ok=True)

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _unwritable(self, error: OSError) -> BadInput:
        return BadInput(f"{self.path}: cannot be written: {error.strerror or error}")


def write_events(
    path: str | Path, events: NDArray[Any], width: int, height: int, *, encoding: str | None = None
) -> Path:
    """Write a whole recording; a file of that name is either the one before or whole. See `EventWriter`."""
    with EventWriter(path, width, height, encoding=encoding) as writer:
        writer.append(events)
    return writer.path


def _pixels(name: str, value: Any) -> int:
    number = arguments.whole(name, value, 1)
    if number > ANY:
        raise BadInput(f"{name}: must be at most {ANY} pixels, got {number}")
    return number
