"""The command `neuroloop` and its verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from . import (
    bench,
    camera,
    doctor,
    evaluate,
    events,
    keys,
    listing,
    page,
    plot,
    recordings,
    replay,
    run,
    serve,
    sweep,
    view,
    watch,
)  # fmt: skip

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
app.command("serve")(serve.serve)
app.command("watch")(watch.watch)
app.command("view")(view.view)
app.command("camera")(camera.camera)
app.command("replay")(replay.replay)
app.command("recover")(recordings.recover)
app.command("export")(recordings.export)
app.command("plot")(plot.plot)
app.command("report")(page.report)
app.command("eval")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)
app.command("sweep")(sweep.sweep)
app.add_typer(events.app, name="events")
app.add_typer(keys.app, name="keys")
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
