"""What the agents of the arm reach in ArmReaching-v0 and ArmTracking-v0, beside classical controllers.

Distances are means over the last second of an episode; tracking errors are root mean squares over joints and steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroloop import Agent
from neuroloop.agent import read_config
from neuroloop.evaluation.figures import table_of
from neuroloop.loop.plant import make_env
from neuroloop_agents.studies._episodes import Noted
from neuroloop_agents.studies._study import Study, main
from neuroloop_agents.studies.arm_control import LAWS, Array, play

REACHING, TRACKING = "arm-reaching", "arm-tracking"  # tasks, named as their agents
KEYS = {REACHING: "distance", TRACKING: "error_rad"}
AGENTS = ((REACHING, REACHING), (REACHING, "default"), (TRACKING, TRACKING))
WORLD = "neuroloop/ArmReaching-v0"  # for `default`, with gravity compensated
SECOND, PICKED_UP = 200, 1000  # control steps: in a second, and before the payload comes
EVALUATED = 10_500  # first seed of the episodes after learning, the same for all
REACHES, TRACKS = (1, 5, 20, 50, 80, 100), (1, 5, 10, 20)  # where parts of learning end, in episodes


class Size(NamedTuple):
    """Episodes of learning to reach and to track, and of acting without learning afterwards."""

    reaches: int
    tracks: int
    evaluated: int


class Seen(NamedTuple):
    """What every step of every episode was like, shape (episodes, steps): while it learned, and without."""

    learning: Array
    frozen: Array


def measure(who: tuple[str, str], seed: int, size: Size) -> Seen:
    """An episode of a law, or what an agent learns."""
    task, name = who
    if name not in LAWS:
        return _learned(task, name, seed, size)
    env = make_env(read_config(task)[1].plant)
    seen = play(env, LAWS[name], [seed], KEYS[task])
    env.close()
    return Seen(seen[:0], seen)


def _learned(task: str, name: str, seed: int, size: Size) -> Seen:
    config = read_config(name, [f"plant.env={WORLD}"] if name == "default" else [])[1]
    key = KEYS[task]
    env: Noted[float] = Noted(make_env(config.plant), lambda info: float(info[key]))
    agent = Agent(config, env, seed)
    longest = env.spec.max_episode_steps if env.spec else None
    assert longest is not None  # as the worlds are registered
    agent.learn((size.reaches if task == REACHING else size.tracks) * longest)
    learned, env.ended = np.array(env.ended), []
    agent.evaluate(size.evaluated, seed=EVALUATED)
    env.close()
    return Seen(learned, np.array(env.ended))


def final(episodes: Array) -> float:
    """Mean of the last seconds of episodes, in mm."""
    return 1e3 * float(episodes[:, -SECOND:].mean())


def rms(episodes: Array) -> tuple[float, float]:
    """In mrad, before and after the payload comes."""
    before, after = (float(np.sqrt((part**2).mean())) for part in np.split(episodes, [PICKED_UP], axis=1))
    return 1e3 * before, 1e3 * after


def parts(name: str, seen: list[Seen], ends: tuple[int, ...]) -> dict[str, list[Array]]:
    """Episodes of all seeds by what a row of a table is about: parts of learning, and what came after it."""
    if name in LAWS:
        return {name: [one.frozen for one in seen]}
    found, first = {}, 0
    for last in ends:
        cut = [one.learning[first:last] for one in seen]
        if cut[0].size:
            end = first + len(cut[0])
            which = f"episodes {first + 1} to {end}" if end > first + 1 else f"episode {end}"
            found[f"`{name}`, learning, {which}"] = cut
        first = last
    return found | {f"`{name}`, then, not learning": [one.frozen for one in seen]}


def reached(name: str, episodes: list[Array]) -> list[str]:
    """A row of the table of reaching."""
    means = [final(one) for one in episodes]
    return [name, f"{np.mean(means):.1f}", ", ".join(f"{mean:.1f}" for mean in means)]


def tracked(name: str, episodes: list[Array]) -> list[str]:
    """A row of the table of tracking; of laws, over all seeds together."""
    if name in LAWS:
        return [name, *(f"{part:.1f}" for part in rms(np.concatenate(episodes)))]
    errors = np.array([rms(one) for one in episodes])
    return [name, *(f"{part.mean():.1f} ({part.min():.1f} … {part.max():.1f})" for part in errors.T)]


def report(found: dict[tuple[str, str], list[Seen]], seeds: range, size: Size) -> list[str]:
    """The page."""
    reaches = [parts(name, seen, REACHES) for (task, name), seen in found.items() if task == REACHING]
    tracks = [parts(name, seen, TRACKS) for (task, name), seen in found.items() if task == TRACKING]
    return [
        "## ArmReaching-v0",
        "",
        "Distance from hand to target in mm, mean over the last second of an episode. The worlds of `arm-reaching` and of the",
        "classical controllers do not compensate gravity; `default`, which learns by reward alone, has gravity compensated by",
        "the world.",
        "",
        *table_of(("", "mean", "each seed"), [reached(*part) for rows in reaches for part in rows.items()]),
        "",
        "## ArmTracking-v0",
        "",
        "Root mean square over joints and steps, in mrad, without gravity compensation by the world. After 5 s, the middle of",
        "an episode, the hand carries 3 kg that nobody was told of. In brackets the best and the worst seed; classical",
        "controllers over all seeds together.",
        "",
        *table_of(("", "before", "with payload"), [tracked(*part) for rows in tracks for part in rows.items()]),
    ]


STUDY = Study(
    name="arm",
    about=__doc__,
    subjects=(*((task, law) for task in KEYS for law in LAWS), *AGENTS),
    measure=measure,
    report=report,
    full=Size(reaches=100, tracks=20, evaluated=5),
    quick=Size(reaches=1, tracks=1, evaluated=1),
)

if __name__ == "__main__":
    main(STUDY)
