"""The line that a run shows while it goes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ..agent import Agent

BETWEEN_LINES = 5.0  # s, where the output is no terminal


class LiveLine:
    """Episode, return, mean of 100, spikes and µs a tick, steps a second; rewritten in place on a terminal."""

    def __init__(self, agent: Agent, file: TextIO) -> None:
        self._agent, self._file, self._in_place = agent, file, file.isatty()
        self._started, self._steps = time.perf_counter(), agent.progress.steps
        self._shown = self._started

    def show(self) -> None:
        """Show the line as it is now, unless it is too soon."""
        now = time.perf_counter()
        if not self._in_place and now - self._shown < BETWEEN_LINES:
            return
        self._shown = now
        end = "\x1b[K\r" if self._in_place else "\n"
        print(self._text(now), end=end, file=self._file, flush=True)

    def close(self) -> None:
        """Leave the last line behind."""
        now = time.perf_counter()
        print(self._text(now), end="\x1b[K\n" if self._in_place else "\n", file=self._file, flush=True)

    def _text(self, now: float) -> str:
        progress = self._agent.progress
        last = f"{progress.returns[-1]:8.1f}" if progress.returns else "       –"
        mean = f"{progress.mean_return:8.1f}" if progress.mean_return is not None else "       –"
        spikes = self._agent.controller.spikes / max(progress.ticks, 1)
        rate = (progress.steps - self._steps) / max(now - self._started, 1e-9)
        fields = [
            f"episode {len(progress.returns):5d}", f"return {last}", f"mean of 100 {mean}", f"{spikes:5.0f} spikes/tick",
            f"{progress.us_per_tick or 0.0:6.1f} µs/tick", f"{rate:7.0f} steps/s", f"step {progress.steps}",
        ]  # fmt: skip
        while self._in_place and len("  ".join(fields)) >= self._columns:
            fields.pop()
        return "  ".join(fields)

    @property
    def _columns(self) -> int:
        """Width of the terminal; a longer line could not be rewritten."""
        return os.get_terminal_size(self._file.fileno()).columns or 80
