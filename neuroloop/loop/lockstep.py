"""The ring in lockstep: the plant waits for the controller, the controller for the plant.

All that a run has done so far is in `Progress` and the controller's state, also in the middle of an episode: the plant is
brought back by replaying the unfinished episode's actions.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..controller import Controller
from ..errors import PlantError
from ..types import Outcome, Tick
from .plant import Plant, located
from .seen import Seen, difference, seen
from .sink import Sink

WINDOW = 100  # episodes of the mean return that decides
TIMED = 4096  # latest control steps whose durations are kept
BETWEEN_CALLS = 100_000_000  # ns between two calls of a callback
Told = TypeVar("Told")


class Progress:
    """What a run has done so far."""

    def __init__(self, criterion: float | None) -> None:
        self.criterion = criterion
        self.steps = 0  # plant steps
        self.ticks = 0  # control steps
        self.returns: list[float] = []  # native, of finished episodes
        self.lengths: list[int] = []  # plant steps
        self.solved_at_step: int | None = None
        self.actions: list[Any] = []  # of the unfinished episode
        self.reward = 0.0  # the answer to the last of them
        self.episode_return = 0.0
        self.episode_steps = 0
        self.durations = np.zeros(TIMED, np.int64)  # ns, of the latest control steps, plant included

    @property
    def episode(self) -> int:
        """The number of the episode that runs, from 0."""
        return len(self.returns)

    @property
    def mean_return(self) -> float | None:
        """Mean return of the last 100 episodes, or of all if fewer; None before the first ended."""
        return float(np.mean(self.returns[-WINDOW:])) if self.returns else None

    @property
    def us_per_tick(self) -> float | None:
        """Median duration of the latest control steps, plant included, in µs."""
        recent = self.durations[self.durations > 0]
        return float(np.median(recent)) / 1e3 if recent.size else None

    def reached(self, total_steps: int, episodes: int | None, stop_when_solved: bool) -> bool:
        """Whether a run is over: `total_steps` or `episodes` are done in all, or the task is solved."""
        return (
            self.steps >= total_steps
            or (episodes is not None and len(self.returns) >= episodes)
            or (stop_when_solved and self.solved_at_step is not None)
        )

    def count(self, action: Any, outcome: Outcome) -> None:
        """The plant answered an action."""
        self.actions.append(action)
        self.reward = outcome.reward
        self.episode_return += outcome.reward
        self.episode_steps += outcome.n_steps
        self.steps += outcome.n_steps
        if outcome.ended:
            self.count_episode()

    def count_tick(self, duration: int) -> None:
        """A control step took so many ns."""
        self.durations[self.ticks % TIMED] = duration
        self.ticks += 1

    def count_episode(self) -> None:
        """An episode ended."""
        self.returns.append(self.episode_return)
        self.lengths.append(self.episode_steps)
        self.forget_episode()
        if self.solved_at_step is None and self.criterion is not None and len(self.returns) >= WINDOW:
            solved = float(np.mean(self.returns[-WINDOW:])) >= self.criterion
            self.solved_at_step = self.steps if solved else None

    def forget_episode(self) -> None:
        """The next control step begins an episode."""
        self.actions, self.reward, self.episode_return, self.episode_steps = [], 0.0, 0.0, 0


Callback = Callable[[Progress], Any]


def paced(callback: Callable[[Told], Any] | None, told: Told) -> Callable[[], bool]:
    """To be asked between control steps: calls `callback(told)` about ten times a second, and says whether to go on."""
    if callback is None:
        return lambda: True
    called = time.perf_counter_ns()

    def go_on() -> bool:
        nonlocal called
        now = time.perf_counter_ns()
        if now - called < BETWEEN_CALLS:
            return True
        called = now
        return callback(told) is not False

    return go_on


class Lockstep:
    """Runs a controller against a plant."""

    def __init__(self, plant: Plant, controller: Controller, progress: Progress) -> None:
        self.plant = plant
        self.controller = controller
        self.progress = progress
        self.sinks: list[Sink] = []  # who is told of every turn
        self.between: list[Callable[[Progress], None]] = []  # called after every turn
        self.observation: Any = None
        self._in_episode = False
        self._left: Seen | None = None  # what was seen last of an unfinished episode that is to be brought back

    def run(
        self,
        total_steps: int,
        *,
        episodes: int | None = None,
        stop_when_solved: bool = False,
        callback: Callback | None = None,
    ) -> None:
        """Run until `total_steps` plant steps or `episodes` are done in all, the task is solved, or `callback` returns False.

        The callback is called about ten times a second, between control steps.
        """
        progress, go_on = self.progress, paced(callback, self.progress)
        while go_on() and not progress.reached(total_steps, episodes, stop_when_solved):
            try:
                self.turn()
            except PlantError as error:
                raise located(error, self.plant, f"episode {progress.episode}") from None

    def turn(self) -> None:
        """One turn of the ring. If it fails, or the plant went away, the unfinished episode will begin anew."""
        progress = self.progress
        self.enter()
        began, started = time.monotonic_ns(), time.perf_counter_ns()
        try:
            action = self.controller.act(self.observation, progress.reward, first=not progress.actions)
            self.take(action, self._exchanged(action, began))
        except BaseException:
            self.abandon()
            raise
        self.close_turn(time.perf_counter_ns() - started)

    def close_turn(self, duration: int) -> None:
        """A turn is over, after so many ns: nothing is half done."""
        self.progress.count_tick(duration)
        for call in self.between:
            call(self.progress)

    def _exchanged(self, action: Any, began_ns: int) -> Outcome:
        """The plant's answer to an action, of which those who watch are told."""
        if not self.sinks:
            return self.plant.exchange(action)
        outcome: Outcome | None = None
        try:
            outcome = self.plant.exchange(action)
            return outcome
        finally:
            done = self.progress
            answer = None if outcome is None or outcome.lost else outcome
            first, observation = not done.actions, self.observation
            tick = Tick(done.ticks, done.episode, first, began_ns, observation, done.reward, action, answer)
            for sink in self.sinks:
                sink.put(tick)

    def take(self, action: Any, outcome: Outcome) -> None:
        """Take the plant's answer to an action; an episode that ended with it is closed, one that was lost begins anew."""
        if outcome.lost:
            self.abandon()
            return
        if outcome.ended:
            self.controller.finish(outcome.observation, outcome.reward, terminated=outcome.terminated)
        self.observation = outcome.observation
        self.progress.count(action, outcome)
        self._in_episode, self._left = not outcome.ended, None
        if outcome.ended:
            for sink in self.sinks:
                sink.close_episode(self.progress.episode - 1, self.progress.returns[-1], self.progress.lengths[-1])

    def abandon(self) -> None:
        """The plant failed, or a control step was cut short: the unfinished episode will begin anew."""
        self.controller.abandon()
        self.progress.forget_episode()
        self._in_episode, self._left = False, None

    def leave(self) -> None:
        """The plant was used for something else: an unfinished episode is to be brought back."""
        self._left, self._in_episode = self.seen(), False

    def seen(self) -> Seen | None:
        """What was seen last of the unfinished episode; None where there is none."""
        if self._in_episode and self.progress.actions:
            return seen(self.observation)
        return self._left

    def go_on_from(self, last: Seen | None) -> None:
        """The unfinished episode is to be brought back to where `last` was seen; None: not known."""
        self._in_episode, self._left = False, last

    def enter(self) -> None:
        """Begin an episode, or bring back the unfinished one, unless it runs."""
        if self._in_episode:
            return
        progress = self.progress
        if progress.actions and self.plant.goes_on:
            self.begin_anew(f"{self.plant.env_id}: keeps its own time, so nothing in it can be brought back")
        try:
            self.observation = self.plant.replay(progress.episode, progress.actions)
            if progress.actions and self._left is not None and (how := difference(self._left, seen(self.observation))):
                raise self.plant.came_elsewhere(progress.episode, len(progress.actions), how)
        except PlantError as error:
            if not progress.actions:
                raise
            self.begin_anew(f"{error}: the environment is not deterministic")
            self.observation = self.plant.reset(progress.episode)
        self._in_episode, self._left = True, None

    def begin_anew(self, why: str) -> None:
        """The unfinished episode could not be brought back."""
        warnings.warn(f"{why}; the episode begins anew", stacklevel=5)
        self.abandon()
