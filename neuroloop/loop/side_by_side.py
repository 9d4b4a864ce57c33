"""Several rings at once: in lockstep with each other, where one compiled call decides for all, or a stretch each in turn.

Rings whose plants are their own need not wait for each other. One after the other, a network stays in the processor's
cache for a stretch, which on one thread is worth more than fewer calls (measured: `docs/seeds-side-by-side.md`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..bank import Bank
from ..errors import DivergedError, PlantError
from ..types import Outcome
from .lockstep import BETWEEN_CALLS, Lockstep, Progress
from .plants import Plants

Callbacks = Callable[[list[Progress]], Any]
NOTHING = object()  # where there is no action
STRETCH = 200  # plant steps


class SideBySide:
    """Runs several loops. What happens in one makes no difference to the others, errors included.

    `names` say in messages which of them is meant.
    """

    def __init__(self, loops: Sequence[Lockstep], plants: Plants, names: Sequence[str], threads: int) -> None:
        self._loops, self._plants, self._names = loops, plants, names
        self._bank = Bank([loop.controller for loop in loops], threads)
        self._pending: dict[int, Any] = {}  # what a controller decided and no plant has answered
        self._errors: list[Exception] = []
        self._since = 0  # ns, when answers came last

    def run(
        self,
        total_steps: Sequence[int],
        *,
        episodes: int | None = None,
        stop_when_solved: bool = False,
        callback: Callbacks | None = None,
    ) -> None:
        """Run each loop until it has done its `total_steps`, or is over as in `Lockstep.run`."""
        progress, called = [loop.progress for loop in self._loops], time.perf_counter_ns()

        def unfinished() -> list[int]:
            left = zip(progress, total_steps, strict=True)
            return [b for b, (one, total) in enumerate(left) if not one.reached(total, episodes, stop_when_solved)]

        if not (who := unfinished()):
            return
        self._plants.begin(who)
        self._since = called
        try:
            while who and not self._errors:
                self._tick(who)
                who = unfinished()
                now = time.perf_counter_ns()
                if callback is not None and now - called >= BETWEEN_CALLS:
                    called = now
                    if callback(progress) is False:
                        break
            while self._plants.holding:
                self._tick([])
        finally:
            self._bank.close()
            for b in self._pending:
                self._loops[b].abandon()
            self._plants.end()
        if self._errors:
            raise self._errors[0]

    def _tick(self, who: Sequence[int]) -> None:
        """One turn of the rings `who`. Errors are noted, and the others go on."""
        self._plants.prepare(who)
        deciding = [b for b in who if self._sense(b)]
        self._bank.decide(deciding)
        answers = self._plants.exchange({b: action for b in deciding if (action := self._decided(b)) is not NOTHING})
        taken = [b for b, outcome in answers if self._take(b, outcome)]
        now = time.perf_counter_ns()
        for b in taken:
            self._loops[b].progress.count_tick((now - self._since) // len(taken))
        if taken:
            self._since = now

    def _sense(self, b: int) -> bool:
        """Whether the controller of a loop was given something to decide on."""
        loop, progress = self._loops[b], self._loops[b].progress
        try:
            if not self._plants.enter(b):
                return False
            self._pending[b] = NOTHING
            self._bank.sense(b, loop.observation, progress.reward, first=not progress.actions)
        except Exception as error:
            self._fail(b, error)
            return False
        return True

    def _decided(self, b: int) -> Any:
        try:
            action = self._pending[b] = self._bank.action(b)
            return action
        except Exception as error:
            self._fail(b, error)
            return NOTHING

    def _take(self, b: int, outcome: Outcome | Exception) -> bool:
        """Whether the answer to what a loop did could be taken."""
        try:
            if isinstance(outcome, Exception):
                raise outcome
            self._loops[b].take(self._pending[b], outcome)
        except Exception as error:
            self._fail(b, error)
            return False
        del self._pending[b]
        return True

    def _fail(self, b: int, error: Exception) -> None:
        """The unfinished episode of a loop will begin anew."""
        if b in self._pending:
            self._loops[b].abandon()
            del self._pending[b]
        if isinstance(error, PlantError):
            error = PlantError(f"tick {self._loops[b].progress.ticks}: {error}")
        self._errors.append(_named(error, self._names[b]))


class InTurn:
    """Runs several loops with plants of their own on one thread, each for a stretch in turn."""

    def __init__(self, loops: Sequence[Lockstep], names: Sequence[str]) -> None:
        self._loops, self._names = loops, names

    def run(
        self,
        total_steps: Sequence[int],
        *,
        episodes: int | None = None,
        stop_when_solved: bool = False,
        callback: Callbacks | None = None,
    ) -> None:
        """See `SideBySide.run`."""
        progress, called, going = [loop.progress for loop in self._loops], time.perf_counter_ns(), True
        while going:
            going, errors = False, list[Exception]()
            for b, (loop, total) in enumerate(zip(self._loops, total_steps, strict=True)):
                try:
                    until = min(total, progress[b].steps + STRETCH)
                    loop.run(until, episodes=episodes, stop_when_solved=stop_when_solved)
                except Exception as error:
                    errors.append(_named(error, self._names[b]))
                going |= not progress[b].reached(total, episodes, stop_when_solved)
            if errors:
                raise errors[0]
            now = time.perf_counter_ns()
            if callback is not None and now - called >= BETWEEN_CALLS:
                called = now
                going &= callback(progress) is not False


def _named(error: Exception, name: str) -> Exception:
    """An error that says which of the loops is meant."""
    if isinstance(error, PlantError | DivergedError):
        return type(error)(f"{name}: {error}")
    error.add_note(f"neuroloop: {name}")
    return error
