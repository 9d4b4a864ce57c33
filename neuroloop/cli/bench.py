"""`neuroloop bench`: measured suites, each figure beside its target."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, print_json


class SuiteName(StrEnum):
    """The suites."""

    CLASSIC = "classic"
    ENGINE = "engine"
    STARTUP = "startup"


Suite = Annotated[
    SuiteName,
    typer.Argument(
        metavar="SUITE",
        help="classic: agents on Gymnasium's tasks; engine: speed of spiking networks; startup: waiting times.",
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="Under a minute: two seeds, fewer repeats.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each task.")]
FirstSeed = Annotated[
    int, typer.Option("--first-seed", min=0, help="The first of them; none from 6000 on was used for tuning.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes at a time.")]
Tasks = Annotated[list[str] | None, typer.Option("--task", help="Only this task. Repeatable.")]
Peers = Annotated[
    bool, typer.Option("--peers", help="engine: run other simulators beside, each in its own environment.")
]
Write = Annotated[
    Path | None, typer.Option("--write", metavar="FILE", help="Also write a page with figures and every run.")
]


def bench(
    suite: Suite,
    quick: Quick = False,
    seeds: Seeds = 5,
    first_seed: FirstSeed = 8000,
    jobs: Jobs = 1,
    task: Tasks = None,
    peers: Peers = False,
    write: Write = None,
    json: Json = False,
) -> None:
    """Measure a suite. Exits with 0 once it is measured, whether targets are met or not."""
    from ..errors import BadInput, unknown
    from ..evaluation.figures import as_json, as_markdown
    from ..evaluation.suites import classic, startup

    def report(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    for name in task or ():
        if name not in classic.TASKS:
            raise BadInput(unknown("task", name, classic.TASKS))
    if suite is SuiteName.CLASSIC:
        measured = classic.run(
            min(seeds, 2) if quick else seeds,
            first_seed,
            jobs,
            0 if quick else 500,
            task or list(classic.TASKS),
            report,
        )
    elif suite is SuiteName.ENGINE:
        from ..evaluation.suites import engine

        measured = engine.run(quick, peers, report)
    else:
        measured = startup.run(3 if quick else 9, quick, report)
    for figure in measured.figures:
        print(figure, file=sys.stderr if json else sys.stdout)
    if write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_text(
            as_markdown(measured, shlex.join(["neuroloop", *sys.argv[1:]]), f"{date.today()}"), encoding="utf-8"
        )
        if suite is SuiteName.ENGINE:
            _draw(measured, write.with_suffix(".png"))
    if json:
        print_json(as_json(measured))


def _draw(measured: Any, path: Path) -> None:
    """Draw the cost against activity, where matplotlib is there."""
    from ..errors import MissingExtra
    from ..evaluation.suites import engine

    try:
        engine.draw(measured, path)
    except MissingExtra as missing:
        print(missing, file=sys.stderr)
