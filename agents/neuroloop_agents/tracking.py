"""Hand-tuned controllers of TargetTracking-v0, and the table that sets them beside the spiking agent.

`python -m neuroloop_agents.tracking recordings/benchmarks/target-tracking.md` measures everything again.

With e the ball's place in the picture, e' its change and v the speed of the joints,

    u = p e + i ∫ e dt + d e' + f (v + (t / V) e')

where t turns halves of the picture into rad and V is the head's greatest speed: the last term estimates how fast the ball
itself moves (feed-forward). Gains are the best of a sweep over abrupt paths on episodes 5000 to 5019.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import neuroloop_envs  # noqa: F401
import numpy as np
from neuroloop_envs._pan_tilt import MAX_SPEED
from neuroloop_envs._paths import PATHS
from numpy.typing import NDArray

from neuroloop import load_agent

ENV = "neuroloop/TargetTracking-v0"
HALF = 0.55  # rad, of half the picture, on average over it
DT = 0.02  # s
Act = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Gains(NamedTuple):
    """Of a controller: see the module."""

    p: float
    i: float = 0.0
    d: float = 0.0
    f: float = 0.0


BASELINES = {
    "P": Gains(4.0), "PI": Gains(4.0, i=0.2), "PD": Gains(4.5, d=0.15), "P and feed-forward": Gains(1.2, f=1.0),
}  # fmt: skip


class Controller:
    """A linear controller with memory of one episode."""

    def __init__(self, gains: Gains) -> None:
        self._gains, self._sum = gains, np.zeros(2)

    def __call__(self, o: NDArray[np.float32]) -> NDArray[np.float32]:
        """The action."""
        p, i, d, f = self._gains
        error, slip, speed = o[0:2], o[2:4], o[7:9]
        u = p * error + i * self._sum + d * slip + f * (speed + HALF * o[4] * slip) / MAX_SPEED
        self._sum += np.where(np.abs(u) < 1.0, DT * error, 0.0)  # no wind-up
        action: NDArray[np.float32] = np.clip(u, -1.0, 1.0).astype(np.float32)
        return action


def error_of(env: gymnasium.Env[Any, Any], act: Act, seed: int, trajectory: str) -> float:
    """Mean pixel error of an episode."""
    observation, _ = env.reset(seed=seed, options={"trajectory": trajectory})
    total, steps, over = 0.0, 0, False
    while not over:
        observation, _, terminated, truncated, info = env.step(act(observation))
        total, steps, over = total + info["pixel_error"], steps + 1, terminated or truncated
    return total / steps


def errors_of(make: Callable[[], Act], seeds: Sequence[int], episodes: int, **arguments: Any) -> list[NDArray[Any]]:
    """Mean pixel errors on each trajectory, one a seed, of a fresh controller for each episode."""
    env = gymnasium.make(ENV, **arguments)
    found = [
        np.array([np.mean([error_of(env, make(), 1000 * s + k, name) for k in range(episodes)]) for s in seeds])
        for name in PATHS
    ]
    env.close()
    return found


class Watched(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps the mean pixel error of every episode."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.errors: list[float] = []
        self._now: list[float] = []

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step, watched."""
        answer = self.env.step(action)
        self._now.append(answer[4]["pixel_error"])
        if answer[2] or answer[3]:
            self.errors.append(float(np.mean(self._now)))
            self._now = []
        return answer


def learned(seed: int, steps: int, episodes: int) -> tuple[list[float], list[float]]:
    """The spiking agent's errors while it learns, episode by episode, and frozen on each trajectory afterwards."""
    env = Watched(gymnasium.make(ENV))
    agent = load_agent("target-tracking", env, seed)
    agent.learn(total_steps=steps)
    test = gymnasium.make(ENV)

    def fresh() -> Act:
        state: Any = None

        def act(observation: NDArray[np.float32]) -> NDArray[np.float32]:
            nonlocal state
            action, state = agent.predict(observation, state)
            return np.asarray(action, np.float32)

        return act

    frozen = [
        float(np.mean([error_of(test, fresh(), 1000 * seed + k, name) for k in range(episodes)])) for name in PATHS
    ]
    test.close()
    agent.close()
    return env.errors, frozen


def report(seeds: Sequence[int], steps: int, episodes: int) -> str:
    """The table, in Markdown."""
    rng = np.random.default_rng(0)

    def random(observation: NDArray[np.float32]) -> NDArray[np.float32]:
        return rng.uniform(-1.0, 1.0, 2).astype(np.float32)

    rows = {"random": errors_of(lambda: random, seeds, episodes)}
    for name, gains in BASELINES.items():
        rows[name] = errors_of(lambda gains=gains: Controller(gains), seeds, episodes)  # type: ignore[misc]
    runs = [learned(seed, steps, episodes) for seed in seeds]
    rows["`target-tracking`, frozen"] = [np.array(column) for column in zip(*(run[1] for run in runs), strict=True)]
    lines = [f"| mean pixel error | {' | '.join(PATHS)} |", "|---" * (len(PATHS) + 1) + "|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {' | '.join(f'{one.mean():.2f} ({one.min():.2f} to {one.max():.2f})' for one in row)} |"
        )
    ours, p = rows["`target-tracking`, frozen"], rows["P"]
    lines.append(f"| ours over P | {' | '.join(f'{a.mean() / b.mean():.2f}' for a, b in zip(ours, p, strict=True))} |")
    curve = np.array([run[0] for run in runs])
    marks = [k for k in (1, 2, 5, 10, 20, 40, 60, 80, 100) if k <= curve.shape[1]]
    lines += ["", f"| episode of 10 s | {' | '.join(map(str, marks))} |", "|---" * (len(marks) + 1) + "|"]
    lines.append(f"| error while learning | {' | '.join(f'{curve[:, k - 1].mean():.2f}' for k in marks)} |")
    return "\n".join(lines)


TEXT = """# target-tracking

A pan-tilt head follows a ball, pixels of a picture of 64 × 64.

`python -m neuroloop_agents.tracking recordings/benchmarks/target-tracking.md`

{date}; 2 cores, shared. Seeds {first} to {last}, none of them used for tuning, {episodes} episodes of 10 s a seed and
trajectory: the mean, and in brackets the least and the greatest of the seeds. Every controller meets the same episodes. A
ball out of the picture counts as at its edge. The agent learns on abrupt paths only, for {steps} control steps ({minutes:.0f}
minutes of the world's time), and is frozen then.

{table}

P, PI, PD and feed-forward: `agents/neuroloop_agents/tracking.py`, gains swept over abrupt paths on other seeds.
"""


def main(arguments: list[str]) -> None:
    """Measure, and write the table."""
    if len(arguments) != 1:
        sys.exit("usage: python -m neuroloop_agents.tracking OUTFILE")
    seeds, steps, episodes = range(10500, 10505), 30_000, 10
    table = report(seeds, steps, episodes)
    text = TEXT.format(
        date=datetime.date.today(), first=seeds[0], last=seeds[-1], episodes=episodes, steps=steps,
        minutes=steps * DT / 60.0, table=table,
    )  # fmt: skip
    with open(arguments[0], "w", encoding="utf-8") as file:
        file.write(text)
    print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
