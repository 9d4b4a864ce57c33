"""One learning run as a job for any worker: an agent, an environment, a seed and a budget in; a row of figures out.

The area under the learning curve is the mean over environment steps of the return of the episode under way,
Σ Rᵢ nᵢ / Σ nᵢ, with Rᵢ the return and nᵢ the steps of episode i.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from ..agent import Agent
from ..settings import AgentConfig
from .curves import area_of

Row = dict[str, Any]


class LearningRun(NamedTuple):
    """What is to be run."""

    name: str
    config: AgentConfig
    seed: int
    steps: int  # environment steps
    stop_when_solved: bool

    @property
    def key(self) -> str:
        """The run within its trial."""
        return f"{self.config.plant.env} seed {self.seed}"


def learn(run: LearningRun) -> Row:
    """Run it. What fails becomes the row's `error`: exceptions of environments do not always travel."""
    started = time.process_time()
    try:
        with Agent(run.config, None, run.seed, run.name) as agent:
            progress = agent.learn(run.steps, stop_when_solved=run.stop_when_solved)
    except Exception as error:
        return row_of(run, error=f"{type(error).__name__}: {error}", cpu_s=time.process_time() - started)
    return row_of(
        run,
        steps=progress.steps,
        episodes=len(progress.returns),
        solved_at_step=progress.solved_at_step,
        final=progress.mean_return,
        area=area_of(progress.returns, progress.lengths, sum(progress.lengths)),
        cpu_s=time.process_time() - started,
    )


def row_of(run: LearningRun, *, error: str | None = None, **figures: Any) -> Row:
    """A row of a run that ended or failed."""
    return {"env": run.config.plant.env, "seed": run.seed, "error": error} | figures
