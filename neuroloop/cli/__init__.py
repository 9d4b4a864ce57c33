"""One command, one file a verb. Exit codes: 0 done, 1 failed, 2 bad input, 130 Ctrl-C, 143 SIGTERM."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import bench, doctor, evaluate, events, listing, run, sweep

app = typer.Typer(
    name="neuroloop",
    help="A spiking neural network drives a robot and learns while it drives.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help comes in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("eval")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)
app.command("sweep")(sweep.sweep)
app.add_typer(events.app, name="events")
app.command("agents")(listing.agents)
app.command("envs")(listing.envs)
app.command("info")(listing.info)


def _show_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"neuroloop {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A spiking neural network drives a robot and learns while it drives."""


def main() -> None:
    """Entry point of the command `neuroloop`."""
    from ..errors import BadInput, NeuroloopError

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.path.append(str(Path.cwd()))  # for --env module:id with a module that lies here
    try:
        app()
    except NeuroloopError as error:
        print(f"neuroloop: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, BadInput) else 1)
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # typer says nothing of it
            print("neuroloop: interrupted", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
