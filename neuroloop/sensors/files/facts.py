"""What is known of an event file, and of what could not be read in it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Facts(NamedTuple):
    """An event file at a glance; None where the file does not say it, and only reading it all would tell."""

    path: Path
    format: str
    width: int | None  # pixels
    height: int | None
    n_events: int | None
    first_us: int | None
    last_us: int | None
    n_bytes: int  # of the whole file


class Loss(NamedTuple):
    """What a pass over a file could not read."""

    n_bytes: int  # that hold nothing readable
    n_events: int  # that are known to be missing; those in unreadable bytes are counted only where the format tells
    from_us: int | None  # the last readable time before the first loss; None: nothing was read before it
    until_us: int | None  # a readable time after the last loss; None: nothing follows. Exact to within a block
    why: tuple[str, ...]

    def __str__(self) -> str:
        before = "the beginning" if self.from_us is None else f"t = {self.from_us} µs"
        after = "the end" if self.until_us is None else f"t = {self.until_us} µs"
        what = f"{self.n_bytes} bytes and {self.n_events} known events lost between {before} and {after}"
        return f"{what}: {'; '.join(self.why)}"


class LostEvents(UserWarning):
    """Parts of an event file could not be read; `loss` says which."""

    def __init__(self, path: Path, loss: Loss) -> None:
        super().__init__(f"{path}: {loss}")
        self.loss = loss


class Window(NamedTuple):
    """The events of [start_us, start_us + period)."""

    start_us: int
    events: NDArray[np.void]  # dtype EVENT


class Tally:
    """Losses of one pass, noted by whoever finds them."""

    def __init__(self) -> None:
        self.n_notes = 0
        self._n_bytes = self._n_events = self._seen = 0
        self._from_us: int | None = None
        self._until_us: int | None = None
        self._last_us: int | None = None
        self._why: dict[str, int] = {}

    def note(self, why: str, n_bytes: int = 0, n_events: int = 0) -> None:
        """Something was lost where the reading stands."""
        self.n_notes += 1
        self._n_bytes, self._n_events = self._n_bytes + n_bytes, self._n_events + n_events
        self._why[why] = self._why.get(why, 0) + 1

    def saw(self, last_us: int) -> None:
        """Readable events up to this time came next."""
        if self.n_notes > self._seen:
            self._mark(last_us)
        self._last_us = last_us

    def loss(self) -> Loss | None:
        """What was lost in all, once the pass is over."""
        if self.n_notes > self._seen:
            self._mark(None)
        if not self.n_notes:
            return None
        why = tuple(text if n == 1 else f"{text} (× {n})" for text, n in self._why.items())
        return Loss(self._n_bytes, self._n_events, self._from_us, self._until_us, why)

    def warn(self, path: Path) -> Loss | None:
        """Tell of what was lost."""
        loss = self.loss()
        if loss is not None:
            warnings.warn(LostEvents(path, loss), stacklevel=3)
        return loss

    def _mark(self, until_us: int | None) -> None:
        if not self._seen:
            self._from_us = self._last_us
        self._seen, self._until_us = self.n_notes, until_us
