"""How far a study is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Any, Protocol, TextIO


class Watcher(Protocol):
    """Is told what a study does. Weights are expected seconds of CPU."""

    def begin(self, done: int, total: int, weight: float) -> None:
        """`done` of `total` runs were there already; the others weigh `weight` in all."""

    def running(self, n: int) -> None:
        """So many runs go on."""

    def finished(self, text: str, weight: float) -> None:
        """A run ended."""

    def say(self, text: str) -> None:
        """Something that is worth a line."""

    def end(self) -> None:
        """No run goes on any more."""


class Lines:
    """A line for every run that ended."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._done, self._total = file, 0, 0
        self._left, self._weight, self._started = 0.0, 0.0, time.perf_counter()

    def begin(self, done: int, total: int, weight: float) -> None:
        self._done, self._total, self._left, self._weight = done, total, weight, weight
        self._started = time.perf_counter()
        if done:
            self.say(f"{done} of {total} runs are there already")

    def running(self, n: int) -> None:
        pass

    def finished(self, text: str, weight: float) -> None:
        self._done, self._left = self._done + 1, self._left - weight
        self.say(f"[{self._done}/{self._total}, {self.remaining}] {text}")

    def say(self, text: str) -> None:
        print(text, file=self._file, flush=True)

    def end(self) -> None:
        pass

    @property
    def remaining(self) -> str:
        """The time that is left, as far as the past tells."""
        past = self._weight - self._left
        if self._done >= self._total:
            return "done"
        if past <= 0.0:
            return "some time left"
        return f"{_clock((time.perf_counter() - self._started) * self._left / past)} left"


class Bar(Lines):
    """A bar below these lines."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar: Any = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs, {task.fields[running]} running, {task.fields[left]}"),
            console=Console(file=file, highlight=False, markup=False),
        )
        self._task = self._bar.add_task("", total=None, running=0, left="")

    def begin(self, done: int, total: int, weight: float) -> None:
        self._bar.start()
        super().begin(done, total, weight)
        self._show()

    def running(self, n: int) -> None:
        self._bar.update(self._task, running=n)

    def finished(self, text: str, weight: float) -> None:
        super().finished(text, weight)
        self._show()

    def say(self, text: str) -> None:
        self._bar.console.print(text, soft_wrap=True)

    def end(self) -> None:
        self._bar.stop()

    def _show(self) -> None:
        self._bar.update(self._task, completed=self._done, total=self._total, left=self.remaining)


def watcher(file: TextIO) -> Watcher:
    """A bar if `file` is a terminal, lines if not."""
    return Bar(file) if file.isatty() else Lines(file)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
