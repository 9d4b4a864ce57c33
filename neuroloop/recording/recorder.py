"""Records a run while it runs: the loop packs what happens, a process of its own writes it.

A tick that finds no room in the ring between the two is dropped and counted; the loop never waits.
"""

from __future__ import annotations

import math
import struct
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..activity import Activity
from ..errors import NeuroloopError, RecordingError
from ..types import Outcome, Tick
from .channels import Setup
from .digest import digest_of
from .layout import Part, parts_of
from .meta import meta_of
from .packing import Packer
from .reader import Recording
from .records import END, EPISODE, EPISODE_HEAD, SHORT_HEAD
from .writer import Writer

if TYPE_CHECKING:
    from ..agent import Agent

ROOM = 1 << 25  # bytes between loop and file, at least: seconds of a camera of events
FIT = 8  # observations that must find room
REFUSED = (NeuroloopError, TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, struct.error)
LOOK_NS = 1_000_000_000  # between looks at whether the process still is there


class Recorder:
    """A `Sink` that writes what it is told to an MCAP file: `with Recorder(path, agent) as r, agent.watched(by=r): …`.

    `command`: what made the run, to be kept with it. `room`: bytes of the ring, a power of 2; by default enough. `say` is
    told, once each, that ticks were dropped, or that the file ends early. Raises `RecordingError` if the file cannot be
    written, or is there already unless `overwrite`.
    """

    def __init__(
        self,
        path: str | Path,
        agent: Agent,
        *,
        command: str = "",
        overwrite: bool = False,
        room: int | None = None,
        say: Callable[[str], None] = lambda text: warnings.warn(text, stacklevel=5),
    ) -> None:
        self.path, self._agent, self._say = Path(path), agent, say
        self.offered = self.dropped = 0
        self.first_dropped: int | None = None  # seq
        self.failure = ""
        self._look_at, self._closed, self._ends_early = 0, False, False
        activity, started, monotonic = Activity(agent.controller), time.time_ns(), time.monotonic_ns()
        observation, action = parts_of(agent.env.observation_space), parts_of(agent.env.action_space)
        self._packer = Packer(activity, observation, action)
        self._answered: Outcome | None = None
        with tempfile.TemporaryDirectory() as folder:
            setup = Setup(
                path=str(self.path.absolute()), overwrite=overwrite,
                meta=meta_of(agent, activity, command, started, monotonic),
                checkpoint=str(agent.save(Path(folder) / "start.zip")), wall_ns=started, monotonic_ns=monotonic,
                numbers=activity.numbers, rasters=self._packer.rasters,
                observation=tuple(leaf for leaf, _, _ in observation), action=tuple(leaf for leaf, _, _ in action),
            )  # fmt: skip
            self._writer: Writer | None = Writer(setup, room_for(observation) if room is None else room, say)
        self.pid = self._writer.process.pid  # of the process that writes

    @property
    def written(self) -> int:
        """Ticks that the process that writes has taken."""
        return self.offered - self.dropped if self._writer is None else self._writer.written

    def put(self, tick: Tick) -> bool:
        seq, kept = self.offered, False
        self.offered += 1
        if tick.t_ns > self._look_at:
            self._look_at = tick.t_ns + LOOK_NS
            self._look()
        if self._writer is not None:
            try:
                kept = self._writer.put(self._packer.tick(tick, seq))
            except REFUSED as error:
                self._warn(f"tick {tick.tick} cannot be recorded: {error}")
        self._answered = tick.outcome if kept else None
        if not kept:
            self.dropped += 1
            if self.first_dropped is None:
                self.first_dropped = seq
        return kept

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        if self._writer is not None:
            self._writer.put(EPISODE_HEAD.pack(EPISODE, n_steps, time.monotonic_ns(), episode, episode_return))

    def close(self) -> None:
        """Finish the file. A second call does nothing."""
        writer = self._writer
        if self._closed:
            return
        self._closed = True
        if writer is not None:
            if self._answered is not None and not self._answered.ended:
                try:
                    writer.insist(self._packer.last(self._answered))
                except REFUSED as error:
                    self._warn(f"the last observation cannot be recorded: {error}")
            writer.insist(SHORT_HEAD.pack(END) + msgspec.json.encode(self._end()))
            self._look(writer.wait())
        self._writer = None
        if self._ends_early:
            self._count()
        if self.dropped:
            self._warn(f"{self.dropped} of {self.offered} ticks were dropped, the first one was {self.first_dropped}")

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end(self) -> dict[str, str]:
        first, progress = self.first_dropped, self._agent.progress
        return {
            "reason": "closed", "ticks": str(self.offered), "dropped": str(self.dropped),
            "first_dropped": "" if first is None else str(first), "digest": digest_of(self._agent.controller.state()),
            "steps": str(progress.steps), "episodes": str(progress.episode), "failure": self.failure,
        }  # fmt: skip

    def _look(self, why: str = "") -> None:
        """If the process does not write any more, the file ends here, and the loop goes on."""
        writer = self._writer
        if writer is None or not (why := why or writer.look()):
            return
        writer.wait()
        self._writer, self._ends_early, written = None, True, writer.written
        self.dropped = self.offered - written  # at least: what it had not yet packed is gone too
        self.first_dropped = written if self.first_dropped is None else min(written, self.first_dropped)
        self._warn(f"ends early: {why}; what was written is kept, and `neuroloop recover {self.path}` makes it whole")

    def _count(self) -> None:
        """Count the ticks that a file which ends early really holds; a disk that is gone leaves the estimate."""
        try:
            kept = Recording(self.path).column("seq")
        except RecordingError:
            return
        self.dropped = self.offered - kept.size
        missing = np.flatnonzero(kept != np.arange(kept.size))
        self.first_dropped = int(missing[0]) if missing.size else kept.size

    def _warn(self, what: str) -> None:
        if not self.failure:
            self.failure = what
            self._say(f"recording {self.path}: {what}")


def room_for(observation: Sequence[Part]) -> int:
    """Bytes of a ring for observations of this size; those without a fixed size count nothing."""
    sizes = [math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf, _, _ in observation if leaf.dtype]
    return max(ROOM, 1 << (FIT * sum(sizes)).bit_length())
