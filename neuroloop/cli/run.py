"""`neuroloop run`: control and learn on-line, with a live line and a closing report."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AgentName, Env, Json, Seed, Set, print_json

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
    seed: Seed = 0,
    settings: Set = None,
    save: Save = None,
    resume: Resume = None,
    keep_on: KeepOn = False,
    json: Json = False,
) -> None:
    """Control an environment and learn on-line, from scratch or from a checkpoint.

    Stops when the mean return of the last 100 training episodes reaches the environment's criterion.
    """
    from ..agent import Agent, load_agent
    from ..checkpoint import check_place
    from ..errors import BadInput, NeuroloopError
    from ..view.live import LiveLine

    if save is not None and save.suffix != ".zip":
        raise BadInput(f"--save: the name of a checkpoint ends in .zip, got {save}")
    if resume is None:
        learner = load_agent(agent, env, seed, settings or ())
    elif settings or env:
        raise BadInput("--resume: a checkpoint keeps its settings and its environment; leave --set and --env out")
    else:
        learner = Agent.load(resume)
        if learner.name != Path(agent).stem:
            raise BadInput(f"--resume: {resume} holds the agent {learner.name!r}, not {agent!r}")
    folder = Path("recordings/runs") / f"{learner.name}-seed{learner.seed}-{datetime.now():%Y%m%d-%H%M%S}"
    checkpoint = save or folder / "checkpoint.zip"
    check_place(checkpoint)
    limit = steps or max(learner.config.plant.max_steps, learner.progress.steps)
    line = LiveLine(learner, sys.stderr)
    started = time.perf_counter()
    with _stop_on_signals() as stop:

        def between(progress: Progress) -> bool:
            line.show()
            return not stop.signal

        try:
            learner.learn(
                limit - learner.progress.steps, episodes=episodes, stop_when_solved=not keep_on, callback=between
            )
        except NeuroloopError as error:
            line.close()
            raise type(error)(f"{error} ({_say(_save(learner, checkpoint), checkpoint)})") from None
        except BaseException as error:
            line.close()
            by = "at once" if isinstance(error, KeyboardInterrupt) else "by the error below"
            print(f"neuroloop: stopped {by}; {_say(_save(learner, checkpoint), checkpoint)}", file=sys.stderr)
            raise
        line.close()
        failure = _save(learner, checkpoint)
    report = _report(
        learner,
        None if failure else checkpoint,
        time.perf_counter() - started,
        stop.signal,
        _command(
            learner, agent, env, settings, learner.progress.steps if stop.signal else steps, episodes, keep_on, resume
        ),
    )
    report["curve"] = _curve(learner, checkpoint.with_suffix(".png"))
    learner.close()
    _print_report(learner, report, file=sys.stderr if json else sys.stdout)
    if json:
        print_json(report)
    if failure:
        raise NeuroloopError(f"nothing is saved: {failure}")
    if stop.signal:
        raise SystemExit(128 + stop.signal)


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


class _Stop:
    """The signal that asked the run to stop, or 0."""

    signal = 0


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """Note the first SIGINT or SIGTERM; a second one acts as usual."""
    stop = _Stop()
    before: dict[int, Any] = {}

    def restore() -> None:
        for which, handler in before.items():
            signal.signal(which, handler)

    def note(number: int, frame: object) -> None:
        stop.signal = number
        restore()

    for which in (signal.SIGINT, signal.SIGTERM):
        before[which] = signal.signal(which, note)
    try:
        yield stop
    finally:
        restore()


def _command(
    learner: Agent,
    agent: str,
    env: str | None,
    settings: list[str] | None,
    steps: int | None,
    episodes: int | None,
    keep_on: bool,
    resume: Path | None,
) -> str:
    """The command that makes the same run again, from scratch or from the same checkpoint."""
    words = ["neuroloop", "run", agent]
    words += ["--resume", str(resume)] if resume else ["--seed", str(learner.seed)]
    words += ["--env", env] if env else []
    words += ["--steps", str(steps)] if steps else []
    words += ["--episodes", str(episodes)] if episodes else []
    words += ["--keep-on"] if keep_on else []
    for setting in settings or ():
        words += ["--set", setting]
    return shlex.join(words)


def _report(learner: Agent, checkpoint: Path | None, wall: float, interrupted: int, command: str) -> dict[str, Any]:
    progress = learner.progress
    return {
        "agent": learner.name, "env": learner.env_id, "seed": learner.seed, "episodes": len(progress.returns),
        "steps": progress.steps,
        "criterion": progress.criterion, "solved": progress.solved_at_step is not None,
        "solved_at_step": progress.solved_at_step,
        "mean_return_100": progress.mean_return, "spikes_per_tick": learner.controller.spikes / max(progress.ticks, 1),
        "us_per_tick_median": progress.us_per_tick, "wall_s": wall, "interrupted": bool(interrupted),
        "checkpoint": None if checkpoint is None else str(checkpoint), "command": command,
    }  # fmt: skip


def _curve(learner: Agent, path: Path) -> str | None:
    """Draw the learning curve, if the `plot` extra is there and an episode ended."""
    from ..errors import MissingExtra
    from ..view.curve import draw_curve

    try:
        return str(draw_curve(learner.progress, f"{learner.name} on {learner.env_id}, seed {learner.seed}", path))
    except (MissingExtra, ValueError, OSError):
        return None


def _print_report(learner: Agent, report: dict[str, Any], file: Any) -> None:
    from ..view.curve import sparkline

    progress = learner.progress

    def show(text: str) -> None:
        print(text, file=file)

    if report["interrupted"]:
        show("stopped by you")
    if report["solved"]:
        show(f"solved at step {report['solved_at_step']}: mean of 100 returns reached {report['criterion']:g}")
    elif report["criterion"] is not None:
        show(f"not solved: mean of 100 returns {_number(report['mean_return_100'])}, criterion {report['criterion']:g}")
    else:
        show(f"mean of 100 returns {_number(report['mean_return_100'])}; the environment names no criterion")
    rate = report["steps"] / max(report["wall_s"], 1e-9)
    show(f"{report['episodes']} episodes, {report['steps']} steps in {report['wall_s']:.1f} s ({rate:.0f} steps/s), "
         f"{report['spikes_per_tick']:.0f} spikes and {_number(report['us_per_tick_median'])} µs a tick")  # fmt: skip
    if progress.returns:
        show(f"returns     {sparkline(progress.returns)}  {min(progress.returns):g} … {max(progress.returns):g}")
    if progress.returns:
        show(f"curve       {report['curve'] or 'no picture: pip install ' + repr('neuroloop[plot]')}")
    show(f"checkpoint  {report['checkpoint'] or '–'}")
    show(f"again       {report['command']}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
