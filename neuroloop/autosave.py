"""Checkpoints of an agent while it learns, so that little is lost when its process is killed.

    with Autosave(agent, "run.zip", every=10_000):
        agent.learn(1_000_000)

Between two control steps the state is copied, which takes about a millisecond for 10 MB; packing and writing is done by
another process (`scribe.py`). Where it is slower than checkpoints fall due, the next one is made as soon as it is through.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

from . import arguments, checkpoint
from .agent import Agent
from .errors import BadInput, CheckpointError, DivergedError
from .loop.lockstep import Progress
from .scribe import PATIENCE, Scribe
from .whole_file import BETWEEN_LOOKS

SECONDS = 30.0  # between two checkpoints, unless their number of steps is given
LEAST_SHARE = 100  # times what the copying of one took lie between two at least, so that it costs less than 1 %


class Autosave:
    """Keeps a checkpoint of `agent` at `path` up to date while it learns, in a `with` block; the first is of its beginning.

    `every`: environment steps between two; without it, they are `seconds` apart, where an episode ends if one does within
    as long again. `at_end`: one more when the block ends, also by an error, unless learning diverged. A checkpoint that
    cannot be written leaves the one before as it is, and is told once, by `tell(text)` or as a warning; learning goes on,
    and later ones are tried. Raises `BadInput`.
    """

    def __init__(
        self,
        agent: Agent,
        path: str | Path,
        every: int | None = None,
        seconds: float = SECONDS,
        tell: Callable[[str], None] | None = None,
        at_end: bool = True,
    ) -> None:
        if not isinstance(agent, Agent):
            raise BadInput(f"agent: must be an Agent, got {agent!r}")
        self.path = arguments.checkpoint_path("path", path)
        self._agent, self._every = agent, arguments.optional_whole("every", every, 1)
        self._seconds = arguments.positive("seconds", seconds, "s")
        arguments.function("tell", tell)
        self._tell = tell or (lambda text: warnings.warn(text, stacklevel=4))
        self._scribe = Scribe(self.path)
        self._due_step, self._due_time = 0, 0.0
        self.copied = 0.0  # s that learning waited for copies
        self._told = False
        self._unsaved: CheckpointError | None = None  # why the first could not be written
        self._at_end, self._kept_step = at_end, 0  # where the latest copy was taken, or the block began

    @property
    def written(self) -> int:
        """Checkpoints written so far, besides the first."""
        return self._scribe.written

    @property
    def failure(self) -> CheckpointError | None:
        """Why the latest checkpoint could not be written; None where it could."""
        return self._scribe.failure or (None if self.written else self._unsaved)

    def __enter__(self) -> Autosave:
        checkpoint.check_place(self.path)
        self._save()
        self._schedule(0.0)
        self._kept_step = self._agent.progress.steps
        if self._agent.loop.plant.keeps_time:  # the first one takes longest: a process starts, memory is made
            self._take()
        self._agent.loop.between.append(self._between)
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        self._agent.loop.between.remove(self._between)
        if self._at_end and not (kind is not None and issubclass(kind, DivergedError)):
            self._take_last()
        self._scribe.close()
        self._tell_failure()

    def _between(self, progress: Progress) -> None:
        """A control step is over."""
        if progress.steps < self._due_step or time.monotonic() < self._due_time:
            return
        waits = self._every is None and progress.actions and time.monotonic() < self._due_time + self._seconds
        if not waits and not self._scribe.busy:  # else an episode's end may be near
            self._tell_failure()
            self._take()

    def _save(self) -> None:
        """Write the first one here and now, so that there is one however soon the process is killed."""
        try:
            self._agent.save(self.path)
        except CheckpointError as error:
            self._unsaved = error
        except (TypeError, ValueError) as error:  # what it holds cannot be packed
            self._unsaved = CheckpointError(f"{self.path}: cannot be written: {error}")
        self._tell_failure()

    def _take_last(self) -> None:
        """What came after the latest one, or could not be written then."""
        until = time.monotonic() + PATIENCE
        while self._scribe.busy and time.monotonic() < until:
            time.sleep(BETWEEN_LOOKS)
        missing = self._agent.progress.steps != self._kept_step or self.failure is not None
        if missing and not self._scribe.busy:
            self._tell_failure()
            self._take()

    def _take(self) -> None:
        began = time.perf_counter()
        self._scribe.put(self._agent.snapshot)
        self._kept_step = self._agent.progress.steps
        took = time.perf_counter() - began
        self.copied += took
        self._schedule(took)

    def _schedule(self, took: float) -> None:
        if self._every is not None:
            self._due_step = (self._agent.progress.steps // self._every + 1) * self._every
        else:
            self._due_time = time.monotonic() + max(self._seconds, LEAST_SHARE * took)

    def _tell_failure(self) -> None:
        if self.failure is None:
            self._told = False
        elif not self._told:
            self._told = True
            self._tell(f"{self.failure}; what was written before stays, and learning goes on")


__all__ = ["Autosave"]
