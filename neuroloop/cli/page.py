"""`neuroloop report`: one HTML page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, print_json

Folder = Annotated[
    Path, typer.Argument(metavar="RUNDIR", help="The folder of a run, as in recordings/runs/; or its checkpoint.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Default: report.html in the folder.")]


def report(folder: Folder, out: Out = None, json: Json = False) -> None:
    """Write one page that stands alone: what ran, its outcome, figures, timing and configuration."""
    from ..errors import BadInput
    from ..view.page import page_of, write
    from ..view.plots.runs import runs_of

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"--out: a page ends in .html, got {out}")
    run, *more = runs_of(folder)
    if more:
        raise BadInput(f"{folder}: holds {1 + len(more)} runs; name the folder of one, such as {run.path}")
    beside = folder / "report.html" if folder.is_dir() else folder.with_suffix(".html")
    path = write(page_of(run), out or beside)
    print_json({"page": str(path)}) if json else print(path)
