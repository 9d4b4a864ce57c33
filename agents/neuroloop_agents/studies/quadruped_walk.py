"""How far walkers come on QuadrupedWalk-v0 in 20 s: an agent as it is born and after learning, sines, and chance."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np

from neuroloop import Agent, load_agent
from neuroloop.evaluation.figures import table_of
from neuroloop_agents.studies._episodes import Act, Env, episode, frozen
from neuroloop_agents.studies._study import Study, main
from neuroloop_agents.studies.walking_sines import ENV, OPEN_LOOP, PERIOD, STANDING, STEERED, sines

LAST = 10  # episodes of learning that a mean is of
CHANCE, AGENT = "random policy", "`quadruped-walk`"
GAITS = {
    "standing still": STANDING,
    "open-loop sines, found by search": OPEN_LOOP,
    "sines that steer, found by search": STEERED,
}


class Size(NamedTuple):
    """Steps of learning, and control steps of an episode that is measured."""

    steps: int
    longest: int


class Walk(NamedTuple):
    """An episode: its return, m along x and to the side, and whether the robot fell."""

    value: float
    distance: float
    sideways: float
    fell: bool


class Walker(NamedTuple):
    """What a seed walked; agents before they learned too, and their returns while they did."""

    walk: Walk
    born: Walk | None = None
    returns: tuple[float, ...] = ()


def measure(name: str, seed: int, size: Size) -> Walker:
    """An episode of a walker; agents learn first."""
    if name == AGENT:
        return _learned(seed, size)
    env = gymnasium.make(ENV, max_episode_steps=size.longest)
    env.action_space.seed(seed)
    return Walker(_walk(env, sines(GAITS[name]) if name in GAITS else lambda _: env.action_space.sample(), seed))


def _learned(seed: int, size: Size) -> Walker:
    def walk(agent: Agent) -> Walk:
        return _walk(gymnasium.make(ENV, max_episode_steps=size.longest), frozen(agent), seed)

    agent = load_agent("quadruped-walk", seed=seed)
    born = walk(agent)
    returns = tuple(agent.learn(size.steps).returns)
    after = walk(agent)
    agent.close()
    return Walker(after, born, returns)


def _walk(env: Env, act: Act, seed: int) -> Walk:
    steps = list(episode(env, act, seed))
    env.close()
    last = steps[-1]
    return Walk(sum(step.reward for step in steps), last.info["distance"], last.info["sideways"], last.terminated)


def row(name: str, walks: list[Walk]) -> list[str]:
    """A row of the table."""
    far = [walk.distance for walk in walks]
    mean, *each = (f"{round(x, 1) + 0.0:.1f}" for x in (float(np.mean(far)), *far))  # 0.0, not -0.0
    sideways, value = np.mean([abs(walk.sideways) for walk in walks]), np.mean([walk.value for walk in walks])
    fell = f"{sum(walk.fell for walk in walks)} of {len(walks)}"
    return [name, mean, ", ".join(each), f"{sideways:.1f}", f"{value:.0f}", fell]


def report(found: dict[str, list[Walker]], seeds: range, size: Size) -> list[str]:
    """The page."""
    agents = found[AGENT]
    rows = [row(name, [one.walk for one in walkers]) for name, walkers in found.items() if name != AGENT]
    rows.append(row(f"{AGENT}, newly born", [one.born for one in agents if one.born]))
    rows.append(row(f"{AGENT}, after {size.steps} steps", [one.walk for one in agents]))
    last = (f"{np.mean(one.returns[-LAST:]):.0f}" if one.returns else "–" for one in agents)
    return [
        "Seeds are those of agents and of episodes.",
        f"Distances are in m along x when {PERIOD * size.longest:g} s are over or the robot fell.",
        "Agents neither learn nor explore while they are measured.",
        "",
        *table_of(("walker", "distance, mean", "each", "off to the side", "return", "fell"), rows),
        "",
        f"While learning and exploring, the last {LAST} episodes returned {', '.join(last)}.",
    ]


STUDY = Study(
    name="quadruped-walk",
    about=__doc__,
    subjects=(CHANCE, *GAITS, AGENT),
    measure=measure,
    report=report,
    full=Size(steps=100_000, longest=1000),
    quick=Size(steps=200, longest=100),
)

if __name__ == "__main__":
    main(STUDY)
