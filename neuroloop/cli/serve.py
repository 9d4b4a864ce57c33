"""`neuroloop serve`: an environment in a process of its own, for a controller elsewhere."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from .stopping import stop_on_signals

EnvId = Annotated[str, typer.Argument(metavar="ENV", help="Any Gymnasium id, or module:id.")]
Bind = Annotated[
    str,
    typer.Option("--bind", metavar="ENDPOINT", help="Where: ipc://PATH, or tcp://127.0.0.1:PORT (* takes a free one)."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="An argument of the environment, as in render_mode=rgb_array. Repeatable."
    ),
]


def serve(env: EnvId, bind: Bind, settings: Set = None) -> None:
    """Serve an environment over ZeroMQ, in lockstep, to one controller at a time: `neuroloop run AGENT --connect ENDPOINT`.

    Ends by Ctrl-C or SIGTERM.
    """
    from ..config import apply
    from ..link.server import PlantServer
    from ..loop.plant import make_env
    from ..settings import PlantConfig

    arguments: dict[str, Any] = {}
    for setting in settings or ():
        apply(arguments, setting)
    made = make_env(PlantConfig(env=env, arguments=arguments))
    try:
        with PlantServer(made, bind, env) as server, stop_on_signals(server.stop) as stop:
            print(f"{env} is served at {server.url}", file=sys.stderr, flush=True)
            server.serve()
        print(f"{env} is not served any more", file=sys.stderr)
    finally:
        made.close()
    raise SystemExit(128 + stop.signal if stop.signal else 0)
