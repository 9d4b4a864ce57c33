"""What a sweep found, for people, for machines and as an agent's file."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .. import config
from ..errors import BadInput
from ..view.search import Tried
from .search_space import overrides
from .sweep_settings import Study
from .sweep_trial import rows_of, scores_of

SHOWN = 5  # best trials
WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
UNFINISHED = "unfinished"
FEWEST = 8  # complete trials from which importances are worth a look


def complete(saved: optuna.Study) -> list[FrozenTrial]:
    """Trials that ended with a value, best first."""
    trials = saved.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    sign = 1 if saved.direction == StudyDirection.MINIMIZE else -1
    return sorted(trials, key=lambda trial: (sign * _value(trial), trial.number))


def line_of(trial: FrozenTrial, saved: optuna.Study, study: Study) -> str:
    """How a trial ended, beside the best so far."""
    settings = " ".join(overrides(trial.params))
    if trial.state == TrialState.FAIL:
        return f"trial {trial.number}: failed: {trial.user_attrs['error']}; {settings}"
    best = complete(saved)
    what = "pruned" if trial.state == TrialState.PRUNED else f"{_value(trial):.4g}"
    beside = f", best {_value(best[0]):.4g} (trial {best[0].number})" if best else ""
    return f"trial {trial.number}: {what}{_solved(study, trial)}{beside}; {settings}"


def _solved(study: Study, trial: FrozenTrial) -> str:
    """How many runs solved their environment, if that was asked for."""
    rows = rows_of(trial.user_attrs).values()
    if study.settings.objective.kind != "steps":
        return ""
    return f", {sum(row['solved_at_step'] is not None for row in rows)} of {len(rows)} solved"


def report_of(saved: optuna.Study, study: Study, interrupted: bool) -> dict[str, Any]:
    """The report as one dictionary, ready for JSON."""
    settings, best = study.settings, complete(saved)
    trials = saved.get_trials(deepcopy=False)
    states = [WORDS.get(trial.state, UNFINISHED) for trial in trials]
    counts = {word: states.count(word) for word in (*WORDS.values(), UNFINISHED)}
    own = [_value(trial) for trial in best if trial.number == 0] if starts_with_own(study) else []
    return {
        "agent": study.agent, "envs": list(settings.env), "objective": settings.objective.kind,
        "direction": settings.objective.direction,
        "trials": study.trials, **counts, "interrupted": interrupted,
        "tuning_seeds": [settings.first_seed, settings.first_seed + settings.seeds - 1],
        "own_value": own[0] if own else None,
        "best": [_facts(trial, study) for trial in best[:SHOWN]],
        "failures": {str(t.number): t.user_attrs["error"] for t in trials if t.state == TrialState.FAIL},
        "importances": _importances(saved),
    }  # fmt: skip


def starts_with_own(study: Study) -> bool:
    """Whether the first trial is the agent as it is."""
    return study.settings.sampler != "grid" and study.space.own is not None


def write_best(saved: optuna.Study, study: Study, path: Path) -> Path | None:
    """Write the agent with the best settings, if any trial ended."""
    best = complete(saved)
    if not best:
        return None
    try:
        path.write_text(config.to_toml(study.agent_of(overrides(best[0].params))), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from None
    return path


def tried(saved: optuna.Study) -> list[Tried]:
    """Trials that ended with a value, for a picture."""
    return [Tried(trial.number, _value(trial), trial.params) for trial in complete(saved)]


def text_of(report: dict[str, Any]) -> str:
    """The report for people."""
    first, last = report["tuning_seeds"]
    done = ", ".join(f"{report[word]} {word}" for word in (*WORDS.values(), UNFINISHED) if report[word])
    unit = {"steps": "steps to criterion, in budgets: less is better"}.get(report["objective"], "more is better")
    lines = [
        f"{report['agent']} on {', '.join(report['envs'])}: {done or 'no trial ended'}, of {report['trials']} trials",
        f"objective   {report['objective']} ({unit})",
    ]
    if report["own_value"] is not None:
        lines.append(f"as it is    {report['own_value']:.4g} (trial 0)")
    for trial in report["best"]:
        solved = f", {trial['solved']} of {trial['runs']} solved" if report["objective"] == "steps" else ""
        spread = f"{trial['value']:.4g} ({trial['lowest']:.4g} … {trial['highest']:.4g})"
        lines.append(f"trial {trial['trial']:<5d} {spread}{solved}; {' '.join(trial['settings'])}")
    if report["importances"]:
        shares = ", ".join(f"{path} {share:.0%}" for path, share in report["importances"].items())
        lines.append(f"importance  {shares}")
    lines += _failures(report["failures"])
    if report["best"]:
        lines.append(
            f"best        {' '.join(f'--set {shlex.quote(entry)}' for entry in report['best'][0]['settings'])}"
        )
    for what in ("file", "figure"):
        lines.append(f"{what:11s} {report.get(what) or '–'}")
    seeds = f"seeds {first} to {last} were" if last > first else f"seed {first} was"
    lines.append(f"note        {seeds} tuned on: report the settings found on others, as `neuroloop bench` does")
    return "\n".join(lines)


def _failures(failures: dict[str, str]) -> list[str]:
    """The first trials that failed, with the reason."""
    lines = [f"failed      trial {number}: {error}" for number, error in list(failures.items())[:SHOWN]]
    more = len(failures) - SHOWN
    return [*lines, f"failed      {more} more"] if more > 0 else lines


def _facts(trial: FrozenTrial, study: Study) -> dict[str, Any]:
    rows = rows_of(trial.user_attrs)
    scores = scores_of(rows.values(), study.settings)
    return {
        "trial": trial.number, "value": _value(trial), "settings": overrides(trial.params), "runs": len(rows),
        "lowest": min(scores), "highest": max(scores),
        "solved": sum(row["solved_at_step"] is not None for row in rows.values()), "by_run": rows,
    }  # fmt: skip


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _importances(saved: optuna.Study) -> dict[str, float]:
    """Shares of the settings in what makes trials good, by PED-ANOVA (Watanabe et al. 2023); none of too few trials."""
    values = {trial.value for trial in complete(saved)}
    if len(complete(saved)) < FEWEST or len(values) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of settings that never varied
        return {path: float(share) for path, share in optuna.importance.get_param_importances(saved).items()}
