"""Several rings on one thread: a stretch each in turn, or, in a vector environment, all of them step by step.

Rings whose plants are their own need not wait for each other: a network then stays in the processor's cache for a stretch,
which is worth more than fewer calls (measured: `docs/seeds-side-by-side.md`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..bank import Bank
from ..types import Outcome
from .in_vector import InVector
from .lockstep import Lockstep

STRETCH = 200  # control steps
Failures = dict[int, tuple[int, Exception]]  # by loop: plant steps done before, and what happened


def in_turn(
    loops: Sequence[Lockstep], failures: Failures, going: Callable[[int], bool], go_on: Callable[[], bool]
) -> None:
    """Run loops with plants of their own, each while it is `going`, all while they shall `go_on`. Failures are noted."""
    while (who := [b for b in range(len(loops)) if going(b)]) and go_on():
        for b in who:
            try:
                for _ in range(STRETCH):
                    if not going(b):
                        break
                    loops[b].turn()
            except Exception as error:
                failures[b] = loops[b].progress.steps, error


class AtOnce:
    """Runs the loops of a vector environment; one compiled call decides for all. See `in_turn` for the arguments."""

    def __init__(self, loops: Sequence[Lockstep], plants: InVector, failures: Failures) -> None:
        self._loops, self._plants, self._failures = loops, plants, failures
        self._bank = Bank([loop.controller for loop in loops])
        self._pending: dict[int, Any] = {}  # what a controller was asked and no plant has answered
        self._since = 0  # ns, when answers came last

    def run(self, going: Callable[[int], bool], go_on: Callable[[], bool]) -> None:
        """What fails inside the vector environment concerns all loops and is raised."""
        everyone = range(len(self._loops))
        if not (who := [b for b in everyone if going(b)]):
            return
        self._plants.begin(who)
        self._since = time.perf_counter_ns()
        try:
            while who and go_on():
                self._turn(who)
                who = [b for b in everyone if going(b)]
            while self._plants.holding:
                self._turn([])
        finally:
            for b in self._pending:
                self._loops[b].abandon()
            self._plants.end()

    def _turn(self, who: Sequence[int]) -> None:
        """One turn of the rings `who`."""
        self._plants.prepare()
        deciding = [b for b in who if self._plants.enter(b) and self._tried(b, self._sense)]
        self._bank.decide(deciding)
        decided = [b for b in deciding if self._tried(b, self._decide)]
        answers = self._plants.exchange({b: self._pending[b] for b in decided})
        taken = [b for b, outcome in answers if self._tried(b, self._take, outcome)]
        now = time.perf_counter_ns()
        for b in taken:
            self._loops[b].close_turn((now - self._since) // len(taken))
        if taken:
            self._since = now

    def _tried(self, b: int, step: Callable[..., None], *arguments: Any) -> bool:
        """Whether a step of a loop succeeded. Where it failed, the unfinished episode will begin anew."""
        try:
            step(b, *arguments)
        except Exception as error:
            self._loops[b].abandon()
            self._pending.pop(b, None)
            self._failures[b] = self._loops[b].progress.steps, error
            return False
        return True

    def _sense(self, b: int) -> None:
        loop, progress = self._loops[b], self._loops[b].progress
        self._pending[b] = None
        self._bank.sense(b, loop.observation, progress.reward, first=not progress.actions)

    def _decide(self, b: int) -> None:
        self._pending[b] = self._bank.action(b)

    def _take(self, b: int, outcome: Outcome | Exception) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        self._loops[b].take(self._pending[b], outcome)
        del self._pending[b]
