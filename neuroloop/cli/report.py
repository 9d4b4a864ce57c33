"""The closing report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .request import Session
from .timing import timing_lines

if TYPE_CHECKING:
    from ..agent import Agent


def report_of(learner: Agent, checkpoint: Path | None, session: Session, says: str, command: str) -> dict[str, Any]:
    """The report as one dictionary, ready for JSON. `times_real_time`: seconds of the environment per second on the wall,
    where the environment says how long its steps last; a tick is a decision. `says`: what the command is good for."""
    from ..loop.plant import step_time

    progress, wall = learner.progress, max(session.wall, 1e-9)
    steps, lasts = progress.steps - session.first_step, step_time(learner.env)
    return {
        "agent": learner.name, "env": learner.env_id, "seed": learner.seed, "episodes": len(progress.returns),
        "steps": progress.steps, "criterion": progress.criterion, "solved": progress.solved_at_step is not None,
        "solved_at_step": progress.solved_at_step, "mean_return_100": progress.mean_return,
        "spikes_per_tick": learner.controller.spikes / max(progress.ticks, 1),
        "us_per_tick_median": progress.us_per_tick, "wall_s": session.wall,
        "steps_per_s": steps / wall, "us_per_step": 1e6 * wall / steps if steps else None,
        "times_real_time": steps * lasts / wall if steps and lasts else None,
        "interrupted": session.interrupted,
        "checkpoint": None if checkpoint is None else str(checkpoint), "checkpoint_step": session.saved_step,
        "command_is": says, "command": command,
    }  # fmt: skip


def draw(learner: Agent, path: Path) -> tuple[str | None, str]:
    """Draw the learning curve if an episode ended; returns where it is, or why there is none."""
    from ..errors import MissingExtra
    from ..view.curve import draw_curve

    try:
        title = f"{learner.name} on {learner.env_id}, seed {learner.seed}"
        return str(draw_curve(learner.progress, title, path)), ""
    except (MissingExtra, ValueError) as error:
        return None, str(error)
    except OSError as error:
        return None, f"cannot be written: {error.strerror}"


def print_report(learner: Agent, report: dict[str, Any], no_curve: str, file: TextIO) -> None:
    """The report for people."""
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
    pace = f", {report['times_real_time']:.0f} × real time" if report["times_real_time"] else ""
    repeat = learner.config.plant.action_repeat
    held = f", held for {repeat} environment steps" if repeat > 1 else ""
    show(f"plant       {report['env']}")
    show(f"episodes    {report['episodes']}, {report['steps']} environment steps in all")
    show(
        f"speed       {report['steps_per_s']:.0f} environment steps/s in {report['wall_s']:.1f} s, "
        f"{_number(report['us_per_step'])} µs each{pace}"
    )
    show(f"a decision  {_number(report['us_per_tick_median'])} µs, {report['spikes_per_tick']:.0f} spikes{held}")
    for line in timing_lines(report.get("timing"), report.get("not_permitted", ())):
        show(line)
    if camera := report.get("camera"):
        show(
            f"camera      {camera['without']} steps without its events, {camera['lost']} packets lost, "
            f"{camera['missed']} messages with pictures missed"
        )
    if progress.returns:
        show(f"returns     {sparkline(progress.returns)}  {min(progress.returns):g} … {max(progress.returns):g}")
        show(f"curve       {report['curve'] or no_curve}")
    old = f", of step {report['checkpoint_step']}" if report["checkpoint_step"] not in (None, report["steps"]) else ""
    show(f"checkpoint  {report['checkpoint'] or '–'}{old}")
    if (recording := report.get("recording")) is not None:
        dropped = f", {recording['dropped']} of them dropped" if recording["dropped"] else ""
        show(f"recording   {recording['file']}, {recording['ticks']} decisions{dropped}")
    show(f"{report['command_is']:12}{report['command']}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
