"""`neuroloop run --record`, `info FILE`, `recover` and `export`: recordings of runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, print_json
from .request import Request, command_of

if TYPE_CHECKING:
    from ..agent import Agent
    from ..recording.recover import Recovered


class To(StrEnum):
    """What a recording can be exported to."""

    NPZ = "npz"
    CSV = "csv"
    PARQUET = "parquet"
    MINARI = "minari"
    AEDAT4 = "aedat4"
    GIF = "gif"
    MP4 = "mp4"


Recording = Annotated[
    Path, typer.Argument(metavar="FILE", help="A recording, made by `neuroloop run … --record FILE`.")
]
Target = Annotated[
    Path | None, typer.Option("--to", metavar="FILE", help="Where it goes. Default: NAME.recovered.mcap beside it.")
]
Kind = Annotated[To, typer.Option("--to", help="What to make of it.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where it goes. Default: beside it, with another ending.")
]


@contextmanager
def recorded(request: Request, learner: Agent) -> Iterator[dict[str, Any]]:
    """Record what is done meanwhile, if that is wanted; gives a dictionary that is filled in at the end."""
    report: dict[str, Any] = {}
    if request.record is None:
        yield report
        return
    from ..recording.recorder import Recorder

    def say(text: str) -> None:
        print(f"\nneuroloop: {text}", file=sys.stderr)

    command = command_of(request, learner.seed)
    with Recorder(request.record, learner, command=command, say=say) as recorder, learner.watched(by=recorder):
        yield report
    report |= {
        "file": str(recorder.path), "ticks": recorder.offered, "dropped": recorder.dropped,
        "failure": recorder.failure or None,
    }  # fmt: skip


def show_recording(file: Path, json: bool) -> None:
    """Tell what is in a recording."""
    from ..recording.info import info_of
    from ..recording.reader import Recording

    facts = info_of(Recording(file))
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        text = ", ".join(text) if isinstance(text, list) else "–" if text is None else text
        print(f"{name.replace('_', ' '):18}{text}")


def recover(file: Recording, to: Target = None, json: Json = False) -> None:
    """Make a recording that was cut off, or is damaged, whole again: all that can be read, with an index.

    Exits with 1 where no decision can be read.
    """
    from ..recording import recover as recovering

    found = recovering.recover(file, to)
    if json:
        print_json(found._asdict() | {"path": str(found.path)})
    else:
        _tell_recovered(found)
    if not found.ticks:
        raise typer.Exit(1)


def _tell_recovered(found: Recovered) -> None:
    which = "no decision" if found.first_tick is None else f"decisions {found.first_tick} to {found.last_tick}"
    missing = f", {found.gaps} between them are missing" if found.gaps else ""
    print(f"{found.path}: {found.ticks} in all: {which}{missing}")
    if found.lost_chunks:
        print(f"{found.lost_chunks} damaged parts were left out")
    if found.unknown:
        print(f"{found.unknown} messages were left out, since nothing tells any more what they are")
    if not found.start:
        print("the checkpoint that the run began with could not be read: it cannot be replayed")
    if found.cut_off:
        print(f"the file was cut off: its last {found.bytes_left} bytes could not be read")


def export(file: Recording, to: Kind, out: Out = None, json: Json = False) -> None:
    """Turn a recording into a file of another kind."""
    from ..recording.export import export as exported

    path = exported(file, to.value, out)
    if json:
        print_json({"file": str(path)})
    else:
        print(path)
