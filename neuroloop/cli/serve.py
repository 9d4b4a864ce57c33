"""`neuroloop serve`: an environment in a process of its own, for a controller elsewhere."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .stopping import stop_on_signals
from .timing import timing_lines

if TYPE_CHECKING:
    from ..link.live import LivePlant
    from ..link.server import PlantServer


class Overrun(StrEnum):
    """What happens to ticks whose time went by."""

    SKIP = "skip"
    STRETCH = "stretch"
    HOLD = "hold"


EnvId = Annotated[str, typer.Argument(metavar="ENV", help="Any Gymnasium id, or module:id.")]
Bind = Annotated[
    str,
    typer.Option("--bind", metavar="ENDPOINT", help="Where: ipc://PATH, or tcp://127.0.0.1:PORT (* takes a free one)."),
]
Frames = Annotated[
    str | None,
    typer.Option("--frames", metavar="ENDPOINT", help="Where its pictures go out for a camera (`neuroloop camera`)."),
]
Picture = Annotated[
    str | None, typer.Option("--picture", metavar="KEY", help="Which picture of the observation these are.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="An argument of the environment: render_mode=rgb_array. Repeatable."
    ),
]
RealTime = Annotated[
    bool, typer.Option("--realtime", help="The plant keeps its own time, instead of waiting for every action.")
]
Deadline = Annotated[
    float | None,
    typer.Option(
        "--deadline",
        metavar="SECONDS",
        help="In real time: without a fresh command for so long, it helps itself. Default: 0.1.",
    ),
]
Period = Annotated[
    float | None,
    typer.Option("--period", metavar="SECONDS", help="How long a step lasts. Default: what the environment says."),
]
FailSafe = Annotated[
    str | None, typer.Option("--fail-safe", metavar="ACTION", help="How, as JSON: [0.0, 0.0]. Default: rest.")
]
Amplitude = Annotated[
    float | None, typer.Option("--amplitude", help="The farthest from rest that an action may be, whatever is asked.")
]
Slew = Annotated[float | None, typer.Option("--slew", help="The most that an action may change in a second.")]
Policy = Annotated[
    Overrun | None,
    typer.Option("--overrun", help="In real time: what becomes of ticks whose time went by. Default: skip."),
]
Fifo = Annotated[bool, typer.Option("--fifo", help="In real time: ask for SCHED_FIFO and locked memory.")]
Tap = Annotated[
    str | None,
    typer.Option("--tap", metavar="ENDPOINT", help="In real time: publish every tick there (`neuroloop watch`)."),
]
Keys = Annotated[
    Path | None, typer.Option("--keys", metavar="DIR", help="Let in only who is allowed there (`neuroloop keys`).")
]


def serve(
    env: EnvId,
    bind: Bind,
    frames: Frames = None,
    picture: Picture = None,
    settings: Set = None,
    keys: Keys = None,
    realtime: RealTime = False,
    period: Period = None,
    deadline: Deadline = None,
    fail_safe: FailSafe = None,
    amplitude: Amplitude = None,
    slew: Slew = None,
    overrun: Policy = None,
    fifo: Fifo = False,
    tap: Tap = None,
) -> None:
    """Serve an environment over ZeroMQ to one controller at a time: `neuroloop run AGENT --connect ENDPOINT`.

    Ends by Ctrl-C or SIGTERM, in the fail-safe action where an episode runs; a second one ends it at once.
    """
    from ..config import apply
    from ..link.cameras.pictures import PublishedFrames
    from ..link.keys import read
    from ..link.server import DEADLINE, PlantServer
    from ..loop.plant import make_env
    from ..settings import PlantConfig
    from .cameras import keys_at, showing

    if not realtime:
        _check_lockstep(tap=tap, deadline=deadline, overrun=overrun, fifo=fifo or None)
    arguments: dict[str, Any] = {}
    for setting in settings or ():
        apply(arguments, setting)
    safe = _action(fail_safe)
    own, config = None if keys is None else read(keys), PlantConfig(env=env, arguments=arguments)
    made = make_env(config) if frames is None else showing(config, frames, picture, own)
    try:
        with (
            PlantServer(made, bind, env, own if frames is None else keys_at(bind, own)) as server,
            stop_on_signals(server.stop) as stop,
        ):

            def ready() -> None:
                print(f"{env} is served at {server.url}", file=sys.stderr, flush=True)
                if isinstance(made, PublishedFrames):
                    print(f"its pictures are at {made.url}", file=sys.stderr, flush=True)

            limits: dict[str, Any] = {"period": period, "amplitude": amplitude, "slew": slew, "ready": ready}
            if realtime:
                plant = server.serve_in_real_time(
                    deadline=DEADLINE if deadline is None else deadline,
                    policy=(overrun or Overrun.SKIP).value,
                    fail_safe=safe,
                    fifo=fifo,
                    tap=tap,
                    **limits,
                )
                _tell(server, plant)
            else:
                server.serve(safe, **limits)
        print(f"{env} is not served any more", file=sys.stderr)
    finally:
        made.close()
    raise SystemExit(128 + stop.signal if stop.signal else 0)


def _check_lockstep(**options: Any) -> None:
    """Raises `BadInput` for what only a plant with a time of its own has."""
    from ..errors import BadInput

    for name, given in options.items():
        if given is not None:
            other = ", or tap the run: `run --tap`" if name == "tap" else ""
            raise BadInput(f"--{name}: is for a plant that keeps its own time; add --realtime{other}")


def _action(text: str | None) -> Any:
    """An action as the user wrote it. Raises `BadInput`."""
    from ..errors import BadInput

    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise BadInput(f"--fail-safe: must be JSON, such as [0.0, 0.0] or 1, got {text!r}") from None


def _tell(server: PlantServer, plant: LivePlant) -> None:
    """How well time was kept, and how often the plant helped itself."""
    for line in timing_lines(server.timing.report(), server.refused):
        print(line, file=sys.stderr)
    print(
        f"fail-safe    {plant.helped} ticks, taken over {plant.lapses} times; {plant.session.refused} messages refused",
        file=sys.stderr,
    )
