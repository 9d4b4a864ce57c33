"""Metres and collisions in ObstacleAvoidance-v0: an agent that learned, beside others, in corridors new to all.

Of each seed an agent learns, then drives without learning or exploring; the others drive in the same corridors.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

import gymnasium
import numpy as np

from neuroloop import load_agent
from neuroloop.evaluation.figures import table_of
from neuroloop_agents.studies._episodes import Info, Noted, episode
from neuroloop_agents.studies._study import Study, main
from neuroloop_agents.studies.corridor_drivers import DRIVERS

ENV = "neuroloop_envs:neuroloop/ObstacleAvoidance-v0"
STEP = 0.05  # s
WIRED, BORN, LEARNED = (
    "`braitenberg`, spiking, wired by hand", "`obstacle-avoidance`, newly born", "`obstacle-avoidance`, after learning",
)  # fmt: skip
AGENTS = {WIRED: "braitenberg", BORN: "obstacle-avoidance", LEARNED: "obstacle-avoidance"}


class Size(NamedTuple):
    """Steps of learning, corridors to drive in afterwards, and control steps in each at most."""

    steps: int
    corridors: int
    longest: int


class Drive(NamedTuple):
    """An episode: metres, whether a collision ended it, and steps."""

    metres: float
    collided: bool
    steps: int


class Driven(NamedTuple):
    """What a seed drove, what it drove while it learned, and µs of CPU for a step of that, the environment included."""

    drives: list[Drive]
    learning: list[Drive]
    cost: float


def measure(name: str, seed: int, size: Size) -> Driven:
    """What a driver or an agent does in this seed's corridors."""
    env = Noted(gymnasium.make(ENV, max_episode_steps=size.longest), _said)
    first = 1000 * seed  # of the corridors' seeds
    if name in DRIVERS:
        act = DRIVERS[name](np.random.default_rng(seed))
        for corridor in range(first, first + size.corridors):
            deque(episode(env, act, corridor), maxlen=0)  # `env` notes it
        env.close()
        return Driven(_drives(env.ended), [], 0.0)
    return _agent(env, name, seed, size.steps if name == LEARNED else 0, range(first, first + size.corridors))


def _agent(env: Noted[tuple[float, bool]], name: str, seed: int, steps: int, corridors: range) -> Driven:
    agent = load_agent(AGENTS[name], env, seed)
    before = time.process_time()
    agent.learn(steps)
    cost = 1e6 * (time.process_time() - before) / max(steps, 1)
    learning, env.ended = env.ended, []
    agent.evaluate(len(corridors), seed=corridors[0])
    env.close()
    return Driven(_drives(env.ended), _drives(learning), cost)


def _said(info: Info) -> tuple[float, bool]:
    return info["metres"], info["collided"]


def _drives(episodes: list[list[tuple[float, bool]]]) -> list[Drive]:
    return [Drive(*notes[-1], len(notes)) for notes in episodes]


def row(name: str, by_seed: list[list[Drive]]) -> list[str]:
    """A row of the table."""
    drives = [drive for drives in by_seed for drive in drives]
    metres, collisions = sum(drive.metres for drive in drives), sum(drive.collided for drive in drives)
    means = [np.mean([drive.metres for drive in drives]) for drives in by_seed]
    per = f"{metres / collisions:.1f}" if collisions else f"none in {round(metres)}"
    speed = metres / (STEP * sum(drive.steps for drive in drives))
    middle = f"{np.mean(means):.1f} ({min(means):.1f} to {max(means):.1f})"
    return [name, middle, f"{collisions} of {len(drives)}", per, f"{speed:.2f}"]


def quarters(seed: int, drives: list[Drive]) -> list[str]:
    """A row of what a seed did while it learned: mean metres in each quarter of its episodes."""
    parts = np.array_split([drive.metres for drive in drives], 4)
    means = [f"{part.mean():.1f}" if part.size else "–" for part in parts]
    return [f"{seed}", f"{len(drives)}", f"{sum(drive.collided for drive in drives)}", *means]


def report(found: dict[str, list[Driven]], seeds: range, size: Size) -> list[str]:
    """The page."""
    drivers = ("driver", "metres an episode", "ended by a collision", "metres a collision", "m/s")
    learners = ("seed", "episodes", "collisions", "first quarter", "second", "third", "last")
    learned, minutes = found[LEARNED], STEP * size.steps / 60.0
    cost = np.median([one.cost for one in learned])
    return [
        f"Corridors a seed: {size.corridors}, in each at most {STEP * size.longest:g} s, at 1 m/s at most. Mean over seeds,",
        "with the least and the greatest seed's mean. Agents drive without learning or exploring.",
        "",
        *table_of(drivers, [row(name, [one.drives for one in driven]) for name, driven in found.items()]),
        "",
        f"`obstacle-avoidance` while it learns, exploring, for {size.steps} steps ({minutes:.0f} minutes of driving), at",
        f"{cost:.0f} µs of CPU a step, the environment included: mean metres of each quarter of its episodes.",
        "",
        *table_of(learners, [quarters(seed, one.learning) for seed, one in zip(seeds, learned, strict=True)]),
    ]


STUDY = Study(
    name="obstacle-avoidance",
    about=__doc__,
    subjects=(*DRIVERS, *AGENTS),
    measure=measure,
    report=report,
    full=Size(steps=60_000, corridors=20, longest=1000),
    quick=Size(steps=400, corridors=1, longest=100),
)

if __name__ == "__main__":
    main(STUDY)
