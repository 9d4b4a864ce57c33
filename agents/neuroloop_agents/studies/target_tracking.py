"""How many pixels a ball is off the middle of a head's picture in TargetTracking-v0: an agent, controllers, and chance.

Every controller meets the same episodes; the agent learns on abrupt paths only, and is frozen then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import gymnasium
import numpy as np
from neuroloop_envs._paths import PATHS

from neuroloop import load_agent
from neuroloop.evaluation.figures import table_of
from neuroloop_agents.studies._episodes import Act, Noted, episode, frozen
from neuroloop_agents.studies._study import Study, main
from neuroloop_agents.studies.pan_tilt_control import GAINS, PERIOD, Controller

ENV = "neuroloop_envs:neuroloop/TargetTracking-v0"
CHANCE, AGENT = "random", "`target-tracking`, frozen"
MARKS = (1, 2, 5, 10, 20, 40, 60, 80, 100)  # episodes of learning that are shown


class Size(NamedTuple):
    """Steps of learning, episodes on each trajectory afterwards, and control steps in each of all these."""

    steps: int
    episodes: int
    longest: int


class Errors(NamedTuple):
    """Mean pixel errors of a seed: on each trajectory, and in each episode of learning."""

    on: list[float]
    learning: list[float]


def measure(name: str, seed: int, size: Size) -> Errors:
    """Errors of a controller, a fresh one each episode; the agent learns first."""
    if name == AGENT:
        return _learned(seed, size)
    if name == CHANCE:
        rng = np.random.default_rng(seed)
        return Errors(mean_errors(lambda: lambda _: rng.uniform(-1.0, 1.0, 2).astype(np.float32), seed, size), [])
    return Errors(mean_errors(lambda: Controller(GAINS[name]), seed, size), [])


def _learned(seed: int, size: Size) -> Errors:
    env = Noted(
        gymnasium.make(ENV, trajectory="abrupt", max_episode_steps=size.longest), lambda info: info["pixel_error"]
    )
    agent = load_agent("target-tracking", env, seed)
    agent.learn(size.steps)
    errors = mean_errors(lambda: frozen(agent), seed, size)
    env.close()
    return Errors(errors, [float(np.mean(notes)) for notes in env.ended])


def mean_errors(begin: Callable[[], Act], seed: int, size: Size) -> list[float]:
    """On each trajectory; `begin()` says who acts in an episode."""
    env = gymnasium.make(ENV, max_episode_steps=size.longest)

    def error(trajectory: str, k: int) -> float:
        steps = episode(env, begin(), 1000 * seed + k, {"trajectory": trajectory})
        return float(np.mean([step.info["pixel_error"] for step in steps]))

    errors = [float(np.mean([error(name, k) for k in range(size.episodes)])) for name in PATHS]
    env.close()
    return errors


def report(found: dict[str, list[Errors]], seeds: range, size: Size) -> list[str]:
    """The page."""
    on = {name: np.array([one.on for one in errors]) for name, errors in found.items()}  # of seeds and trajectories
    rows = [[name, *(f"{x.mean():.2f} ({x.min():.2f} to {x.max():.2f})" for x in of.T)] for name, of in on.items()]
    rows.append(["ours over P", *(f"{ratio:.2f}" for ratio in on[AGENT].mean(axis=0) / on["P"].mean(axis=0))])
    curve = np.array([one.learning for one in found[AGENT]]).mean(axis=0)
    marks, duration = [k for k in MARKS if k <= curve.size], f"{PERIOD * size.longest:g} s"
    learning = ["error while learning", *(f"{curve[k - 1]:.2f}" for k in marks)]
    return [
        f"Pixels of a picture of 64 × 64, episodes of {duration}, {size.episodes} a seed and trajectory: the mean, and in",
        "brackets the least and the greatest of the seeds. Every controller meets the same episodes. A ball out of the picture",
        f"counts as at its edge. The agent learns on abrupt paths only, for {size.steps} control steps",
        f"({PERIOD * size.steps / 60.0:.0f} minutes of the world's time), and is frozen then.",
        "",
        *table_of(("mean pixel error", *PATHS), rows),
        "",
        *table_of((f"episode of {duration}", *map(str, marks)), [learning]),
        "",
        "P, PI, PD and feed-forward: `agents/neuroloop_agents/studies/pan_tilt_control.py`, gains swept over abrupt paths on",
        "other seeds.",
    ]


STUDY = Study(
    name="target-tracking",
    about=__doc__,
    subjects=(CHANCE, *GAINS, AGENT),
    measure=measure,
    report=report,
    full=Size(steps=30_000, episodes=10, longest=500),
    quick=Size(steps=200, episodes=1, longest=100),
)

if __name__ == "__main__":
    main(STUDY)
