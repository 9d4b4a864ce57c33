"""Scalars of a run for TensorBoard, named as Stable-Baselines3 names them, so that runs of both can be laid over each other.

What happens in the loop is summed; once a second the means go through a pipe to a process of its own, which writes them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from ..activity import Activity
from ..arguments import positive
from ..errors import BadInput, MissingExtra
from ..loop.lockstep import WINDOW
from ..types import Tick
from .board_writer import command

if TYPE_CHECKING:
    from ..agent import Agent

ROOM = 4096  # control steps that are summed at once
MOST_EPISODES = 100  # of a window that are written one by one; of more, as many that lie evenly
PIPE = 1 << 20  # bytes that wait while the process starts, or for a slow disk
PATIENCE = 60.0  # s that a close waits for the file


class TensorBoard:
    """A `Sink` that writes a run into `folder`: `with TensorBoard("logs/a", agent) as b, agent.watched(by=b): …`.

    `rollout/ep_rew_mean` and `rollout/ep_len_mean` are means of the last 100 episodes; `episode/…` single ones; `time/fps`
    environment steps a second; what the network has a number for, such as `train/value` and `train/td_error`, and
    `train/spikes_per_tick` are means over windows of `window` s. The x axis are environment steps. Raises `BadInput` where
    the folder cannot be written, `MissingExtra` without tensorboardX; what fails later is one warning, and the loop goes on.
    """

    def __init__(self, folder: str | Path, agent: Agent, window: float = 1.0) -> None:
        self.folder, self._agent = Path(folder), agent
        self.failure, self.dropped = "", 0  # why it ended early; lines that found no room
        self._left = b""  # of a line that the pipe took in part
        self._window_ns = round(1e9 * positive("window", window, "s"))
        self._activity = Activity(agent.controller)
        self._rows = np.zeros((ROOM, len(self._activity.numbers)))
        self._sums = np.zeros(len(self._activity.numbers))
        self._n = self._ticks = 0  # control steps in `_rows`, and before in this window
        self._since_ns = self._now_ns = 0
        self._before = _counts(agent)
        self._ended: list[tuple[int, float, int]] = []  # step, return and length of episodes of this window
        self._process = _started(self.folder)

    def put(self, tick: Tick) -> bool:
        """Sum what the network did."""
        self._rows[self._n] = self._activity.read()
        self._n += 1
        if self._n == ROOM:
            self._add_up()
        now = self._now_ns = tick.t_ns
        if not self._since_ns:
            self._since_ns = now
        elif now - self._since_ns >= self._window_ns:
            self._send()
        return not self.failure

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        """An episode ended."""
        self._ended.append((self._agent.progress.steps, episode_return, n_steps))

    def close(self) -> None:
        """Write what is left."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        if self._n or self._ticks or self._ended:
            self._send()
        self._finish()
        pipe.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if self._process.wait():
            self._give_up()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _add_up(self) -> None:
        self._sums += self._rows[: self._n].sum(axis=0)
        self._ticks += self._n
        self._n = 0

    def _send(self) -> None:
        """A window is over."""
        self._add_up()
        progress, now = self._agent.progress, time.time()
        every = -(-len(self._ended) // MOST_EPISODES) or 1
        for step, earned, length in self._ended[::every]:
            self._tell(step, now, {"episode/return": earned, "episode/length": length})
        scalars = self._means() if self._ticks else {}
        if progress.returns:
            scalars["rollout/ep_rew_mean"] = float(np.mean(progress.returns[-WINDOW:]))
            scalars["rollout/ep_len_mean"] = float(np.mean(progress.lengths[-WINDOW:]))
        self._tell(progress.steps, now, scalars)
        self._since_ns, self._before = self._now_ns, _counts(self._agent)
        self._sums[:], self._ticks = 0.0, 0
        self._ended.clear()

    def _means(self) -> dict[str, float]:
        """Of the window's control steps, and how fast they came."""
        (steps, ticks, spikes), (steps_now, ticks_now, spikes_now) = self._before, _counts(self._agent)
        seconds = (self._now_ns - self._since_ns) / 1e9
        rates = (
            {"time/fps": (steps_now - steps) / seconds, "time/ticks_per_s": (ticks_now - ticks) / seconds}
            if seconds
            else {}
        )
        means = zip(self._activity.numbers, (self._sums / self._ticks).tolist(), strict=True)
        spiked = {"train/spikes_per_tick": (spikes_now - spikes) / self._ticks}
        return rates | spiked | {f"train/{name}": mean for name, mean in means}

    def _tell(self, step: int, at: float, scalars: dict[str, float]) -> None:
        """A line for the process that writes, unless the one before is still on its way."""
        self._push()
        if self._left:
            self.dropped += 1
        elif not self.failure:
            self._left = json.dumps([step, at, scalars]).encode() + b"\n"
            self._push()

    def _push(self) -> None:
        """Pass on what the pipe takes, which may be a part of a line."""
        pipe = self._process.stdin
        if self.failure or pipe is None:
            self._left = b""
            return
        try:
            while self._left:
                self._left = self._left[os.write(pipe.fileno(), self._left) :]
        except BlockingIOError:
            pass
        except OSError:
            self._left = b""
            self._give_up()

    def _finish(self) -> None:
        """Pass on the end of a line, which may take a while: the loop is over."""
        deadline = time.monotonic() + PATIENCE
        self._push()
        while self._left and time.monotonic() < deadline:
            time.sleep(0.001)
            self._push()

    def _give_up(self) -> None:
        """The process ended: one warning, and the loop goes on."""
        if self.failure:
            return
        told = b""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
            told = b"" if self._process.stdout is None else self._process.stdout.read()
        self.failure = told.decode(errors="replace").strip() or "the process that writes it was killed"
        warnings.warn(f"TensorBoard, {self.folder}: ends early: {self.failure}; the run goes on", stacklevel=4)


def _counts(agent: Agent) -> tuple[int, int, float]:
    """Environment steps, control steps and spikes so far."""
    return agent.progress.steps, agent.progress.ticks, agent.controller.spikes


def _started(folder: Path) -> subprocess.Popen[bytes]:
    if importlib.util.find_spec("tensorboardX") is None:
        raise MissingExtra("TensorBoard", "tensorboard")
    probe = folder / f".{os.getpid()}.try"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written: {error.strerror}") from None
    process = subprocess.Popen(
        command(folder.absolute()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=PIPE,
        process_group=0, bufsize=0,
    )  # fmt: skip
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process
