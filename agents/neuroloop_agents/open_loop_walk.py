"""The best open-loop gait for QuadrupedWalk-v0 that a search finds: twelve sines, the baseline that walking agents are held to.

    action = offset + amplitude × sin(2π (frequency × t + leg's phase + joint's phase))

Four legs share amplitudes; front and rear ones have offsets of their own. The search is the cross-entropy method (Rubinstein
1999) over returns of the task's own reward, a Gaussian of independent parameters whose elites give the next one.
`python -m neuroloop_agents.open_loop_walk` repeats it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

ENV = "neuroloop_envs:neuroloop/QuadrupedWalk-v0"
PERIOD = 0.020  # s, a control step


class Gait(NamedTuple):
    """Parameters of a gait; amplitudes and offsets in units of the action, phases in cycles."""

    frequency: float  # Hz
    hip: float  # amplitudes
    upper: float
    lower: float
    hip_phase: float  # against the upper joint's
    lower_phase: float
    front_left: float  # phases of legs against the front right one's
    rear_right: float
    rear_left: float
    front_upper: float  # offsets
    front_lower: float
    rear_upper: float
    rear_lower: float


START = Gait(2.0, 0.0, 0.4, 0.4, 0.0, 0.25, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0)  # a guess: a trot on the spot
SPREAD = Gait(0.7, 0.2, 0.3, 0.3, 0.3, 0.25, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3)  # that the search begins with
LEAST, FASTEST = 0.3, 5.0  # Hz


def actions(gait: Gait) -> Iterator[NDArray[np.float32]]:
    """What the gait asks for, a control step after the other."""
    legs = np.array([0.0, gait.front_left, gait.rear_right, gait.rear_left])
    phases = (legs[:, None] + np.array([gait.hip_phase, 0.0, gait.lower_phase])).ravel()
    front, rear = (0.0, gait.front_upper, gait.front_lower), (0.0, gait.rear_upper, gait.rear_lower)
    offsets, amplitudes = np.array([*front, *front, *rear, *rear]), np.array([gait.hip, gait.upper, gait.lower] * 4)
    t = 0.0
    while True:
        cycle = 2.0 * np.pi * (gait.frequency * t + phases)
        yield np.clip(offsets + amplitudes * np.sin(cycle), -1.0, 1.0).astype(np.float32)
        t += PERIOD


def walk(env: gymnasium.Env[Any, Any], gait: Gait, seed: int, steps: int = 1000) -> tuple[float, dict[str, Any]]:
    """An episode of at most `steps` control steps: its return, and the last info."""
    env.reset(seed=seed)
    total = 0.0
    for action, _ in zip(actions(gait), range(steps), strict=False):
        _, reward, terminated, truncated, info = env.step(action)
        total += float(reward)
        if terminated or truncated:
            break
    return total, info


def search(generations: int, size: int, steps: int, seed: int) -> Iterator[tuple[Gait, float]]:
    """The mean of the elites and their mean return, generation by generation; seeds of episodes are below 6000."""
    rng, elites = np.random.default_rng(seed), max(size // 5, 2)
    mean, spread = np.array(START), np.array(SPREAD)
    env = gymnasium.make(ENV)
    try:
        for generation in range(generations):
            tried = rng.normal(mean, spread, (size, len(mean)))
            tried[:, 0] = tried[:, 0].clip(LEAST, FASTEST)
            returns = np.array([walk(env, Gait(*one), 1000 + generation, steps)[0] for one in tried.tolist()])
            best = np.argsort(returns)[-elites:]
            mean, spread = tried[best].mean(axis=0), 0.3 * spread + 0.7 * tried[best].std(axis=0)
            yield Gait(*mean.tolist()), float(returns[best].mean())
    finally:
        env.close()


def main() -> None:
    """Search, and print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=30)
    parser.add_argument("--size", type=int, default=40, help="gaits a generation")
    parser.add_argument("--steps", type=int, default=500, help="control steps that each is tried for")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for gait, value in search(asked.generations, asked.size, asked.steps, asked.seed):
        print(f"{value:8.1f}  {gait}", flush=True)


if __name__ == "__main__":
    main()
