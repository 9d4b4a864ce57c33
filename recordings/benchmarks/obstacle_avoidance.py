"""Metres and collisions in `neuroloop/ObstacleAvoidance-v0`: an agent that learned beside others, in corridors new to all.

Of each seed an agent learns for `STEPS` steps, then drives `EPISODES` episodes without learning or exploring; the others drive
in the same corridors. Follow-the-gap (Sezer and Gokcekus 2012, simplified) turns to the widest view; the potential field
(Khatib 1986) adds a pull along the corridor and a push from each range, and turns to where they lead.

    PYTHONPATH=. python recordings/benchmarks/obstacle_avoidance.py [FIRST_SEED] [SEEDS]
"""

from __future__ import annotations

import datetime
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import neuroloop_envs  # noqa: F401
import numpy as np
from numpy.typing import NDArray

import neuroloop

ENV = "neuroloop/ObstacleAvoidance-v0"
STEPS, EPISODES = 60_000, 20
STEP = 0.05  # s
SECTORS = 9
ANGLES = np.radians(180.0 * ((np.arange(SECTORS) + 0.5) / SECTORS - 0.5))
Policy = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Drive(NamedTuple):
    """An episode: metres, whether a collision ended it, and steps."""

    metres: float
    collided: bool
    steps: int


class Log(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps a `Drive` of every episode that ended."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.drives: list[Drive] = []
        self._steps = 0

    def reset(self, **arguments: Any) -> Any:
        self._steps = 0
        return super().reset(**arguments)

    def step(self, action: Any) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        self._steps += 1
        if terminated or truncated:
            self.drives.append(Drive(info["metres"], info["collided"], self._steps))
        return observation, reward, terminated, truncated, info


def action(speed: float, turn: float) -> NDArray[np.float32]:
    return np.clip((speed, turn), -1.0, 1.0).astype(np.float32)


def gap(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn to where the view is far and the corridor goes on; slow down before what is near."""
    ranges, heading = seen[:SECTORS], seen[SECTORS + 2]
    best = int(np.argmax(np.minimum(ranges, 3.0) + np.cos(ANGLES + heading)))
    return action(max((ranges[3:6].min() - 0.5) / 1.5, -0.2), 1.5 * ANGLES[best])


def field(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn to the sum of a pull along the corridor and pushes of 1 / range − 1 / 2 m; slow down before what is near."""
    ranges, heading = seen[:SECTORS], seen[SECTORS + 2]
    push = 0.35 * np.maximum(1.0 / np.maximum(ranges, 0.05) - 0.5, 0.0)
    ahead = np.cos(heading) - 0.5 * push @ np.cos(ANGLES)
    aside = -np.sin(heading) - push @ np.sin(ANGLES)
    return action(max((ranges[3:6].min() - 0.35) / 1.2, -0.3), 2.0 * np.arctan2(aside, max(ahead, 0.1)))


def driven(policy: Policy, seed: int) -> list[Drive]:
    """What a policy does in this seed's corridors."""
    env = Log(gymnasium.make(ENV))
    for episode in range(EPISODES):
        observation, _ = env.reset(seed=first_of(seed) + episode)
        over = False
        while not over:
            observation, _, terminated, truncated, _ = env.step(policy(observation))
            over = terminated or truncated
    env.close()
    return env.drives


def first_of(seed: int) -> int:
    """The first of the seeds of corridors that are driven for the score."""
    return 1000 * seed


def agent_driven(name: str, seed: int, steps: int) -> tuple[list[Drive], list[Drive], float]:
    """What an agent does after so many steps of learning; what it did meanwhile, and µs of CPU a step."""
    env = Log(gymnasium.make(ENV))
    agent = neuroloop.load_agent(name, env, seed=seed)
    before = time.process_time()
    agent.learn(total_steps=steps)
    cost = 1e6 * (time.process_time() - before) / max(steps, 1)
    learning, env.drives = env.drives, []
    agent.evaluate(episodes=EPISODES, seed=first_of(seed))
    env.close()
    return env.drives, learning, cost


def line(name: str, by_seed: list[list[Drive]]) -> str:
    """A row of the table."""
    drives = [drive for drives in by_seed for drive in drives]
    metres, collisions = sum(drive.metres for drive in drives), sum(drive.collided for drive in drives)
    means = [np.mean([drive.metres for drive in drives]) for drives in by_seed]
    per = f"{metres / collisions:.1f}" if collisions else f"none in {metres:.0f}"
    speed = metres / (STEP * sum(drive.steps for drive in drives))
    return (
        f"| {name} | {np.mean(means):.1f} ({min(means):.1f} to {max(means):.1f}) | {collisions} of {len(drives)} | {per} | "
        f"{speed:.2f} |"
    )


def main(first: int, n: int) -> str:
    """Run everything; returns the table."""
    seeds = range(first, first + n)
    rng = np.random.default_rng(0)
    policies: dict[str, Policy] = {
        "random": lambda seen: rng.uniform(-1.0, 1.0, 2).astype(np.float32),
        "random turns at full speed": lambda seen: action(1.0, rng.uniform(-1.0, 1.0)),
        "straight on": lambda seen: action(1.0, 0.0),
        "follow-the-gap": gap,
        "potential field": field,
    }
    rows = []
    for name, policy in policies.items():
        rows.append(line(name, [driven(policy, seed) for seed in seeds]))
        print(rows[-1], flush=True)
    curves: list[list[Drive]] = []
    costs = []
    for name, steps in (("braitenberg", 0), ("obstacle-avoidance", 0), ("obstacle-avoidance", STEPS)):
        results = []
        for seed in seeds:
            drives, learning, cost = agent_driven(name, seed, steps)
            results.append(drives)
            if name == "obstacle-avoidance" and steps:
                curves.append(learning)
                costs.append(cost)
        told = "spiking, wired by hand" if name == "braitenberg" else f"after {steps} steps of learning"
        rows.append(line(f"`{name}`, {told}", results))
        print(rows[-1], flush=True)
    text = page(seeds, rows, curves, costs)
    Path(__file__).with_name("obstacle-avoidance.md").write_text(text, encoding="utf-8")
    return text


def page(seeds: range, rows: list[str], curves: list[list[Drive]], costs: list[float]) -> str:
    learned = [
        f"| {seed} | {len(drives)} | {sum(d.collided for d in drives)} | "
        + " | ".join(f"{part.mean():.1f}" for part in np.array_split([d.metres for d in drives], 4))
        + " |"
        for seed, drives in zip(seeds, curves, strict=True)
    ]
    return "\n".join(
        [
            f"Made by `PYTHONPATH=. python recordings/benchmarks/obstacle_avoidance.py {seeds.start} {len(seeds)}` on "
            f"{platform.machine()} {platform.system()}, two shared cores, Python {platform.python_version()}, "
            f"{datetime.date.today()}.",
            "",
            f"Seeds {seeds.start} to {seeds[-1]}, {EPISODES} corridors each, at most 50 s (about 49.5 m) an episode; mean over "
            "seeds, with the least and the greatest seed's mean. Agents drive without learning or exploring.",
            "",
            "| driver | metres an episode | ended by a collision | metres a collision | m/s |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"`obstacle-avoidance` while it learns, exploring, for {STEPS} steps (50 minutes of driving), at "
            f"{np.median(costs):.0f} µs of CPU a step, the environment included: mean metres of each quarter of its episodes.",
            "",
            "| seed | episodes | collisions | first quarter | second | third | last |",
            "|---|---|---|---|---|---|---|",
            *learned,
            "",
        ]
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    print(main(*(given + [10500, 5][len(given) :])))
