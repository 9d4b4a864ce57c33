"""A control step as a picture needs it, whether it was heard of on a tap or read from a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ...link.spaces import rebuild
from ...link.telemetry.facts import RunFacts, TickFacts
from ...link.telemetry.hearing import Heard
from ...loop.timing import TIMING
from ...recording.recorded import Recorded
from ...types import Timed


class About(NamedTuple):
    """What a run is of."""

    title: str
    env: str
    facts: tuple[str, ...]
    observation: gymnasium.Space[Any] | None
    action: gymnasium.Space[Any] | None
    populations: Mapping[str, int]
    numbers: tuple[str, ...]


class Scene(NamedTuple):
    """A control step."""

    tick: int
    t_ns: int
    episode: int
    first: bool
    observation: Any
    action: Any
    reward: float | None  # the answer to the action
    episode_return: float
    spikes: Mapping[str, NDArray[np.integer]]  # of each neuron, by population
    numbers: Mapping[str, float]
    timing: Mapping[str, int] | None  # ns
    ended: bool = False  # whether the episode ended with the answer, where that is known


def about_run(run: RunFacts) -> About:
    """What a tap says of a run."""
    seed = "" if run.seed is None else f", seed {run.seed}"
    title = f"{run.agent or 'plant'} on {run.env}{seed}"
    facts = [f"**{title}**"]
    step = f"control step {run.period_ns / 1e6:g} ms, " if run.period_ns else ""
    facts.append(f"{step}{run.by}")
    if run.criterion is not None:
        facts.append(f"solved at a mean return of {run.criterion:g}")
    seen, done = (None if spec is None else rebuild(spec) for spec in (run.observation_space, run.action_space))
    return About(title, run.env, tuple(facts), seen, done, run.populations, run.numbers)


def scene_heard(heard: Heard, facts: TickFacts) -> Scene:
    """A tick of a tap."""
    return Scene(
        facts.tick, facts.t_ns, facts.episode, facts.first, heard.observation, heard.action, facts.answer,
        facts.episode_return, heard.spikes, facts.numbers, facts.timing,
    )  # fmt: skip


def scene_recorded(recorded: Recorded, episode_return: float) -> Scene:
    """A tick of a recording. `episode_return`: with the answer to its action."""
    tick = recorded.tick
    answer = None if tick.outcome is None else tick.outcome.reward
    timed = None if tick.outcome is None else tick.outcome.info.get(TIMING)
    return Scene(
        tick.tick, tick.t_ns, tick.episode, tick.first, tick.observation, tick.action, answer, episode_return,
        {name: counts_of(raster) for name, raster in recorded.spikes.items() if raster.ndim == 2}, recorded.numbers,
        timed._asdict() if isinstance(timed, Timed) else None, tick.outcome is not None and tick.outcome.ended,
    )  # fmt: skip


def counts_of(raster: NDArray[Any]) -> NDArray[np.integer]:
    """Spikes of each neuron from who fired in which step: bits of words (n_words, n)."""
    return np.asarray(np.bitwise_count(raster.astype(np.uint32)).sum(axis=0), np.int32)
