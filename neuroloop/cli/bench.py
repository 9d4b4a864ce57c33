"""`neuroloop bench`: measured suites, each figure beside its target."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, print_json

if TYPE_CHECKING:
    from ..evaluation.figures import Suite as Measured
    from ..evaluation.scores import Group
    from ..evaluation.suite import Plan


SPEED = (
    "engine",
    "link",
    "recording",
    "sensors",
    "startup",
    "worlds",
)  # modules of `neuroloop.evaluation.suites`, imported when asked for
WITH_PEERS = ("engine", "sensors")  # those that other simulators run too


class Baseline(StrEnum):
    """What may run beside our agents."""

    SB3 = "sb3"


SuiteName = Annotated[
    str,
    typer.Argument(
        metavar="SUITE",
        help="classic, control, bullet: agents learn tasks, as they do in a TOML file of your own; engine: speed of"
        " spiking networks; link: speed and safety of plants in processes of their own; sensors: speed and accuracy of event"
        " cameras; worlds: speed of our robots; startup: waiting times.",
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="Under a minute: few tasks, few seeds, fewer repeats.")]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="Seeds of each task. Default: 5, or 2 with --quick.")]
FirstSeed = Annotated[
    int, typer.Option("--first-seed", min=0, help="The first of them; none from 6000 to 10299 was used for tuning.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes at a time. Default: 1, or a cluster's workers.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler instead, tcp://host:8786.")
]
Names = Annotated[list[str] | None, typer.Option("--task", help="Only this task. Repeatable.")]
Agents = Annotated[
    list[str] | None, typer.Option("--agent", help="Instead of a task's own agents: a name or a file. Repeatable.")
]
Beside = Annotated[
    Baseline | None, typer.Option("--baseline", help="Also run tuned Stable-Baselines3 agents (extra baselines).")
]
BesideSeeds = Annotated[
    int | None,
    typer.Option("--baseline-seeds", min=1, help="Seeds of each of these. Default: 3, or 1 with --quick."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Put what was finished before aside, and begin anew.")]
Peers = Annotated[
    bool, typer.Option("--peers", help="engine, sensors: run other simulators beside, each in its own environment.")
]
Write = Annotated[
    Path | None, typer.Option("--write", metavar="FILE", help="Also write a page with figures and every run.")
]


def bench(
    suite: SuiteName,
    quick: Quick = False,
    seeds: Seeds = None,
    first_seed: FirstSeed = 8000,
    jobs: Jobs = None,
    cluster: Cluster = None,
    task: Names = None,
    agent: Agents = None,
    baseline: Beside = None,
    baseline_seeds: BesideSeeds = None,
    fresh: Fresh = False,
    peers: Peers = False,
    write: Write = None,
    json: Json = False,
) -> None:
    """Measure a suite. Exits with 0 once it is measured, whether targets are met or not; with 1 if all runs of an agent
    on a task failed.

    Runs of a suite of tasks are kept as they finish: the same command goes on where it was interrupted.
    """
    from ..evaluation.figures import as_json, as_markdown
    from ..evaluation.suite import BASELINE_SEEDS, QUICK_BASELINE_SEEDS, QUICK_SEEDS, SEEDS, plan_of
    from ..evaluation.task import read_tasks

    if write is not None:
        _check_place(write)
    groups: list[Group] = []
    command, today = shlex.join(["neuroloop", *sys.argv[1:]]), f"{date.today()}"
    if suite in SPEED:
        measured = _speed(suite, quick, peers)
        page = as_markdown(measured, command, today)
    else:
        name, tasks = read_tasks(suite)
        seeds = seeds or (QUICK_SEEDS if quick else SEEDS)
        beside = (baseline_seeds or (QUICK_BASELINE_SEEDS if quick else BASELINE_SEEDS)) if baseline else 0
        plan = plan_of(name, tasks, task or (), range(first_seed, first_seed + seeds), quick, agent or (), beside)
        groups = _learn(plan, jobs, cluster, fresh)
        measured, page = _report(plan, groups, tasks.about, command, today, write)
    for figure in measured.figures:
        print(figure, file=sys.stderr if json else sys.stdout)
    if write is not None:
        write.write_text(page, encoding="utf-8")
        if suite == "engine":
            _draw_engine(measured, write.with_suffix(".png"))
    if json:
        print_json(as_json(measured))
    _check_runs(groups)


def _check_runs(groups: list[Group]) -> None:
    """Raises `NeuroloopError` if all runs of an agent on a task failed."""
    from ..errors import NeuroloopError

    lost = [f"{group.task} {group.agent}: {group.rows[0]['error']}" for group in groups if group.lost]
    if lost:
        raise NeuroloopError(f"every run failed of {'; '.join(lost)}")


def _check_place(path: Path) -> None:
    """Raises `BadInput` before the work is done if a page could not be written."""
    from ..checkpoint import check_place

    check_place(path)


def _learn(plan: Plan, jobs: int | None, cluster: str | None, fresh: bool) -> list[Group]:
    """Do what the journal does not hold yet."""
    from ..evaluation.figures import machine
    from ..evaluation.journal import Journal, put_aside
    from ..evaluation.made_with import OURS, code_of
    from ..evaluation.progress import watcher
    from ..evaluation.study import Study
    from ..evaluation.suite import bundles_of, groups_of, journal_path

    bundles = bundles_of(plan)
    path = journal_path(plan.suite)
    if fresh and (aside := put_aside(path)):
        print(f"what was finished before lies in {aside}", file=sys.stderr)
    journal = Journal(path, plan.suite)
    wanted = [job for bundle in bundles for job in bundle.jobs]
    apart = sum(job.key not in journal.rows and journal.others(job.key) for job in wanted)
    if apart:
        print(f"{apart} runs were made with other settings, versions or code: they are made anew", file=sys.stderr)
    if journal.damaged:
        print(f"{path}: {journal.damaged} lines were cut short: their runs are made anew", file=sys.stderr)
    journal.begin({"code": code_of(*OURS), "machine": machine()})
    try:
        Study(journal, watcher(sys.stderr), jobs, cluster).rows(wanted)
    except KeyboardInterrupt:
        print(f"what is finished lies in {path}: the same command goes on from there", file=sys.stderr)
        raise
    return groups_of(plan, bundles, journal.rows)


def _report(
    plan: Plan, groups: list[Group], about: str, command: str, today: str, write: Path | None
) -> tuple[Measured, str]:
    """Figures, and the page of them with its picture."""
    from ..errors import MissingExtra
    from ..evaluation.picture import draw
    from ..evaluation.suite import measured
    from ..evaluation.table import page

    suite, picture = measured(plan, groups), None
    if write is not None:
        try:
            picture = draw(groups, write.with_suffix(".png")).name
        except MissingExtra as missing:
            print(missing, file=sys.stderr)
    return suite, page(suite, groups, plan, about, command, today, picture)


def _speed(suite: str, quick: bool, peers: bool) -> Measured:
    """Measure a suite of speed: `run` of its module."""
    module: Any = import_module(f"neuroloop.evaluation.suites.{suite}")

    def report(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    measured: Measured = module.run(quick, *([peers] if suite in WITH_PEERS else []), report)
    return measured


def _draw_engine(measured: Measured, path: Path) -> None:
    """Draw the cost against activity, where matplotlib is there."""
    from ..errors import MissingExtra
    from ..evaluation.suites import engine

    try:
        engine.draw(measured, path)
    except MissingExtra as missing:
        print(missing, file=sys.stderr)
