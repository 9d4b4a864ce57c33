"""A search for settings: Optuna proposes, any executor runs, a storage file remembers.

A trial is one proposal, run on every environment with every seed. The n-th proposal follows from the sweep's seed, n and the
trials that ended before, so one job at a time proposes the same again, whatever interrupted it. Runs that ended are kept in
the trial at once: after an interruption only those are run again that had not.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import optuna
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ..errors import ConfigError
from .crew import Crew, Pools
from .learning_run import LearningRun, Row, learn, row_of
from .search_space import Parameters
from .sweep_report import line_of
from .sweep_settings import Study
from .sweep_trial import OpenTrial

TO_COMPARE = 4  # trials that must have come as far before one is pruned
Job = tuple[OpenTrial, LearningRun]


def propose(study: Study, before: list[FrozenTrial]) -> Parameters:
    """The proposal that follows after these trials. The first is the agent as it is, if it lies in the space."""
    settings, space, n = study.settings, study.space, len(before)
    if settings.sampler == "grid":
        return space.grid(n)
    if n == 0 and space.own is not None:
        return space.own
    if settings.sampler == "random":
        return space.random(n, settings.seed)
    if settings.sampler == "quasi-random":
        return space.quasi_random(n, settings.seed)
    seed = int(np.random.SeedSequence([settings.seed, n]).generate_state(1)[0])
    aside = optuna.create_study(sampler=TPESampler(seed=seed), direction=settings.objective.direction)
    aside.add_trials(before)
    return space.suggest(aside.ask())


class Search:
    """The sweep under way. `report` takes a line for people, `keep_on` says whether to go on."""

    def __init__(
        self, study: Study, saved: optuna.Study, report: Callable[[str], Any], keep_on: Callable[[], bool]
    ) -> None:
        self.study, self.saved = study, saved
        self._report, self._keep_on = report, keep_on
        self._open: list[OpenTrial] = []

    @property
    def ended(self) -> bool:
        """Whether every trial ended."""
        trials = self.saved.get_trials(deepcopy=False)
        return len(trials) >= self.study.trials and all(trial.state.is_finished() for trial in trials)

    def run(self, pools: Pools, n_jobs: int | None = None) -> bool:
        """Run until every trial ended; False if told to stop. Raises `NeuroloopError` if that cannot be."""
        self._take_up()
        return Crew(self, pools, n_jobs, self._keep_on).run()

    def submit(self, pool: Executor, item: Job) -> Future[Row]:
        return pool.submit(learn, item[1])

    def finished(self, item: Job, row: Row) -> None:
        """Keep what came of a run, unless its trial was closed meanwhile."""
        opened, run = item
        if not opened.closed:
            opened.keep(run, row)
            self._judge(opened)

    def failed(self, item: Job, error: str) -> None:
        self.finished(item, row_of(item[1], error=error))

    def again(self, item: Job) -> bool:
        opened, run = item
        if not opened.closed:
            self.say(f"trial {opened.trial.number}: {run.key}: a process died while it ran; it runs again, alone")
        return not opened.closed

    def say(self, text: str) -> None:
        self._report(text)

    def _take_up(self) -> None:
        """Go on with what an interruption left open."""
        for trial in self.saved.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:
                self._begin(optuna.Trial(self.saved, trial._trial_id))
            elif trial.state == TrialState.WAITING:
                self._begin(self.saved.ask())
        if self._open:
            self._report(f"taking up {len(self._open)} trials where they stopped")

    def next(self) -> Job | None:
        """The next run of an open trial, else the first of a new one: few open trials mean more to learn from."""
        while True:
            for opened in self._open:
                if run := opened.next_run():
                    return opened, run
            before = self.saved.get_trials(deepcopy=False)
            if len(before) >= self.study.trials:
                return None
            self.saved.enqueue_trial(propose(self.study, before))  # one line of the file: whole or not there
            self._begin(self.saved.ask())

    def _begin(self, trial: optuna.Trial) -> None:
        """Open a trial."""
        parameters = self.study.space.suggest(trial)
        try:
            opened = OpenTrial(trial, parameters, self.study)
        except ConfigError as error:
            self._end(trial, TrialState.FAIL, error=str(error))
            return
        self._open.append(opened)
        self._judge(opened)

    def _judge(self, opened: OpenTrial) -> None:
        """Close a trial that failed, ended or is not worth going on."""
        trial, failure = opened.trial, opened.failure
        if failure:
            self._close(opened)
            self._end(trial, TrialState.FAIL, error=failure)
        elif opened.ended:
            self._close(opened)
            self._end(trial, TrialState.COMPLETE, opened.value)
        elif opened.rounds_done and self._is_worse_than_most(opened):
            self._close(opened)
            self._end(trial, TrialState.PRUNED)

    def _close(self, opened: OpenTrial) -> None:
        opened.closed = True
        self._open.remove(opened)

    def _end(self, trial: optuna.Trial, state: TrialState, value: float | None = None, error: str = "") -> None:
        if error:
            trial.set_user_attr("error", error)
        self._report(line_of(self.saved.tell(trial, value, state), self.saved, self.study))

    def _is_worse_than_most(self, opened: OpenTrial) -> bool:
        """Whether a trial is worse than the median of those that came as far."""
        if self.study.settings.pruner == "none":
            return False
        number, rounds, value = opened.trial.number, opened.rounds_done, opened.value
        trials = self.saved.get_trials(deepcopy=False)
        if rounds not in trials[number].intermediate_values:
            opened.trial.report(value, rounds)
        others = [
            t.intermediate_values[rounds] for t in trials if t.number != number and rounds in t.intermediate_values
        ]
        if len(others) < TO_COMPARE:
            return False
        median = statistics.median(others)
        return value > median if self.saved.direction == StudyDirection.MINIMIZE else value < median
