"""Laps that lane-keeping agents drive after so many steps of learning, beside chance and a controller that knows its errors.

    python -m neuroloop_agents.lane_keeping --seeds 5 --first-seed 10500 --steps 10000 20000 --write table.md

An agent learns from random weights, every environment step counted. After each number of `--steps` its weights are frozen, it
no longer explores, and it drives each lane in both directions on a ground of another texture; 1000 steps are 40 m, or 1.2 to
1.4 laps. Then it goes on learning.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Sequence
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
from neuroloop_agents.studies._episodes import Act, episode, frozen

ENV = "neuroloop/LaneKeeping-v0"
AGENTS = ("lane-keeping", "lane-keeping-signed")
COURSES = [(lane, way) for lane in ("outer", "inner") for way in ("anticlockwise", "clockwise")]
DRIVE_STEPS = 1000  # unless told otherwise
OTHER_GROUND = 1  # agents learn on ground 0
LATE = 2000  # the last steps of learning, whose departures are counted apart
WHAT = {"lane-keeping": "R-STDP by TD error, scalar reward", "lane-keeping-signed": "R-STDP by the signed error"}


class Drive(NamedTuple):
    """How far it led, whether it left the lane, and |lateral error| in m."""

    laps: float
    left: bool
    mean: float
    most: float


class Run(NamedTuple):
    """What a seed had learned after so many steps. Until then: when the car left the lane, and first had come round in each."""

    agent: str
    seed: int
    steps: int
    departures: list[int]
    laps: dict[str, int]
    drives: list[Drive]


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
        seen = list(episode(env, act(), seed + k))
        errors, last = [abs(step.info["lateral_error"]) for step in seen], seen[-1]
        drives.append(Drive(last.info["lap_progress"], last.terminated, float(np.mean(errors)), max(errors)))
        env.close()
    return drives


def learned(
    name: str, seed: int, marks: Sequence[int], drive_steps: int, episode_steps: int | None = None
) -> list[Run]:
    """Let an agent learn, in episodes of its own length unless `episode_steps` is given, and drive after each of `marks`."""
    _, config = read_config(name)
    episodes = {} if episode_steps is None else {"max_episode_steps": episode_steps}
    env = Diary(make_env(config.plant.__class__(env=ENV, arguments=config.plant.arguments | episodes)))
    agent, runs = Agent(config, env, seed, name), list[Run]()

    for steps in sorted(marks):
        agent.learn(steps - agent.progress.steps)
        drives = drive(config.plant, lambda: frozen(agent), seed, drive_steps) if drive_steps else []
        runs.append(Run(name, seed, steps, env.departures.copy(), env.laps.copy(), drives))
    env.close()
    return runs


def steered(readings: Any) -> Any:
    """A proportional-derivative controller, by hand, on the true errors: an upper bound, no rival."""
    return np.clip([-(20.0 * readings[0] + 4.0 * readings[1]) / 1.2], -1.0, 1.0)


def known(name: str, seed: int, drive_steps: int = DRIVE_STEPS) -> list[Run]:
    """What needs no learning: `pd`, or `random`."""
    rng = np.random.default_rng(seed)
    act: Act = steered if name == "pd" else lambda readings: rng.uniform(-1.0, 1.0, 1)
    drives = drive(PlantConfig(env=ENV), lambda: act, seed, drive_steps) if drive_steps else []
    return [Run(name, seed, 0, [], {}, drives)]


def table(runs: Iterable[Run]) -> list[str]:
    """A row for each run; errors are those of drives that never left the lane."""
    lines = [
        "| controller | seed | steps learned | drives of a full lap | never left the lane | laps a drive | "
        f"m off the middle, mean / greatest | left the lane while learning / in the last {LATE} | "
        "first full lap while learning, outer / inner |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        n, kept = len(run.drives), [one for one in run.drives if not one.left]
        full = sum(one.laps >= 1.0 for one in run.drives)
        laps = f"{np.mean([one.laps for one in run.drives]):.2f}" if n else "–"
        errors = f"{np.mean([one.mean for one in kept]):.3f} / {max(one.most for one in kept):.3f}" if kept else "–"
        late = sum(step > run.steps - LATE for step in run.departures)
        first = f"{run.laps.get('outer', '–')} / {run.laps.get('inner', '–')}" if run.agent in WHAT else ""
        learning = f"{len(run.departures)} / {late}" if run.agent in WHAT else ""
        row = (
            run.agent,
            run.seed,
            run.steps or "",
            f"{full} of {n}",
            f"{len(kept)} of {n}",
            laps,
            errors,
            learning,
            first,
        )
        lines.append(f"| {' | '.join(map(str, row))} |")
    return lines


def summary(runs: Sequence[Run]) -> list[str]:
    """A row for each controller and number of steps, over all seeds."""
    lines = [
        "| controller | steps learned | seeds that had driven both lanes round | drives of a full lap, frozen | "
        "seeds all of whose drives were full laps | m off the middle, mean / greatest |",
        "|---|---|---|---|---|---|",
    ]
    for name, steps in dict.fromkeys((run.agent, run.steps) for run in runs):
        mine = [run for run in runs if (run.agent, run.steps) == (name, steps)]
        drives = [one for run in mine for one in run.drives]
        kept, full = [one for one in drives if not one.left], sum(one.laps >= 1.0 for one in drives)
        whole = sum(all(one.laps >= 1.0 for one in run.drives) for run in mine)
        both = f"{sum(len(run.laps) == 2 for run in mine)} of {len(mine)}" if steps else ""
        errors = f"{np.mean([one.mean for one in kept]):.3f} / {max(one.most for one in kept):.3f}" if kept else "–"
        row = (name, steps or "", both, f"{full} of {len(drives)}", f"{whole} of {len(mine)}", errors)
        lines.append(f"| {' | '.join(map(str, row))} |")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", nargs="+", default=AGENTS, choices=AGENTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, nargs="+", default=[10_000], help="of learning, after which to drive")
    parser.add_argument("--episode-steps", type=int, help="of an episode while learning")
    parser.add_argument("--drive-steps", type=int, default=DRIVE_STEPS, help="of a drive, after it; 0: none")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", type=Path, help="a Markdown file")
    given = parser.parse_args(arguments)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        how = (given.steps, given.drive_steps, given.episode_steps)
        waiting = [pool.submit(learned, name, seed, *how) for name in given.agents for seed in seeds]
        waiting += [pool.submit(known, name, seeds[0], given.drive_steps) for name in ("pd", "random")]
        runs = list[Run]()
        for one in waiting:
            runs += one.result()
            print(*table(one.result())[2:], sep="\n", flush=True)
    words = sys.argv[1:] if arguments is None else arguments
    command = f"python -m neuroloop_agents.lane_keeping {shlex.join(words)}"
    text = ["# lane keeping", "", f"`{command}`", "", f"{time.strftime('%Y-%m-%d')}; {place_of()}.", ""]
    text += [
        "Weights frozen after so many steps of learning, no exploration, a ground of a texture never seen; each lane in both "
    ]
    text[-1] += f"directions, {given.drive_steps} steps a drive. Errors are those of drives that never left the lane."
    text.append("")
    text += [f"- {name}: {about}" for name, about in WHAT.items() if name in given.agents]
    text += ["- pd: proportional-derivative steering on the true errors, an upper bound", "", *summary(runs)]
    text += ["", "## Every seed", "", *table(runs)]
    if given.write:
        given.write.write_text("\n".join([*text, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
