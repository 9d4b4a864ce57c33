"""`neuroloop sweep`: searches an agent's settings, on this machine or on a cluster, and goes on where it was stopped."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, print_json
from .stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    import optuna

    from ..evaluation.sweep_settings import Study

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="What is searched (docs/sweeps.md).")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="Runs at a time. Default: 1, or as many as a cluster has workers."),
]
ClusterAddress = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler, as in tcp://10.0.0.5:8786.")
]
Storage = Annotated[
    Path | None, typer.Option("--storage", metavar="FILE", help="Where trials are kept. Default: beside STUDY.toml.")
]


def sweep(
    study_file: StudyFile,
    jobs: Jobs = None,
    cluster: ClusterAddress = None,
    storage: Storage = None,
    json: Json = False,
) -> None:
    """Search the settings of an agent. The same command goes on where an earlier one stopped, however it did."""
    import importlib.util

    from ..errors import MissingExtra, NeuroloopError

    if importlib.util.find_spec("optuna") is None:
        raise MissingExtra("neuroloop sweep", "sweep")
    from ..evaluation.sweep_report import report_of, text_of, write_best
    from ..evaluation.sweep_settings import read
    from ..evaluation.sweep_storage import open_storage, open_study

    study = read(study_file)
    place = storage or study_file.with_suffix(".trials")
    with stop_on_signals() as stop, open_storage(place) as journal:
        saved = open_study(journal, study, place)
        _search(study, saved, jobs, cluster, stop)
        report = report_of(saved, study, bool(stop.signal))
        report["storage"] = str(place)
        report["file"] = _text(write_best(saved, study, study_file.with_suffix(".best.toml")))
        report["figure"] = _draw(saved, study, report, study_file.with_suffix(".png"))
    print(text_of(report), file=sys.stderr if json else sys.stdout)
    if json:
        print_json(report)
    if stop.signal:
        raise SystemExit(128 + stop.signal)
    if not report["complete"]:
        raise NeuroloopError("no trial ended with a value")


def _search(study: Study, saved: optuna.Study, jobs: int | None, cluster: str | None, stop: Stop) -> None:
    """Run what is left of the trials."""
    from ..evaluation.sweep import Search
    from ..evaluation.workers import workers

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    search = Search(study, saved, report, lambda: not stop.signal)
    if search.ended:
        return
    if study.space.outside and study.settings.sampler != "grid":
        report(
            f"the agent's own {', '.join(study.space.outside)}: outside of the search, so no trial is the agent as it is"
        )
    if not search.run(functools.partial(workers, cluster=cluster), jobs):
        report("stopped by you; the same command goes on")


def _draw(saved: optuna.Study, study: Study, report: dict[str, Any], path: Path) -> str | None:
    """Draw the search, where matplotlib is there and a trial ended."""
    from ..errors import MissingExtra
    from ..evaluation.sweep_report import tried
    from ..view.search import draw_search

    less = study.settings.objective.direction == "minimize"
    failed = [int(number) for number in report["failures"]]
    title = f"{study.agent} on {', '.join(study.settings.env)}"
    try:
        return str(draw_search(tried(saved), failed, study.space.logarithmic, less, title, path))
    except (MissingExtra, ValueError, OSError):
        return None


def _text(path: Any) -> str | None:
    return None if path is None else str(path)
