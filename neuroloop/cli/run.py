"""`neuroloop run`: control and learn on-line, with a live line and a closing report."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Env, Json, Seed, Set, check_counts, print_json
from .recordings import recorded
from .report import Request, Session, command_of, command_to_go_on, draw, print_report, report_of
from .starting import in_time, learner_of, timing_of
from .stopping import Stop, stop_on_signals
from .tapping import tapped
from .viewing import check_view, viewing

if TYPE_CHECKING:
    from ..agent import Agent
    from ..errors import CheckpointError
    from ..loop.lockstep import Progress

MOST_STEPS = 200_000  # environment steps after which a run gives up, unless the agent or the user says otherwise
MOST_STEPS_TO_SOLVE = 400_000  # where there is a criterion to reach
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
RealTime = Annotated[bool, typer.Option("--realtime", help="At the environment's own speed, on an absolute grid.")]
Fifo = Annotated[bool, typer.Option("--fifo", help="In real time: ask for SCHED_FIFO and locked memory.")]
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
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Record every tick to an MCAP file, which must not be there yet."),
]
View = Annotated[bool, typer.Option("--view", help="Show it while it goes, in a window or in the browser.")]
Web = Annotated[bool, typer.Option("--web", help="With --view: in the browser; the default where there is no screen.")]
KeepOn = Annotated[bool, typer.Option("--keep-on", help="Do not stop when the task is solved.")]


def run(
    agent: AgentName = None,
    env: Env = None,
    connect: Connect = None,
    realtime: RealTime = False,
    fifo: Fifo = False,
    keys: Keys = None,
    server_key: ServerKey = None,
    tap: Tap = None,
    pictures: Pictures = None,
    events: Events = None,
    steps: Steps = None,
    episodes: Episodes = None,
    seed: Seed = None,
    settings: Set = None,
    save: Save = None,
    resume: Resume = None,
    record: Record = None,
    view: View = False,
    web: Web = False,
    keep_on: KeepOn = False,
    json: Json = False,
) -> None:
    """Control an environment and learn on-line, from scratch or from a checkpoint.

    Stops when the mean return of the last 100 training episodes reaches the environment's criterion.
    """
    from ..arguments import checkpoint_path
    from ..checkpoint import check_place
    from ..errors import NeuroloopError

    check_counts(steps=steps, episodes=episodes)
    if save is not None:
        checkpoint_path("--save", save)
    request = Request(
        agent,
        env,
        seed,
        tuple(settings or ()),
        steps,
        episodes,
        keep_on,
        resume,
        events,
        connect,
        keys,
        server_key,
        realtime,
        fifo,
        tap,
        pictures,
        record,
        view,
        web,
    )
    check_view(request)
    learner = learner_of(request)
    folder = Path("recordings/runs") / f"{learner.name}-seed{learner.seed}-{datetime.now():%Y%m%d-%H%M%S}"
    checkpoint = save or folder / "checkpoint.zip"
    check_place(checkpoint)
    with (
        stop_on_signals() as stop,
        tapped(request, learner),
        viewing(request, learner),
        recorded(request, learner) as recording,
        in_time(request) as refused,
    ):
        before, started = learner.progress.steps, time.perf_counter()
        _learn(learner, request, checkpoint, stop)
        failure = _save(learner, checkpoint)
        wall = time.perf_counter() - started
    go_on = stop.signal and not failure
    command = command_to_go_on(request, checkpoint, learner.seed) if go_on else command_of(request, learner.seed)
    session = Session(before, wall, bool(stop.signal))
    report = report_of(learner, None if failure else checkpoint, session, command)
    report["curve"], no_curve = draw(learner, checkpoint.with_suffix(".png"))
    learner.close()
    report["timing"], report["not_permitted"], report["recording"] = timing_of(learner), refused, recording or None
    print_report(learner, report, no_curve, file=sys.stderr if json else sys.stdout)
    if json:
        print_json(report)
    if failure:
        raise NeuroloopError(f"nothing is saved: {failure}")
    if stop.signal:
        raise SystemExit(128 + stop.signal)


def _learn(learner: Agent, request: Request, checkpoint: Path, stop: Stop) -> None:
    """Learn with a live line, until the request is met; whatever ends it early, the checkpoint is written first."""
    from ..errors import NeuroloopError
    from ..view.live import LiveLine

    line, before = LiveLine(learner, sys.stderr), learner.progress.steps
    limit = request.steps or max(learner.config.plant.max_steps or _most_steps(learner), before)

    def between(progress: Progress) -> bool:
        line.show()
        return not stop.signal

    try:
        learner.learn(limit - before, episodes=request.episodes, stop_when_solved=not request.keep_on, callback=between)
    except NeuroloopError as error:
        raise type(error)(f"{error} ({_say(_save(learner, checkpoint), checkpoint)})") from None
    except BaseException as error:
        by = "at once" if isinstance(error, KeyboardInterrupt) else "by the error below"
        print(f"\nneuroloop: stopped {by}; {_say(_save(learner, checkpoint), checkpoint)}", file=sys.stderr)
        raise
    finally:
        line.close()


def _most_steps(learner: Agent) -> int:
    return MOST_STEPS if learner.progress.criterion is None else MOST_STEPS_TO_SOLVE


def _save(learner: Agent, checkpoint: Path) -> CheckpointError | None:
    """Save; returns why it could not."""
    from ..errors import CheckpointError

    try:
        learner.save(checkpoint)
    except CheckpointError as error:
        return error
    return None


def _say(failure: CheckpointError | None, checkpoint: Path) -> str:
    return f"nothing is saved: {failure}" if failure else f"everything up to there is saved in {checkpoint}"
