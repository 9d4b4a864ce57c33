"""A trial under way: which of its runs may start, which ended, and what they are worth."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .learning_run import LearningRun, Row
from .search_space import Parameters, overrides
from .sweep_settings import EnvConfig, ObjectiveConfig, Study, SweepConfig

if TYPE_CHECKING:
    from optuna import Trial

RUN = "run "  # what the names of a trial's rows begin with


class OpenTrial:
    """A trial whose runs have not all ended. Raises `ConfigError` if its settings do not go together."""

    def __init__(self, trial: Trial, parameters: Parameters, study: Study) -> None:
        self.trial = trial
        self.closed = False
        self.rows = rows_of(trial.user_attrs)
        self._settings = study.settings
        self._rounds = rounds_of(study, parameters)
        self._started: set[str] = set()

    @property
    def rounds_done(self) -> int:
        """Seeds whose runs ended on every environment, counted up to the first that misses one."""
        done = [all(run.key in self.rows for run in runs) for runs in self._rounds]
        return done.index(False) if False in done else len(done)

    @property
    def ended(self) -> bool:
        return self.rounds_done == len(self._rounds)

    @property
    def failure(self) -> str:
        """Why a run failed, if one did."""
        return next((f"{key}: {row['error']}" for key, row in self.rows.items() if row["error"]), "")

    @property
    def value(self) -> float:
        """The objective over the seeds that ended on every environment."""
        runs = [run for runs in self._rounds[: self.rounds_done] for run in runs]
        return value_of([self.rows[run.key] for run in runs], self._settings)

    def next_run(self) -> LearningRun | None:
        """A run that may start now; it is taken as started. With a pruner, a seed waits until the one before was judged."""
        last = self.rounds_done + 1 if self._settings.pruner == "median" else None
        for runs in self._rounds[self.rounds_done : last]:
            for run in runs:
                if run.key not in self._started and run.key not in self.rows:
                    self._started.add(run.key)
                    return run
        return None

    def keep(self, run: LearningRun, row: Row) -> None:
        """Note what came out, on the disk too."""
        if not row["error"] and self._settings.objective.kind != "steps" and row["final"] is None:
            row = row | {"error": f"no episode ended within {run.steps} steps"}
        self.rows[run.key] = row
        self.trial.set_user_attr(RUN + run.key, row)


def rows_of(attributes: Mapping[str, Any]) -> dict[str, Row]:
    """The rows that a trial holds, by the keys of their runs."""
    return {key.removeprefix(RUN): row for key, row in attributes.items() if key.startswith(RUN)}


def value_of(rows: Iterable[Row], settings: SweepConfig) -> float:
    """The objective over rows."""
    objective, values = settings.objective, scores_of(rows, settings)
    if objective.across == "worst":
        return max(values) if objective.kind == "steps" else min(values)
    return statistics.mean(values) if objective.across == "mean" else statistics.median(values)


def scores_of(rows: Iterable[Row], settings: SweepConfig) -> list[float]:
    """What each run counts."""
    return [_score(row, settings.env[row["env"]], settings.objective) for row in rows]


def _score(row: Row, env: EnvConfig, objective: ObjectiveConfig) -> float:
    """What a run counts: steps in budgets, returns on their scale."""
    if objective.kind == "steps":
        solved = row["solved_at_step"]
        return 1.0 + objective.penalty if solved is None else solved / env.steps
    low, high = env.scale or (0.0, 1.0)
    return float((row[objective.kind] - low) / (high - low))


def rounds_of(study: Study, parameters: Parameters) -> list[list[LearningRun]]:
    """The runs of a trial, seed by seed. Raises `ConfigError` if its settings do not go together."""
    settings, changes = study.settings, overrides(parameters)
    agents = {env_id: study.agent_of(changes, env_id) for env_id in settings.env}
    stop = settings.objective.kind == "steps"
    return [
        [LearningRun(study.agent, agents[env_id], seed, env.steps, stop) for env_id, env in settings.env.items()]
        for seed in range(settings.first_seed, settings.first_seed + settings.seeds)
    ]
