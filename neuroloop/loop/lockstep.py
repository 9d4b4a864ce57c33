"""The ring in lockstep: the plant waits for the controller, the controller for the plant.

All that a run has done so far is in `Progress` and the controller's state, also in the middle of an episode: the plant is
brought back by replaying the unfinished episode's actions.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..controller import Controller
from ..errors import PlantError
from .plant import Plant

WINDOW = 100  # episodes of the mean return that decides
TIMED = 4096  # latest control steps whose durations are kept
BETWEEN_CALLS = 100_000_000  # ns between two calls of a callback


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


class Lockstep:
    """Runs a controller against a plant."""

    def __init__(self, plant: Plant, controller: Controller, progress: Progress) -> None:
        self.plant = plant
        self.controller = controller
        self.progress = progress
        self._observation: Any = None
        self._in_episode = False

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
        progress, called = self.progress, time.perf_counter_ns()
        while progress.steps < total_steps:
            if episodes is not None and len(progress.returns) >= episodes:
                return
            if stop_when_solved and progress.solved_at_step is not None:
                return
            self._tick()
            now = time.perf_counter_ns()
            if callback is not None and now - called >= BETWEEN_CALLS:
                called = now
                if callback(progress) is False:
                    return

    def _tick(self) -> None:
        """One turn of the ring."""
        progress, controller = self.progress, self.controller
        if not self._in_episode:
            self._enter()
        started = time.perf_counter_ns()
        try:
            action = controller.act(self._observation, progress.reward, first=not progress.actions)
            outcome = self.plant.exchange(action)
            if outcome.terminated or outcome.truncated:
                controller.finish(outcome.observation, outcome.reward, terminated=outcome.terminated)
        except BaseException as error:
            self._abandon()
            if isinstance(error, PlantError):
                raise PlantError(f"tick {progress.ticks}: {error}") from None
            raise
        self._observation = outcome.observation
        progress.actions.append(action)
        progress.reward = outcome.reward
        progress.episode_return += outcome.reward
        progress.episode_steps += outcome.n_steps
        progress.steps += outcome.n_steps
        if outcome.terminated or outcome.truncated:
            progress.count_episode()
            self._in_episode = False
        progress.durations[progress.ticks % TIMED] = time.perf_counter_ns() - started
        progress.ticks += 1

    def _abandon(self) -> None:
        """The plant failed, or a control step was cut short: the unfinished episode will begin anew."""
        self.controller.abandon()
        self.progress.forget_episode()
        self._in_episode = False

    def _enter(self) -> None:
        """Begin an episode, or bring back the unfinished one."""
        progress = self.progress
        try:
            self._observation = self.plant.replay(progress.episode, progress.actions)
        except PlantError as error:
            if not progress.actions:
                raise
            warnings.warn(f"{error}: the environment is not deterministic, the episode begins anew", stacklevel=4)
            self._abandon()
            self._observation = self.plant.reset(progress.episode)
        self._in_episode = True


def play(plant: Plant, controller: Controller, episodes: range) -> NDArray[np.float64]:
    """Returns of whole episodes without learning or exploring, shape (len(episodes),)."""
    returns = np.zeros(len(episodes))
    for n, episode in enumerate(episodes):
        observation, state, ended = plant.reset(episode), None, False
        while not ended:
            action, state = controller.predict(observation, state)
            outcome = plant.exchange(action)
            observation, ended = outcome.observation, outcome.terminated or outcome.truncated
            returns[n] += outcome.reward
    return returns
