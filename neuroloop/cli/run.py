"""`neuroloop run`: control and learn on-line, with a live line and a closing report."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cameras import counts_of
from .leaving import leave, with_machine
from .options import Env, Json, Seed, Set, check_counts, print_json
from .places import check_record, claimed, keep_before, step_of
from .recordings import recorded
from .report import draw, print_report, report_of
from .request import Request, Session, command_after
from .resuming import options_of, say_where, taken_over
from .run_options import (
    AgentName,
    Board,
    CameraKey,
    CheckpointEvery,
    Connect,
    Episodes,
    Events,
    EventsFrom,
    Fifo,
    KeepOn,
    Keys,
    Pictures,
    RealTime,
    Record,
    Resume,
    Save,
    ServerKey,
    Steps,
    Tap,
    View,
    Web,
)  # fmt: skip
from .starting import check_fifo, in_time, learner_of, timing_of
from .stopping import Stop, stop_on_signals
from .tapping import tapped
from .viewing import check_view, viewing
from .watching import on_board

if TYPE_CHECKING:
    from ..agent import Agent
    from ..errors import CheckpointError
    from ..loop.lockstep import Progress

MOST_STEPS = 200_000  # environment steps after which a run gives up, unless the agent or the user says otherwise
MOST_STEPS_TO_SOLVE = 400_000  # where there is a criterion to reach


def run(
    agent: AgentName = None,
    env: Env = None,
    connect: Connect = None,
    keys: Keys = None,
    server_key: ServerKey = None,
    events_from: EventsFrom = None,
    camera_key: CameraKey = None,
    events: Events = None,
    realtime: RealTime = None,
    fifo: Fifo = None,
    steps: Steps = None,
    episodes: Episodes = None,
    keep_on: KeepOn = None,
    seed: Seed = None,
    settings: Set = None,
    save: Save = None,
    checkpoint_every: CheckpointEvery = None,
    resume: Resume = None,
    record: Record = None,
    tap: Tap = None,
    pictures: Pictures = None,
    tensorboard: Board = None,
    view: View = False,
    web: Web = False,
    json: Json = False,
) -> None:
    """Control an environment and learn on-line, from scratch or from a checkpoint.

    Stops when the mean return of the last 100 training episodes reaches the environment's criterion.
    """
    from ..arguments import checkpoint_path, optional_whole
    from ..errors import NeuroloopError

    check_counts(steps=steps, episodes=episodes)
    optional_whole("--checkpoint-every", checkpoint_every, 0)
    if save is not None:
        checkpoint_path("--save", save)
    request = Request(
        agent=agent, env=env, connect=connect, keys=keys, server_key=server_key, events_from=events_from,
        camera_key=camera_key, events=events, realtime=realtime, fifo=fifo, steps=steps, episodes=episodes, keep_on=keep_on,
        seed=seed, settings=tuple(settings or ()), checkpoint_every=checkpoint_every, resume=resume, save=save,
        record=record, tap=tap, pictures=pictures, tensorboard=tensorboard, view=view, web=web,
    )  # fmt: skip
    check_view(request)
    check_record(request)
    if resume is not None:
        request = taken_over(request)
    check_fifo(fifo, request)
    learner = learner_of(request)
    learner.run_options = options_of(request)
    with claimed(request, learner) as (name, checkpoint):
        report, no_curve, failure, signal = _run(learner, request, name, checkpoint)
    print_report(learner, report, no_curve, file=sys.stderr if json else sys.stdout)
    if json:
        print_json(report)
    if failure:
        raise NeuroloopError(failure)
    if signal:
        raise SystemExit(128 + signal)


def _run(learner: Agent, request: Request, name: str, checkpoint: Path) -> tuple[dict[str, Any], str, str, int]:
    """The report, why there is no curve, why there is no checkpoint, and the signal that stopped it."""
    from ..checkpoint import check_place

    check_place(checkpoint)
    if request.resume is not None:
        say_where(learner, request)
    before = learner.progress.steps
    with (
        on_board(learner, request.tensorboard, name),
        stop_on_signals() as stop,
        tapped(request, learner),
        viewing(request, learner),
        recorded(request, learner) as recording,
        in_time(request) as refused,
    ):
        keep_before(request, checkpoint)
        started = time.perf_counter()
        _learn(learner, request, checkpoint, stop)
        if request.connect is not None:
            learner.env.close()  # says bye: the plant does its fail-safe action
        failure = _save(learner, checkpoint)
        wall = time.perf_counter() - started
    step = step_of(checkpoint) if failure else learner.progress.steps
    there = None if step is None else checkpoint
    command = command_after(request, checkpoint, learner.seed, bool(stop.signal) and there is not None)
    report = report_of(learner, there, Session(before, wall, bool(stop.signal), step), *command)
    report["curve"], no_curve = draw(learner, checkpoint.with_suffix(".png"))
    learner.close()
    report |= {
        "camera": counts_of(learner) if request.events_from else None, "timing": timing_of(learner),
        "not_permitted": refused, "recording": recording or None,
    }  # fmt: skip
    report = with_machine(report)
    leave(report, checkpoint)
    return report, no_curve, _unsaved(failure, step) if failure else "", stop.signal


def _learn(learner: Agent, request: Request, checkpoint: Path, stop: Stop) -> None:
    """Learn with a live line and a checkpoint now and then; whatever ends it early, the checkpoint is written first."""
    from ..autosave import Autosave
    from ..errors import NeuroloopError
    from ..view.live import LiveLine

    line, before = LiveLine(learner, sys.stderr), learner.progress.steps
    limit = request.steps or max(learner.config.plant.max_steps or _most_steps(learner), before)

    def between(progress: Progress) -> bool:
        line.show()
        return not stop.signal

    def tell(text: str) -> None:
        print(f"\nneuroloop: {text}", file=sys.stderr, flush=True)

    every, solved = request.checkpoint_every, not request.keep_on
    try:
        with nullcontext() if every == 0 else Autosave(learner, checkpoint, every, tell=tell, at_end=False):
            learner.learn(limit - before, episodes=request.episodes, stop_when_solved=solved, callback=between)
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
    return _unsaved(failure, step_of(checkpoint)) if failure else f"everything up to there is saved in {checkpoint}"


def _unsaved(failure: CheckpointError, step: int | None) -> str:
    """What was lost. `step`: of the checkpoint that was written before."""
    return f"nothing is saved: {failure}" if step is None else f"{failure}; what lies there is of step {step}"
