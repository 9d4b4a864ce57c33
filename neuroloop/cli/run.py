"""`neuroloop run`: control and learn on-line, with a live line and a closing report."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AgentName, Env, Json, Seed, Set, print_json
from .report import Request, Session, command_of, draw, print_report, report_of
from .stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    from ..agent import Agent
    from ..errors import CheckpointError
    from ..loop.lockstep import Progress

Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", min=1, help="Stop after so many plant steps in all. Default: solved, or the agent's max_steps."
    ),
]
Episodes = Annotated[int | None, typer.Option("--episodes", min=1, help="Stop after so many episodes in all.")]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Where the checkpoint goes. Default: into recordings/runs/."),
]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="FILE", help="Go on from a checkpoint, as if it had never stopped.")
]
KeepOn = Annotated[bool, typer.Option("--keep-on", help="Do not stop when the task is solved.")]


def run(
    agent: AgentName,
    env: Env = None,
    steps: Steps = None,
    episodes: Episodes = None,
    seed: Seed = None,
    settings: Set = None,
    save: Save = None,
    resume: Resume = None,
    keep_on: KeepOn = False,
    json: Json = False,
) -> None:
    """Control an environment and learn on-line, from scratch or from a checkpoint.

    Stops when the mean return of the last 100 training episodes reaches the environment's criterion.
    """
    from ..checkpoint import check_place
    from ..errors import BadInput, NeuroloopError

    if save is not None and save.suffix != ".zip":
        raise BadInput(f"--save: the name of a checkpoint ends in .zip, got {save}")
    request = Request(agent, env, seed, tuple(settings or ()), steps, episodes, keep_on, resume)
    learner = _learner(request)
    folder = Path("recordings/runs") / f"{learner.name}-seed{learner.seed}-{datetime.now():%Y%m%d-%H%M%S}"
    checkpoint = save or folder / "checkpoint.zip"
    check_place(checkpoint)
    before, started = (learner.progress.steps, learner.progress.ticks), time.perf_counter()
    with stop_on_signals() as stop:
        _learn(learner, request, checkpoint, stop)
        failure = _save(learner, checkpoint)
    command = command_of(request, learner.seed, learner.progress.steps if stop.signal else None)
    session = Session(*before, time.perf_counter() - started, bool(stop.signal))
    report = report_of(learner, None if failure else checkpoint, session, command)
    report["curve"], no_curve = draw(learner, checkpoint.with_suffix(".png"))
    learner.close()
    print_report(learner, report, no_curve, file=sys.stderr if json else sys.stdout)
    if json:
        print_json(report)
    if failure:
        raise NeuroloopError(f"nothing is saved: {failure}")
    if stop.signal:
        raise SystemExit(128 + stop.signal)


def _learner(request: Request) -> Agent:
    """The agent from scratch, or from its checkpoint."""
    from ..agent import Agent, load_agent
    from ..errors import BadInput

    if request.resume is None:
        return load_agent(request.agent, request.env, request.seed or 0, request.settings)
    if request.settings or request.env or request.seed is not None:
        raise BadInput(
            "--resume: a checkpoint keeps its settings, environment and seed; leave --set, --env and --seed out"
        )
    learner = Agent.load(request.resume)
    if learner.name != Path(request.agent).stem:
        raise BadInput(f"--resume: {request.resume} holds the agent {learner.name!r}, not {request.agent!r}")
    if request.steps is not None and request.steps < learner.progress.steps:
        raise BadInput(f"--steps: counts in all, and {request.resume} holds {learner.progress.steps} already")
    return learner


def _learn(learner: Agent, request: Request, checkpoint: Path, stop: Stop) -> None:
    """Learn with a live line, until the request is met; whatever ends it early, the checkpoint is written first."""
    from ..errors import NeuroloopError
    from ..view.live import LiveLine

    line, before = LiveLine(learner, sys.stderr), learner.progress.steps
    limit = request.steps or max(learner.config.plant.max_steps, before)

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
