"""Measures walkers on QuadrupedWalk-v0, and writes quadruped-walk.md beside this file: distances in 20 s on fresh seeds.

python recordings/benchmarks/quadruped_walk.py [--steps 100000] [--seeds 5] [--first-seed 10500] [--jobs 2]
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from neuroloop_agents.walking_sines import ENV, OPEN_LOOP, STANDING, STEERED, Gait, walk

import neuroloop

HERE = Path(__file__).parent
LAST = 10  # episodes of learning that a mean is of


class Walked(NamedTuple):
    """One episode: return, m along x and to the side, s until it fell or 20."""

    value: float
    distance: float
    sideways: float
    lasted: float


def sines(gait: Gait, seed: int) -> Walked:
    """An episode of a gait."""
    env = gymnasium.make(ENV)
    value, info = walk(env, gait, seed)
    return _closed(env, value, info)


def chance(seed: int) -> Walked:
    """An episode of a random policy."""
    env = gymnasium.make(ENV)
    env.action_space.seed(seed)
    return _played(env, seed, lambda observation: env.action_space.sample())


def frozen(agent: neuroloop.Agent, seed: int) -> Walked:
    """An episode of an agent that neither learns nor explores."""
    state = None

    def act(observation: Any) -> Any:
        nonlocal state
        action, state = agent.predict(observation, state)
        return action

    return _played(gymnasium.make(ENV), seed, act)


def learned(seed: int, steps: int) -> tuple[Walked, Walked, list[float]]:
    """The same agent newly born, and after so many steps of learning; and the returns while it learned."""
    agent = neuroloop.load_agent("quadruped-walk", seed=seed)
    born = frozen(agent, seed)
    agent.learn(steps)
    return born, frozen(agent, seed), agent.progress.returns


def _played(env: gymnasium.Env[Any, Any], seed: int, act: Callable[[Any], Any]) -> Walked:
    observation, _ = env.reset(seed=seed)
    value, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        value, over = value + float(reward), terminated or truncated
    return _closed(env, value, info)


def _closed(env: gymnasium.Env[Any, Any], value: float, info: dict[str, Any]) -> Walked:
    lasted = float(env.unwrapped.t_s)  # type: ignore[attr-defined]
    env.close()
    return Walked(value, info["distance"], info["sideways"], lasted)


def row(name: str, walked: list[Walked]) -> str:
    """A line of the table."""
    far = [one.distance for one in walked]
    mean, *each = (f"{round(float(x), 1) + 0.0:.1f}" for x in (np.mean(far), *far))  # 0.0, not -0.0
    cells = [
        mean, ", ".join(each), f"{np.mean([abs(one.sideways) for one in walked]):.1f}",
        f"{np.mean([one.value for one in walked]):.0f}", f"{sum(one.lasted < 20.0 for one in walked)} of {len(walked)}",
    ]  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="of learning")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=10_500)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    with ProcessPoolExecutor(asked.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        agents = list(pool.map(learned, seeds, [asked.steps] * len(seeds)))
    lines = [
        row("random policy", [chance(seed) for seed in seeds]),
        row("standing still", [sines(STANDING, seed) for seed in seeds]),
        row("open-loop sines, found by search", [sines(OPEN_LOOP, seed) for seed in seeds]),
        row("sines that steer, found by search", [sines(STEERED, seed) for seed in seeds]),
        row("`quadruped-walk`, newly born", [born for born, _, _ in agents]),
        row(f"`quadruped-walk`, after {asked.steps} steps", [after for _, after, _ in agents]),
    ]
    last = [f"{np.mean(returns[-LAST:]):.0f}" for _, _, returns in agents]
    command = f"--steps {asked.steps} --seeds {asked.seeds} --first-seed {asked.first_seed} --jobs {asked.jobs}"
    text = f"""# quadruped-walk

`python recordings/benchmarks/quadruped_walk.py {command}`

{datetime.now(UTC):%Y-%m-%d}; 2 cores, shared. Seeds {seeds[0]} to {seeds[-1]}, of agents and episodes; none was tuned on.

Distances are in m along x when 20 s are over or the robot fell. Agents neither learn nor explore while they are measured.

| walker | distance, mean | each | off to the side | return | fell |
|---|---|---|---|---|---|
{chr(10).join(lines)}

While learning and exploring, the last {LAST} episodes returned {", ".join(last)}.
"""
    print(text)
    (HERE / "quadruped-walk.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
