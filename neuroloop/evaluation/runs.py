"""One run: an agent learns one task with one seed. It is handed over as plain data and its result is plain data, so that it
may run in any process of any machine.

Solved: the mean return of the last 100 training episodes reaches the criterion, exploration on, every environment step
counted. Held: over the episodes that follow, still learning, how low the mean of 100 ever falls.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
import tomllib
import traceback
from itertools import accumulate
from typing import Any, NamedTuple

from ..agent import Agent
from ..config import from_dict
from ..errors import NeuroloopError, PlantError
from ..loop.lockstep import WINDOW, Progress
from .curves import area_of, curve_of, means_of
from .quiet import stdout_to_stderr

WARM_STEPS = 2_500  # environment steps of a throw-away agent, which load and compile what is timed afterwards
_warmed: set[str] = set()


class Job(NamedTuple):
    """What a run needs to know."""

    task: str
    agent: str
    seed: int
    settings: str  # the agent's file with its plant, as TOML; of a baseline, only its plant
    limit: int  # environment steps after which it counts as not solved
    hold: int  # episodes after it was solved
    area: int  # environment steps that the area under the curve covers
    made_with: str  # what else the result depends on: versions and code
    episodes: int | None = None  # instead of solving: so many
    baseline: bool = False  # one of `neuroloop_agents.sb3`
    seconds: float = 10.0  # expected

    @property
    def key(self) -> str:
        """Stands for everything that the result depends on, in a journal."""
        facts = self._asdict() | {"seed": 0, "seconds": 0}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.task}/{self.agent}/{digest}/{self.seed}"


class Outcome(NamedTuple):
    """What came of a run, before it is summed up."""

    returns: list[float]
    lengths: list[int]
    steps: int
    solved_at: int | None
    cpu_s: float
    spikes: float | None
    error: str | None = None


def run(job: Job) -> dict[str, Any]:
    """Do it; returns a row that is ready for JSON. Whatever goes wrong is the row's `error`."""
    with stdout_to_stderr():
        return row_of(job, _baseline(job) if job.baseline else _learn(job))


def row_of(job: Job, outcome: Outcome) -> dict[str, Any]:
    """An outcome as a row, with its learning curve."""
    returns, lengths, solved_at = outcome.returns, outcome.lengths, outcome.solved_at
    window = before = None
    if solved_at is not None:
        solved = next((n for n, end in enumerate(accumulate(lengths), 1) if end >= solved_at), len(lengths))
        before = sum(lengths[: max(solved - WINDOW, 0)])
        window = float(means_of(returns)[solved - 1 :].min()) if len(returns) > solved else None
    per_step = max(outcome.steps, 1)
    return {
        "task": job.task, "agent": job.agent, "seed": job.seed, "solved_at_step": solved_at, "steps": outcome.steps,
        "episodes": len(returns), "steps_before_window": before,
        "final_mean": float(means_of(returns)[-1]) if returns else None, "held_worst": window,
        "auc": area_of(returns, lengths, job.area), "us_per_step": outcome.cpu_s / per_step * 1e6,
        "spikes_per_step": None if outcome.spikes is None else outcome.spikes / per_step,
        "error": outcome.error, "curve": [*curve_of(returns, lengths, solved_at)],
    }  # fmt: skip


def failed(job: Job, error: str) -> dict[str, Any]:
    """The row of a run that left nothing but its error."""
    return row_of(job, Outcome([], [], 0, None, 0.0, None, error))


def _learn(job: Job) -> Outcome:
    """An agent of ours, from scratch."""
    progress, spikes, error = Progress(None), None, None
    started = time.process_time()
    try:
        with _agent(job) as agent:
            _warm(job)
            progress, started = agent.progress, time.process_time()
            try:
                _teach(agent, job)
            finally:
                spikes = agent.controller.spikes
    except Exception as caught:
        error = _text(caught)
    cpu = time.process_time() - started
    return Outcome(
        progress.returns, progress.lengths, progress.steps, progress.solved_at_step, cpu, spikes or None, error
    )


def _teach(agent: Agent, job: Job) -> None:
    """Learn until solved, then go on for the episodes that must hold. Raises `PlantError` for episodes that never end."""
    progress = agent.learn(job.limit, episodes=job.episodes, stop_when_solved=job.episodes is None)
    if not progress.returns:
        raise PlantError(f"no episode ended in {progress.steps} steps; an environment needs ends, or a time limit")
    if job.episodes is not None or progress.solved_at_step is None or not job.hold:
        return
    wanted, longest = len(progress.returns) + job.hold, agent.env.spec and agent.env.spec.max_episode_steps
    room = max(job.limit, job.hold * longest) if longest else job.limit
    progress = agent.learn(room, episodes=wanted)
    if len(progress.returns) < wanted:
        ended = job.hold - wanted + len(progress.returns)
        raise PlantError(f"after it was solved, only {ended} of {job.hold} episodes ended in {room} steps")


def _agent(job: Job) -> Agent:
    return Agent(from_dict(tomllib.loads(job.settings)), seed=job.seed, name=job.agent)


def _warm(job: Job) -> None:
    """Load and compile what this process has not used yet, so that the run is timed without."""
    if job.episodes is not None or job.settings in _warmed:
        return
    _warmed.add(job.settings)
    with _agent(job._replace(seed=job.seed + 1)) as agent:
        try:
            agent.learn(min(WARM_STEPS, job.limit))
        except Exception:
            return  # the run itself will meet it, and say so


def _baseline(job: Job) -> Outcome:
    """An agent of Stable-Baselines3."""
    plant = tomllib.loads(job.settings)["plant"]
    try:
        sb3 = importlib.import_module("neuroloop_agents.sb3")
        done = sb3.run(job.agent, plant["env"], job.seed, job.limit, plant["criterion"], job.hold)
    except Exception as caught:
        return Outcome([], [], 0, None, 0.0, None, _text(caught))
    return Outcome(done["returns"], done["lengths"], done["steps"], done["solved_at_step"], done["cpu_s"], None)


def _text(error: Exception) -> str:
    """An error in one line; of one that is not ours, where it was raised."""
    said = " ".join(str(error).split())
    if isinstance(error, NeuroloopError):
        return said
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {said} ({os.path.basename(last.filename)}, line {last.lineno})"
