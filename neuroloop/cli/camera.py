"""`neuroloop camera`: an event camera in a process of its own, between a plant's pictures and a controller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .stopping import stop_on_signals

Frames = Annotated[
    str,
    typer.Option("--frames", metavar="ENDPOINT", help="Where the plant's pictures are: `neuroloop serve --frames`."),
]
Bind = Annotated[
    str, typer.Option("--bind", metavar="ENDPOINT", help="Where the events go out: ipc://PATH, or tcp://….")
]
AgentName = Annotated[
    str | None, typer.Option("--agent", metavar="AGENT", help="Take the settings of this agent's `plant.event_camera`.")
]
PixelName = Annotated[str | None, typer.Option("--pixel", metavar="NAME", help="clean, noisy, ideal … Default: clean.")]
Size = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="That pictures are averaged down to. Default: their own.")
]
Gamma = Annotated[
    str | None, typer.Option("--gamma", metavar="srgb|NUMBER", help="How pictures of bytes are encoded. Default: srgb.")
]
Chip = Annotated[int | None, typer.Option("--seed", help="Makes the chip. Default: 0.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Another setting of `event_camera`: pixel={shot_rate=5.0}."),
]
Keys = Annotated[Path | None, typer.Option("--keys", metavar="DIR", help="Our own keys, where a link is locked.")]
ServerKey = Annotated[
    str | None,
    typer.Option("--server-key", metavar="KEY", help="The plant's public key, where its pictures are locked."),
]


def camera(
    frames: Frames,
    bind: Bind,
    agent: AgentName = None,
    pixel: PixelName = None,
    size: Size = None,
    gamma: Gamma = None,
    seed: Chip = None,
    settings: Set = None,
    keys: Keys = None,
    server_key: ServerKey = None,
) -> None:
    """Turn a plant's pictures into events, for `neuroloop run AGENT --connect … --events-from ENDPOINT`.

    Ends by Ctrl-C or SIGTERM. Plant, camera and controller may be started in any order.
    """
    from ..link.cameras.camera import CameraServer
    from .cameras import gamma_of, settings_of, size_of

    changes = {"pixel": pixel, "size": size_of(size), "gamma": gamma_of(gamma), "seed": seed}
    wanted = settings_of(agent, changes, settings or [])
    with (
        CameraServer(
            frames, bind, wanted.pixel, wanted.size, wanted.gamma, wanted.seed, keys=keys, server_key=server_key
        ) as server,
        stop_on_signals(server.stop) as stop,
    ):
        print(f"a camera sees what comes from {frames}; its events are at {server.url}", file=sys.stderr, flush=True)
        server.serve()
    print(
        f"pictures    {server.pictures}, {server.missed} messages missed, {server.refused} refused\n"
        f"events      {server.events}",
        file=sys.stderr,
    )
    raise SystemExit(128 + stop.signal if stop.signal else 0)
