"""`neuroloop plot`: figures of a recording, a checkpoint, or the folder of a run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, check_counts, print_json

if TYPE_CHECKING:
    from ..view.plots.every import Wanted
    from ..view.plots.runs import Run
    from ..view.plots.style import Printed


OPTIONS = {"first": "--from", "last": "--to", "names": "--of", "only": "--of", "against": "--against"}  # of arguments


class Column(StrEnum):
    """How wide a figure is."""

    ONE = "one"
    TWO = "two"


class Middle(StrEnum):
    """What stands for several runs."""

    IQM = "iqm"
    MEAN = "mean"


class Format(StrEnum):
    """Of a figure's file."""

    PDF = "pdf"
    SVG = "svg"
    PNG = "png"


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…",
        help="A recording (.mcap), a checkpoint (.zip), the folder of a run, or of several; several runs are one learning "
        "curve, two checkpoints the weights before and after.",
    ),
]
What = Annotated[
    list[str] | None,
    typer.Option(
        "--what",
        metavar="FIGURE",
        help="learning, weights, raster, signals, trajectory or timing. Repeatable. Default: all that the files permit.",
    ),
]
From = Annotated[int, typer.Option("--from", metavar="STEP", help="The first control step of a recording to show.")]
To = Annotated[int | None, typer.Option("--to", metavar="STEP", help="The control step to stop before.")]
Of = Annotated[
    str | None,
    typer.Option(
        "--of", metavar="NAMES", help="Which signals, observation dimensions, or populations, separated by commas."
    ),
]
Against = Annotated[bool, typer.Option("--against", help="Two dimensions of a trajectory against each other.")]
Statistic = Annotated[Middle, typer.Option("--statistic", help="Over several runs.")]
Title = Annotated[str, typer.Option("--title", help="Above the figure.")]
Columns = Annotated[Column | None, typer.Option("--width", help="As wide as one column of a page, or two.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE|DIR", help="A file for one figure, or a folder for all. Default: beside what is shown."
    ),
]
Ending = Annotated[Format, typer.Option("--format", help="Of figures that --out does not name.")]


def plot(
    files: Files,
    what: What = None,
    first: From = 0,
    last: To = None,
    of: Of = None,
    against: Against = False,
    statistic: Statistic = Middle.IQM,
    title: Title = "",
    width: Columns = None,
    out: Out = None,
    ending: Ending = Format.PDF,
    json: Json = False,
) -> None:
    """Draw figures for papers: PDF or SVG with text that stays text, or PNG."""
    from ..errors import BadInput
    from ..view.plots.every import Wanted, by_reason, check
    from ..view.plots.runs import runs_of
    from ..view.plots.style import FORMATS, save

    check_counts(to=last)
    for name in what or ():
        check(name)
    is_file = out is not None and out.suffix.lower().removeprefix(".") in FORMATS
    if out is not None and out.suffix and not is_file and not out.is_dir():
        raise BadInput(f"--out: a figure ends in .{', .'.join(FORMATS)}, got {out}")
    if is_file and len(what or ()) != 1:
        raise BadInput(f"--out: {out} holds one figure; name it with --what, or name a folder")
    runs = [run for file in files for run in runs_of(file)]
    names = [name.strip() for name in of.split(",")] if of else []
    wanted = Wanted(first, last, names, against, statistic.value, title, width.value if width else None)
    figures, missing = _figures(what, runs, wanted)
    written = {}
    for name, figure in figures.items():
        path = out if out is not None and is_file else _place(runs[0], len(runs), out, name, ending)
        written[name] = str(save(figure, path))
    if json:
        print_json({"figures": written, "missing": missing})
        return
    for name, place in written.items():
        print(f"{name:<12}{place}")
    for why, names in by_reason(missing).items():
        print(f"not drawn: {', '.join(names)}: {why}")


def _figures(what: list[str] | None, runs: list[Run], wanted: Wanted) -> tuple[dict[str, Printed], dict[str, str]]:
    """Those that were named; or all that there can be, and why the others cannot. Raises `BadInput`."""
    from ..errors import BadInput
    from ..view.plots.every import by_reason, draw, draw_all

    if what:
        try:
            return {name: draw(name, runs, wanted) for name in what}, {}
        except BadInput as error:
            raise type(error)(_by_option(str(error))) from None
    if wanted.names or wanted.against:
        raise BadInput("--of, --against: go with one figure; name it with --what")
    figures, missing = draw_all(runs, wanted)
    missing = {name: _by_option(why) for name, why in missing.items()}
    if not figures:
        raise BadInput("; ".join(f"{', '.join(names)}: {why}" for why, names in by_reason(missing).items()))
    return figures, missing


def _by_option(why: str) -> str:
    """What is wrong with an argument, by the name that it has here."""
    name, colon, wrong = why.partition(":")
    return f"{OPTIONS.get(name, name)}{colon}{wrong}"


def _place(run: Run, runs: int, out: Path | None, name: str, ending: Format) -> Path:
    """Beside what is shown, or in the folder that was named."""
    if run.path.is_dir() and runs == 1:
        return (out or run.path) / f"{name}.{ending.value}"
    file = run.checkpoint or run.recording or run.path
    if runs == 1:
        return (out or file.parent) / f"{file.stem}-{name}.{ending.value}"
    return (out or (run.path.parent if run.path.is_dir() else file.parent)) / f"{name}.{ending.value}"
