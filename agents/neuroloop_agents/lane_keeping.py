"""Laps that lane-keeping agents drive after so many steps of learning, beside chance and a controller that knows its errors.

    python -m neuroloop_agents.lane_keeping --seeds 5 --first-seed 10500 --write table.md

An agent learns from random weights, every environment step counted. Then its weights are frozen, it no longer explores, and it
drives each lane in both directions on a ground of another texture; 1000 steps are 40 m, or 1.2 to 1.4 laps.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from neuroloop.agent import Agent, read_config
from neuroloop.evaluation.figures import place_of
from neuroloop.loop.plant import make_env
from neuroloop.settings import PlantConfig

ENV = "neuroloop/LaneKeeping-v0"
AGENTS = ("lane-keeping", "lane-keeping-signed")
COURSES = [(lane, way) for lane in ("outer", "inner") for way in ("anticlockwise", "clockwise")]
DRIVE_STEPS = 1000  # unless told otherwise
OTHER_GROUND = 1  # agents learn on ground 0
LATE = 2000  # the last steps of learning, whose departures are counted apart
WHAT = {"lane-keeping": "R-STDP by TD error, scalar reward", "lane-keeping-signed": "R-STDP by the signed error"}
Act = Callable[[Any], Any]


class Drive(NamedTuple):
    """How far it led, whether it left the lane, and |lateral error| in m."""

    laps: float
    left: bool
    mean: float
    most: float


class Run(NamedTuple):
    """What a seed learned. While it learned: when the car left the lane, and when it had first come round in each lane."""

    agent: str
    seed: int
    departures: list[int]
    laps: dict[str, int]
    drives: list[Drive]
    cpu_s: float


class Diary(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Counts steps, and notes when the car left its lane, and when it had first driven all of a lane."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.steps, self.departures, self.laps = 0, list[int](), dict[str, int]()

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Pass on."""
        result = self.env.step(action)
        self.steps += 1
        if result[2]:
            self.departures.append(self.steps)
        elif result[4]["laps"]:
            self.laps.setdefault(result[4]["lane"], self.steps)
        return result


def drive(plant: PlantConfig, act: Callable[[], Act], seed: int, steps: int) -> list[Drive]:
    """Every course once; `act()` begins an episode and says what to do from then on."""
    drives = []
    for k, (lane, way) in enumerate(COURSES):
        course = {"lane": lane, "direction": way, "ground_seed": OTHER_GROUND, "max_episode_steps": steps}
        env = make_env(plant.__class__(env=ENV, arguments=plant.arguments | course, event_camera=plant.event_camera))
        observation, _ = env.reset(seed=seed + k)
        do, errors, over = act(), list[float](), False
        while not over:
            observation, _, terminated, truncated, info = env.step(do(observation))
            errors.append(abs(info["lateral_error"]))
            over = terminated or truncated
        drives.append(Drive(info["lap_progress"], terminated, float(np.mean(errors)), max(errors)))
        env.close()
    return drives


def learned(name: str, seed: int, steps: int, drive_steps: int, episode_steps: int | None = None) -> Run:
    """Let an agent learn, in episodes of its own length unless `episode_steps` is given, then drive."""
    _, config = read_config(name)
    begun = time.process_time()
    episodes = {} if episode_steps is None else {"max_episode_steps": episode_steps}
    env = Diary(make_env(config.plant.__class__(env=ENV, arguments=config.plant.arguments | episodes)))
    agent = Agent(config, env, seed, name)
    agent.learn(steps)

    def frozen() -> Act:
        state = None

        def do(observation: Any) -> Any:
            nonlocal state
            action, state = agent.predict(observation, state)
            return action

        return do

    drives = drive(config.plant, frozen, seed, drive_steps) if drive_steps else []
    env.close()
    return Run(name, seed, env.departures, env.laps, drives, time.process_time() - begun)


def steered(readings: Any) -> Any:
    """A proportional-derivative controller, by hand, on the true errors: an upper bound, no rival."""
    return np.clip([-(20.0 * readings[0] + 4.0 * readings[1]) / 1.2], -1.0, 1.0)


def known(name: str, seed: int, drive_steps: int = DRIVE_STEPS) -> Run:
    """What needs no learning: `pd`, or `random`."""
    rng = np.random.default_rng(seed)
    act: Act = steered if name == "pd" else lambda readings: rng.uniform(-1.0, 1.0, 1)
    drives = drive(PlantConfig(env=ENV), lambda: act, seed, drive_steps) if drive_steps else []
    return Run(name, seed, [], {}, drives, 0.0)


def table(runs: Iterable[Run], steps: int) -> list[str]:
    """A row for each seed, and one for those that learn nothing; errors are those of drives that never left the lane."""
    lines = [
        "| controller | seed | drives of a full lap | never left the lane | laps a drive | m off the middle, mean / greatest | "
        f"left the lane in {steps} steps of learning / in the last {LATE} | first full lap while learning, outer / inner |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        n, kept = len(run.drives), [one for one in run.drives if not one.left]
        full = sum(one.laps >= 1.0 for one in run.drives)
        laps = f"{np.mean([one.laps for one in run.drives]):.2f}" if n else "–"
        errors = f"{np.mean([one.mean for one in kept]):.3f} / {max(one.most for one in kept):.3f}" if kept else "–"
        late = sum(step > steps - LATE for step in run.departures)
        first = f"{run.laps.get('outer', '–')} / {run.laps.get('inner', '–')}" if run.agent in WHAT else ""
        learning = f"{len(run.departures)} / {late}" if run.agent in WHAT else ""
        row = (run.agent, run.seed, f"{full} of {n}", f"{len(kept)} of {n}", laps, errors, learning, first)
        lines.append(f"| {' | '.join(map(str, row))} |")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", nargs="+", default=AGENTS, choices=AGENTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10_000, help="of learning")
    parser.add_argument("--episode-steps", type=int, help="of an episode while learning; too few for a lap by default")
    parser.add_argument("--drive-steps", type=int, default=DRIVE_STEPS, help="of a drive, after it; 0: none")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", type=Path, help="a Markdown file")
    given = parser.parse_args(arguments)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        how = (given.steps, given.drive_steps, given.episode_steps)
        waiting = [pool.submit(learned, name, seed, *how) for name in given.agents for seed in seeds]
        waiting += [pool.submit(known, name, seeds[0], given.drive_steps) for name in ("pd", "random")]
        runs = []
        for one in waiting:
            runs.append(one.result())
            print(*table([runs[-1]], given.steps)[2:], flush=True)
    words = sys.argv[1:] if arguments is None else arguments
    command = f"python -m neuroloop_agents.lane_keeping {shlex.join(words)}"
    text = ["# lane keeping", "", f"`{command}`", "", f"{time.strftime('%Y-%m-%d')}; {place_of()}.", ""]
    text += [
        f"Frozen after {given.steps} steps of learning, each lane in both directions, {given.drive_steps} steps a drive.",
        "",
    ]
    text += [f"- {name}: {about}" for name, about in WHAT.items() if name in given.agents]
    text += ["- pd: proportional-derivative steering on the true errors, an upper bound", "", *table(runs, given.steps)]
    if given.write:
        given.write.write_text("\n".join([*text, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
