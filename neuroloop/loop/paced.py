"""An environment at its own speed: step k of an episode happens when it is due, not before.

Plant and controller share a thread here, so a controller that is late makes the plant late. A plant that must go on without it
is a process of its own: `neuroloop serve --realtime`.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator
from typing import Any

import gymnasium

from ..errors import BadInput
from .clock import MOST_HELD, Clock, Policy
from .plant import id_of, step_time
from .timing import TIMING, Timing


class Paced(gymnasium.Wrapper[Any, Any, Any, Any]):
    """`env`, one step every `period` s (None: as long as its steps last). `policy`: see `Clock`; with "hold" the steps
    whose time went by are made up for with the action before, at most `MOST_HELD` at once, and their rewards are summed.
    Raises `BadInput` where no period is known."""

    def __init__(self, env: gymnasium.Env[Any, Any], period: float | None = None, policy: Policy = "skip") -> None:
        super().__init__(env)
        seconds = step_time(env) if period is None else period
        if seconds is None:
            raise BadInput(
                f"{id_of(env)}: does not say how long its steps last, so it has no real time; serve it with a period:"
                f" `neuroloop serve {id_of(env)} --realtime --period SECONDS`"
            )
        self.clock, self.timing = Clock(seconds, policy), Timing()
        self._answered_ns, self._waits = 0, True
        self._before: Any = None  # to hold: the action of the step before; none at the beginning of an episode

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """While this lasts, steps do not wait; an episode is brought back so. Its time begins anew afterwards."""
        self._waits = False
        try:
            yield
        finally:
            self._waits = True
            self.clock.start()
            self._answered_ns = time.monotonic_ns()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and its time."""
        answer = self.env.reset(seed=seed, options=options)
        self.clock.start()
        self._answered_ns, self._before = time.monotonic_ns(), None
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the step is due, and do it."""
        before = self._before
        if self.clock.policy == "hold":
            self._before = (copy.deepcopy(action),)  # who gives it may write its next one into it
        if not self._waits:
            return self.env.step(action)
        compute = time.monotonic_ns() - self._answered_ns
        late, left_out = self.clock.wait()
        begun = time.monotonic_ns()
        age = begun - self._answered_ns
        holds = 0 if before is None else min(left_out, MOST_HELD)
        total, done = 0.0, 0
        for one in [*[before] * holds, (action,)]:
            observation, reward, terminated, truncated, info = self.env.step(one[0])
            total, done = total + float(reward), done + 1
            if terminated or truncated:
                break
        timed = self.timing.note(begun, late, left_out - done + 1, compute, age, done - 1)
        self._answered_ns = time.monotonic_ns()
        return observation, total, terminated, truncated, {**info, TIMING: timed}
