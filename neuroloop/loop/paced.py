"""An environment at its own speed: step k of an episode happens when it is due, not before.

Plant and controller share a thread here, so a controller that is late makes the plant late. A plant that must go on without it
is a process of its own: `neuroloop serve --realtime`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import gymnasium

from ..errors import BadInput
from .clock import Clock, Policy
from .plant import id_of, step_time
from .timing import TIMING, Timing


class Paced(gymnasium.Wrapper[Any, Any, Any, Any]):
    """`env`, one step every `period` s (None: as long as its steps last). `policy`: see `Clock`; with "hold" the action is held
    for the steps whose time went by, and their rewards are summed. Raises `BadInput` where no period is known."""

    def __init__(self, env: gymnasium.Env[Any, Any], period: float | None = None, policy: Policy = "skip") -> None:
        super().__init__(env)
        seconds = step_time(env) if period is None else period
        if seconds is None:
            raise BadInput(f"{id_of(env)}: does not say how long its steps last, so it has no real time")
        self.clock, self.timing = Clock(seconds, policy), Timing()
        self._answered_ns, self._waits = 0, True

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
        self._answered_ns = time.monotonic_ns()
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the step is due, and do it."""
        if not self._waits:
            return self.env.step(action)
        compute = time.monotonic_ns() - self._answered_ns
        late, left_out = self.clock.wait()
        begun = time.monotonic_ns()
        age = begun - self._answered_ns
        observation, total, terminated, truncated, info = self.env.step(action)
        if self.clock.policy == "hold":
            for _ in range(left_out):
                if terminated or truncated:
                    break
                observation, reward, terminated, truncated, info = self.env.step(action)
                total += reward  # type: ignore[operator]
        timed = self.timing.note(begun, late, left_out, compute, age)
        self._answered_ns = time.monotonic_ns()
        return observation, total, terminated, truncated, {**info, TIMING: timed}
