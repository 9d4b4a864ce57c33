"""Records a run while it runs: the loop packs what happens, a process of its own writes it.

A tick that finds no room in the ring between the two is dropped and counted; the loop never waits.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from ..activity import Activity
from ..errors import NeuroloopError, RecordingError
from ..types import Outcome, Tick
from .channels import Setup
from .digest import digest_of
from .layout import parts_of
from .meta import meta_of
from .packing import Packer
from .process import command as command_of
from .records import END, EPISODE, EPISODE_HEAD, SHORT_HEAD
from .ring import DONE, FAILED, Ring, make_room

if TYPE_CHECKING:
    from ..agent import Agent

ROOM = 1 << 25  # bytes between loop and file: seconds of a camera of events
LOOK_NS = 1_000_000_000  # between looks at whether the process still is there
PATIENCE = 60.0  # s that a close waits for the file


class Recorder:
    """A `Sink` that writes what it is told to an MCAP file: `with Recorder(path, agent) as r, agent.watched(by=r): …`.

    `command`: what made the run, to be kept with it. `room`: bytes of the ring, a power of 2. `say` is told, once, if the file
    ends early or something cannot be recorded. Raises `RecordingError` if the file cannot be written, or is there and
    may not be overwritten.
    """

    def __init__(
        self,
        path: str | Path,
        agent: Agent,
        *,
        command: str = "",
        overwrite: bool = False,
        room: int = ROOM,
        say: Callable[[str], None] = lambda text: warnings.warn(text, stacklevel=5),
    ) -> None:
        self.path, self._agent, self._say = Path(path), agent, say
        self.offered = self.dropped = 0
        self.first_dropped: int | None = None
        self.failure = ""
        self._look_at, self._closed = 0, False
        self._activity = Activity(agent.controller)
        observation, action = parts_of(agent.env.observation_space), parts_of(agent.env.action_space)
        self._packer = Packer(self._activity, observation, action)
        self._answered: Outcome | None = None
        self._fd = make_room(room)
        self._ring: Ring | None = Ring(self._fd)
        started, monotonic = time.time_ns(), time.monotonic_ns()
        meta = meta_of(agent, self._activity, command, started, monotonic)
        with tempfile.TemporaryDirectory() as folder:
            setup = Setup(
                path=str(self.path.absolute()), overwrite=overwrite, meta=meta,
                checkpoint=str(agent.save(Path(folder) / "start.zip")), wall_ns=started, monotonic_ns=monotonic,
                numbers=self._activity.numbers, rasters=self._packer.rasters,
                observation=tuple(leaf for leaf, _, _ in observation), action=tuple(leaf for leaf, _, _ in action),
            )  # fmt: skip
            self._process = self._started(setup)

    def _started(self, setup: Setup) -> subprocess.Popen[bytes]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot be written: {error.strerror}") from None
        process = subprocess.Popen(
            command_of(self._fd), stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(self._fd,), process_group=0
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(setup) + b"\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        if answer.strip() or not answer:
            process.stdin.close()
            process.wait()
            why = answer.decode().strip() or "the process that writes it did not start"
            if why == os.strerror(errno.EEXIST):
                raise RecordingError(f"{self.path}: is there already; remove it, or name another file")
            raise RecordingError(f"{self.path}: cannot be written: {why}")
        return process

    def put(self, tick: Tick) -> bool:
        ring, seq = self._ring, self.offered
        self.offered += 1
        if ring is None or tick.t_ns > self._look_at:
            self._look(tick.t_ns)
            ring = self._ring
        kept = False
        if ring is not None:
            try:
                kept = ring.put(self._packer.tick(tick, seq))
            except (NeuroloopError, TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                self._warn(f"tick {tick.tick} cannot be recorded: {error}")
        self._answered = tick.outcome
        if not kept:
            self.dropped += 1
            if self.first_dropped is None:
                self.first_dropped = seq
        return kept

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        if self._ring is not None:
            self._ring.put(EPISODE_HEAD.pack(EPISODE, n_steps, time.monotonic_ns(), episode, episode_return))

    def close(self) -> None:
        """Finish the file. A second call does nothing."""
        ring, self._closed = self._ring if not self._closed else None, True
        if ring is None:
            return
        self._look(0)
        if self._ring is not None:
            if self._answered is not None and not self._answered.ended:
                self._insist(self._packer.last(self._answered))
            self._insist(SHORT_HEAD.pack(END) + msgspec.json.encode(self._end()))
        self._wait()
        self._ring = None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end(self) -> dict[str, str]:
        first = "" if self.first_dropped is None else str(self.first_dropped)
        progress = self._agent.progress
        return {
            "reason": "closed", "ticks": str(self.offered), "dropped": str(self.dropped), "first_dropped": first,
            "digest": digest_of(self._agent.controller.state()), "steps": str(progress.steps),
            "episodes": str(progress.episode), "failure": self.failure,
        }  # fmt: skip

    def _insist(self, record: bytes) -> None:
        """Put a record in, though it may take a while: the loop is over."""
        deadline = time.monotonic() + PATIENCE
        while self._ring is not None and not self._ring.put(record):
            self._look(0)
            if time.monotonic() > deadline:
                self._give_up("the process that writes it does not go on")
            time.sleep(0.001)

    def _wait(self) -> None:
        """Wait for the process to end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._ring is not None:
                self._process.wait(PATIENCE)
                if self._ring.state != DONE:
                    self._look(0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._give_up("the process that writes it did not end")
        finally:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            os.close(self._fd)

    def _look(self, now_ns: int) -> None:
        """See whether the process that writes still does."""
        self._look_at = now_ns + LOOK_NS
        if self._ring is None:
            return
        if self._ring.state == FAILED:
            self._give_up(os.strerror(self._ring.errno))
        elif self._process.poll() is not None and self._ring.state != DONE:
            self._give_up("the process that writes it was killed")

    def _give_up(self, why: str) -> None:
        """The file ends here, the loop goes on."""
        if self._ring is None:
            return
        written, self._ring = self._ring.count, None
        self.dropped, self.first_dropped = self.offered - written, min(written, self.first_dropped or written)
        self._warn(f"ends early: {why}; what was written is kept, and `neuroloop recover {self.path}` makes it whole")

    def _warn(self, what: str) -> None:
        if not self.failure:
            self.failure = what
            self._say(f"recording {self.path}: {what}")
