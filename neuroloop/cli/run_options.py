"""Options of `neuroloop run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AgentName = Annotated[
    str | None,
    typer.Argument(
        metavar="AGENT", help="A ready-made agent (`neuroloop agents`) or a TOML file. Not needed with --resume."
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        help="Stop after so many environment steps in all. Default: solved, or the agent's max_steps, or 400000 "
        "(200000 without a criterion).",
    ),
]
Episodes = Annotated[int | None, typer.Option("--episodes", help="Stop after so many episodes in all.")]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Where the checkpoint goes. Default: into recordings/runs/."),
]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="FILE", help="Go on from a checkpoint, as if it had never stopped.")
]
Events = Annotated[
    Path | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="Play a recording of an event camera instead of an environment; an episode is the file.",
    ),
]
Connect = Annotated[
    str | None,
    typer.Option("--connect", metavar="ENDPOINT", help="Drive the plant that `neuroloop serve` serves there."),
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="Our own keys, where the link is locked (`neuroloop keys`)."),
]
ServerKey = Annotated[
    str | None, typer.Option("--server-key", metavar="KEY", help="The plant's public key, where the link is locked.")
]
EventsFrom = Annotated[
    str | None,
    typer.Option(
        "--events-from", metavar="ENDPOINT", help="With --connect: take the events of `neuroloop camera` there."
    ),
]
CameraKey = Annotated[
    str | None, typer.Option("--camera-key", metavar="KEY", help="The camera's public key, where its link is locked.")
]
RealTime = Annotated[
    bool | None, typer.Option("--realtime/--no-realtime", help="At the environment's own speed, on an absolute grid.")
]
Fifo = Annotated[
    bool | None, typer.Option("--fifo/--no-fifo", help="In real time: ask for SCHED_FIFO and locked memory.")
]
CheckpointEvery = Annotated[
    int | None,
    typer.Option(
        "--checkpoint-every",
        metavar="N",
        help="Write the checkpoint every N environment steps while it runs; 0: only at the end. Default: every 30 s.",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Record every tick to an MCAP file, which must not be there yet."),
]
KeepOn = Annotated[
    bool | None, typer.Option("--keep-on/--stop-when-solved", help="Whether to go on when it is solved.")
]
Board = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", help="Scalars for TensorBoard, in a folder of the run's own."),
]
Tap = Annotated[
    str | None,
    typer.Option("--tap", metavar="ENDPOINT", help="Publish every tick there: `neuroloop watch ENDPOINT`."),
]
Pictures = Annotated[
    float | None,
    typer.Option(
        "--pictures", metavar="HZ", help="With --tap or --view: so many rendered pictures a second for who asks."
    ),
]
View = Annotated[bool, typer.Option("--view", help="Show it while it goes, in a window or in the browser.")]
Web = Annotated[bool, typer.Option("--web", help="With --view: in the browser; the default where there is no screen.")]
