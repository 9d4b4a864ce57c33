"""Twelve sines that walk QuadrupedWalk-v0: the baselines that walking agents are held to, and the search that found them.

    action = offset + amplitude × (1 ∓ steering × heading) × sin(2π (frequency × t + leg's phase + joint's phase))

Legs share amplitudes; front and rear ones have offsets of their own. With `steering` the upper joints of right (−) and left
(+) legs swing by more or less, which turns the robot back; without it the gait is open-loop. The search is the cross-entropy
method (Rubinstein 1999): a Gaussian of independent parameters, whose best samples give the next one. Noise on the actions
keeps it away from gaits that only balance on a knife's edge. `python -m neuroloop_agents.studies.walking_sines` repeats it.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from neuroloop_agents.studies._episodes import Act, Env, Info, episode

ENV = "neuroloop_envs:neuroloop/QuadrupedWalk-v0"
PERIOD = 0.020  # s, a control step
HEADING = 26  # where in the observation it is
FARTHEST = 0.5  # rad of heading that are steered against at most
LEAST, FASTEST = 0.5, 4.0  # Hz


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
    steering: float = 0.0  # 1/rad


TROT = Gait(2.2, 0.0, 0.45, 0.5, 0.0, 0.2, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)  # a guess, to search from
SPREAD = Gait(0.4, 0.1, 0.15, 0.15, 0.2, 0.08, 0.07, 0.07, 0.07, 0.15, 0.15, 0.15, 0.15, 0.7)
STANDING = Gait(1.0, *[0.0] * 12)
STEERED = Gait(  # what the search below finds: 480 gaits, 6 s each
    3.392, 0.046, 0.557, 0.657, 0.073, 0.165, 0.476, 0.510, 0.011, -0.295, -0.120, 0.054, -0.049, 0.602
)
OPEN_LOOP = Gait(  # the same without steering and noise, from a wider start: 1200 gaits, 10 s each
    2.226, -0.168, 0.718, 0.729, -0.268, 0.160, 0.664, 0.689, -0.277, 0.038, -0.017, 0.448, 0.008
)


def action(gait: Gait, t: float, heading: float) -> NDArray[np.float64]:
    """What the gait asks for at `t` s, before it is cut to the action space."""
    legs = np.array([0.0, gait.front_left, gait.rear_right, gait.rear_left])
    phases = (legs[:, None] + np.array([gait.hip_phase, 0.0, gait.lower_phase])).ravel()
    front, rear = (0.0, gait.front_upper, gait.front_lower), (0.0, gait.rear_upper, gait.rear_lower)
    offsets, amplitudes = np.array([*front, *front, *rear, *rear]), np.array([gait.hip, gait.upper, gait.lower] * 4)
    turn = gait.steering * min(max(heading, -FARTHEST), FARTHEST)
    amplitudes[[1, 4, 7, 10]] *= np.array([1.0 - turn, 1.0 + turn, 1.0 - turn, 1.0 + turn])
    asked: NDArray[np.float64] = offsets + amplitudes * np.sin(2.0 * np.pi * (gait.frequency * t + phases))
    return asked


def sines(gait: Gait, noise: float = 0.0, seed: int = 0) -> Act:
    """A gait that acts for one episode, with Gaussian `noise` on actions."""
    ticks, rng = itertools.count(), np.random.default_rng(seed)

    def act(observation: NDArray[np.float32]) -> NDArray[np.float32]:
        asked = action(gait, next(ticks) * PERIOD, float(observation[HEADING])) + noise * rng.standard_normal(12)
        clipped: NDArray[np.float32] = np.clip(asked, -1.0, 1.0).astype(np.float32)
        return clipped

    return act


def walk(env: Env, gait: Gait, seed: int, steps: int = 1000, noise: float = 0.0) -> tuple[float, Info]:
    """An episode of at most `steps` control steps: its return, and the last info."""
    walked = list(itertools.islice(episode(env, sines(gait, noise, seed), seed), steps))
    return sum(step.reward for step in walked), walked[-1].info


def search(
    generations: int, size: int, steps: int, seed: int, noise: float, steered: bool
) -> Iterator[tuple[Gait, float]]:
    """The mean of the best gaits and their mean return, generation by generation; seeds of episodes are below 6000."""
    rng, best_of = np.random.default_rng(seed), max(size // 5, 2)
    mean, spread = np.array(TROT), np.array(SPREAD)
    env = gymnasium.make(ENV)
    try:
        for generation in range(generations):
            tried = rng.normal(mean, spread, (size, len(mean)))
            tried[:, 0] = tried[:, 0].clip(LEAST, FASTEST)
            tried[:, -1] *= steered
            returns = np.array([walk(env, Gait(*x), 1000 + generation, steps, noise)[0] for x in tried.tolist()])
            best = np.argsort(returns)[-best_of:]
            mean, spread = tried[best].mean(axis=0), 0.3 * spread + 0.7 * tried[best].std(axis=0)
            yield Gait(*mean.tolist()), float(returns[best].mean())
    finally:
        env.close()


def main() -> None:
    """Search, and print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=15)
    parser.add_argument("--size", type=int, default=32, help="gaits a generation")
    parser.add_argument("--steps", type=int, default=300, help="control steps that each is tried for")
    parser.add_argument("--noise", type=float, default=0.1, help="standard deviation on the actions")
    parser.add_argument("--open-loop", action="store_true", help="no steering")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found = search(asked.generations, asked.size, asked.steps, asked.seed, asked.noise, not asked.open_loop)
    for gait, value in found:
        print(f"{value:8.1f}  {', '.join(f'{name}={x:.3f}' for name, x in gait._asdict().items())}", flush=True)


if __name__ == "__main__":
    main()
