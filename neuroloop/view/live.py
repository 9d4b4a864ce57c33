"""The line that a run or an evaluation shows while it goes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.playing import Played

BETWEEN_LINES = 5.0  # s, where the output is no terminal


class Line:
    """Fields in a line; rewritten in place on a terminal."""

    def __init__(self, file: TextIO) -> None:
        self._file, self.in_place = file, file.isatty()
        self._shown = time.perf_counter()

    def due(self) -> bool:
        """Whether it is time to show the line again."""
        now = time.perf_counter()
        if not self.in_place and now - self._shown < BETWEEN_LINES:
            return False
        self._shown = now
        return True

    def show(self, fields: list[str], *, last: bool = False) -> None:
        """Show the fields, as many as fit; the last line stays."""
        while self.in_place and len("  ".join(fields)) >= self._columns:
            fields = fields[:-1]
        end = "\n" if last else "\r"
        print("  ".join(fields), end=f"\x1b[K{end}" if self.in_place else "\n", file=self._file, flush=True)

    def wipe(self) -> None:
        """Leave nothing behind on a terminal."""
        if self.in_place:
            print(end="\r\x1b[K", file=self._file, flush=True)

    @property
    def _columns(self) -> int:
        """Width of the terminal; a longer line could not be rewritten."""
        return os.get_terminal_size(self._file.fileno()).columns or 80


class LiveLine:
    """Episode, return, mean of 100, spikes and µs a decision, environment steps a second."""

    def __init__(self, agent: Agent, file: TextIO) -> None:
        self._agent, self._line = agent, Line(file)
        self._started, self._steps = time.perf_counter(), agent.progress.steps

    def show(self) -> None:
        """Show the line as it is now, unless it is too soon."""
        if self._line.due():
            self._line.show(self._fields())

    def close(self) -> None:
        """Leave the last line behind."""
        self._line.show(self._fields(), last=True)

    def _fields(self) -> list[str]:
        progress = self._agent.progress
        last = f"{progress.returns[-1]:8.1f}" if progress.returns else "       –"
        mean = f"{progress.mean_return:8.1f}" if progress.mean_return is not None else "       –"
        spikes = self._agent.controller.spikes / max(progress.ticks, 1)
        rate = (progress.steps - self._steps) / max(time.perf_counter() - self._started, 1e-9)
        return [
            f"episode {len(progress.returns):5d}", f"return {last}", f"mean of 100 {mean}",
            f"{spikes:5.0f} spikes/decision", f"{progress.us_per_tick or 0.0:6.1f} µs/decision", f"{rate:7.0f} steps/s",
            f"step {progress.steps}",
        ]  # fmt: skip


class EvaluationLine:
    """Episodes done, their mean return, environment steps."""

    def __init__(self, episodes: int, file: TextIO) -> None:
        self._episodes, self._line = episodes, Line(file)

    def show(self, played: Played) -> None:
        """Show the line as it is now, unless it is too soon."""
        if self._line.due():
            done = len(played.returns)
            mean = f"{sum(played.returns) / done:8.1f}" if done else "       –"
            fields = [f"episode {done:3d} of {self._episodes}", f"mean return {mean}", f"step {played.steps}"]
            self._line.show(fields)

    def close(self) -> None:
        """The result follows."""
        self._line.wipe()
