"""A search for settings: Optuna proposes, any executor runs, a storage file remembers.

A trial is one proposal, run on every environment with every seed. The n-th proposal follows from the sweep's seed, n and the
trials that ended before, so one job at a time proposes the same again, whatever interrupted it. Runs that ended are kept in
the trial at once: after an interruption only those are run again that had not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import optuna
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ..errors import ConfigError, NeuroloopError
from .learning_run import LearningRun, Row, learn, row_of
from .search_space import Parameters
from .sweep_report import line_of
from .sweep_settings import Study
from .sweep_trial import OpenTrial

POLL = 0.25  # s between looks at whether to stop
TO_COMPARE = 4  # trials that must have come as far before one is pruned


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

    def run(self, executor: Executor, at_once: Callable[[], int]) -> bool:
        """Run until every trial ended; False if told to stop. `at_once` says how many runs the executor takes."""
        try:
            return self._run(executor, at_once)
        except BrokenProcessPool:
            raise NeuroloopError("a worker process was killed, or out of memory; the same command goes on") from None
        except CancelledError:
            raise NeuroloopError("the cluster's scheduler is gone; the same command goes on") from None

    def _run(self, executor: Executor, at_once: Callable[[], int]) -> bool:
        pending: dict[Future[Row], tuple[OpenTrial, LearningRun]] = {}
        waiting = False
        self._take_up()
        while self._keep_on():
            n_runs = at_once()
            while len(pending) < n_runs and (job := self._next_job()):
                pending[executor.submit(learn, job[1])] = job
            if not pending and n_runs:
                return True
            if waiting != (n_runs == 0):
                waiting = not waiting
                self._report("no worker is left: waiting for one" if waiting else "a worker is there again")
            if not pending:
                time.sleep(POLL)
            for future in wait(pending, POLL, FIRST_COMPLETED).done:
                opened, run = pending.pop(future)
                row = _result(future, run)
                if not opened.closed:
                    opened.keep(run, row)
                    self._judge(opened)
        return False

    def _take_up(self) -> None:
        """Go on with what an interruption left open."""
        for trial in self.saved.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:
                self._begin(optuna.Trial(self.saved, trial._trial_id))
            elif trial.state == TrialState.WAITING:
                self._begin(self.saved.ask())
        if self._open:
            self._report(f"taking up {len(self._open)} trials where they stopped")

    def _next_job(self) -> tuple[OpenTrial, LearningRun] | None:
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


def _result(future: Future[Row], run: LearningRun) -> Row:
    """What a run's future holds, also if the job took several workers down. Raises where the sweep cannot go on."""
    try:
        return future.result()
    except (BrokenProcessPool, CancelledError, NeuroloopError):
        raise
    except Exception as error:
        return row_of(run, error=f"{type(error).__name__}: {error}")
