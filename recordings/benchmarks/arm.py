"""What the agents of the arm reach beside classical controllers, as arm.md: `python recordings/benchmarks/arm.py FILE`.

Distances are means over the last second of an episode; tracking errors are root mean squares over joints and steps.
"""

from __future__ import annotations

import multiprocessing
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import gymnasium
import neuroloop_envs  # noqa: F401
import numpy as np
from neuroloop_agents.arm_control import LAWS, play
from numpy.typing import NDArray

from neuroloop import Agent
from neuroloop.agent import read_config
from neuroloop.loop.plant import make_env

Array = NDArray[np.float64]

SEEDS = range(10500, 10505)
EPISODES = {"arm-reaching": 100, "arm-tracking": 20, "default": 100}
KEYS = {"arm-reaching": "distance", "default": "distance", "arm-tracking": "error_rad"}
SECOND, PICKED_UP = 200, 1000  # control steps


class Watched(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes one thing of every step, by episode."""

    def __init__(self, env: gymnasium.Env[Any, Any], key: str) -> None:
        super().__init__(env)
        self.key, self.episodes = key, [[]]  # type: tuple[str, list[list[float]]]

    def reset(self, **options: Any) -> Any:
        """Begin another episode."""
        self.episodes.append([])
        return super().reset(**options)

    def step(self, action: Any) -> Any:
        """Do it and note."""
        result = super().step(action)
        self.episodes[-1].append(result[4][self.key])
        return result


def learn(name: str, seed: int) -> tuple[Array, Array]:
    """What every step of learning, and of five frozen episodes after it, was like: (episodes, steps) each."""
    config = read_config(name, ["plant.env=neuroloop/ArmReaching-v0"] if name == "default" else [])[1]
    env = Watched(make_env(config.plant), KEYS[name])
    agent = Agent(config, env, seed)
    assert env.spec is not None and env.spec.max_episode_steps is not None  # noqa: PT018
    longest = env.spec.max_episode_steps
    agent.learn(EPISODES[name] * longest)
    learned = whole(env.episodes, longest)
    env.episodes = [[]]
    agent.evaluate(5, seed=SEEDS[0])
    frozen = whole(env.episodes, longest)
    agent.close()
    return learned, frozen


def whole(episodes: list[list[float]], longest: int) -> Array:
    """Those that were played to their end."""
    return np.array([episode for episode in episodes if len(episode) == longest])


def final(episodes: Array) -> Array:
    """Mean of an episode's last second, in mm."""
    mean: Array = 1e3 * episodes[:, -SECOND:].mean(axis=1)
    return mean


def span(first: int, last: int) -> str:
    """Which episodes, counted from 1."""
    return f"episodes {first + 1} to {last}" if last > first + 1 else f"episode {last}"


def rms(episodes: Array) -> tuple[float, float]:
    """In mrad, before and after the payload comes."""
    before, after = episodes[:, :PICKED_UP], episodes[:, PICKED_UP:]
    return 1e3 * float(np.sqrt((before**2).mean())), 1e3 * float(np.sqrt((after**2).mean()))


def reaching(learned: list[tuple[Array, Array]], name: str) -> list[str]:
    """Rows of one agent."""
    rows = []
    for first, last in ((0, 1), (1, 5), (5, 20), (20, 50), (50, 80), (80, 100)):
        means = [final(episodes[first:last]).mean() for episodes, _ in learned]
        rows.append(row(f"`{name}`, learning, {span(first, last)}", means))
    return [*rows, row(f"`{name}`, then, not learning", [final(frozen).mean() for _, frozen in learned])]


def row(name: str, means: list[Any]) -> str:
    """A row of the table of reaching."""
    return f"| {name} | {np.mean(means):.1f} | {', '.join(f'{mean:.1f}' for mean in means)} |"


def classical(env_id: str, arguments: dict[str, Any], key: str, measure: Callable[[Array], Any]) -> dict[str, Any]:
    """What each law reaches on the seeds."""
    env = gymnasium.make(env_id, **arguments)
    found = {name: measure(play(env, law, SEEDS, key)) for name, law in LAWS.items()}
    env.close()
    return found


def tables(learned: dict[str, list[tuple[Array, Array]]]) -> str:
    """The page."""
    schedule = read_config("arm-tracking")[1].plant.arguments["schedule"]
    bare = {"gravity_compensation": False}
    reach = classical("neuroloop/ArmReaching-v0", bare | {"joint_error": True}, "distance", final)
    track = classical("neuroloop/ArmTracking-v0", bare | {"schedule": schedule}, "error_rad", rms)
    lines = [HEAD.format(date=date.today(), python=platform.python_version())]
    lines += [row(name, list(means)) for name, means in reach.items()]
    lines += reaching(learned["arm-reaching"], "arm-reaching")
    lines += reaching(learned["default"], "default")
    lines += [TRACKING, *(f"| {name} | {before:.1f} | {after:.1f} |" for name, (before, after) in track.items())]
    mine = learned["arm-tracking"]
    for first, last in ((0, 1), (1, 5), (5, 10), (10, 20)):
        lines.append(tracked(f"learning, {span(first, last)}", [one[first:last] for one, _ in mine]))
    lines.append(tracked("then, not learning", [frozen for _, frozen in mine]))
    return "\n".join(lines) + "\n"


def tracked(name: str, episodes: list[Array]) -> str:
    """A row of the table of tracking: means over seeds."""
    cells = [f"{part.mean():.1f} ({part.min():.1f} … {part.max():.1f})" for part in np.array([*map(rms, episodes)]).T]
    return f"| `arm-tracking`, {name} | {' | '.join(cells)} |"


HEAD = """# arm

`python recordings/benchmarks/arm.py recordings/benchmarks/arm.md`

{date}; AMD EPYC, 2 cores, shared; python {python}. Seeds 10500 to 10504, none of them used for tuning.

## ArmReaching-v0

Distance from hand to target in mm, mean over the last second of an episode. The worlds of `arm-reaching` and of the classical
controllers do not compensate gravity; `default`, which learns by reward alone, has gravity compensated by the world.

| | mean | each seed |
|---|---|---|"""

TRACKING = """
## ArmTracking-v0

Root mean square over joints and steps, in mrad, without gravity compensation by the world. After 5 s, the middle of an episode,
the hand carries 3 kg that nobody was told of. In brackets the best and the worst seed.

| | before | with payload |
|---|---|---|"""


def main(file: Path) -> None:
    """Measure everything, in two processes, and write the page."""
    work = [(name, seed) for name in ("default", "arm-reaching", "arm-tracking") for seed in SEEDS]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(learn, *zip(*work, strict=True)))
    learned: dict[str, list[tuple[Array, Array]]] = {name: [] for name, _ in work}
    for (name, _), result in zip(work, done, strict=True):
        learned[name].append(result)
    file.write_text(tables(learned), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FILE")
    main(Path(sys.argv[1]))
