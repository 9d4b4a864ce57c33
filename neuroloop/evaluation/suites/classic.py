"""The suite `classic`: the ready-made agents on Gymnasium's classic tasks, seed by seed, beside a random policy.

Solved: the mean return of the last 100 training episodes reaches the criterion, exploration on, every environment step
counted. Held: over the episodes that follow, still learning, no window of 100 falls below the criterion.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...agent import load_agent, read_config
from ...loop.lockstep import WINDOW
from ...loop.plant import criterion_of
from ...settings import PlantConfig
from ..figures import Figure, Suite


class Task(NamedTuple):
    """An agent and what is asked of it."""

    agent: str
    limit: int  # environment steps
    median: int | None = None  # targets, environment steps to solve
    worst: int | None = None
    us_per_step: float | None = None


TASKS = {
    "cartpole": Task("cartpole", 150_000, 60_000, 80_000, 150.0),
    "mountain_car": Task("mountain-car", 100_000, None, 50_000),
}
Report = Callable[[str], Any]


def run(n_seeds: int, first_seed: int, jobs: int, hold: int, tasks: list[str], report: Report) -> Suite:
    """Run every task on every seed, `jobs` at a time; `hold` episodes follow each solution."""
    figures, rows = [], []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for name in tasks:
            pending = {pool.submit(run_seed, name, first_seed + k, hold): first_seed + k for k in range(n_seeds)}
            done = []
            for future in as_completed(pending):
                done.append(future.result())
                report(_line(name, done[-1]))
            done.sort(key=lambda row: row["seed"])
            random = pool.submit(random_mean, name, first_seed).result()
            figures += figures_of(name, done, random)
            rows += done
    return Suite("classic", figures, rows)


def run_seed(name: str, seed: int, hold: int) -> dict[str, Any]:
    """Learn until solved, go on for `hold` episodes; returns a row of the table."""
    task = TASKS[name]
    agent = load_agent(task.agent, seed=seed)
    started = time.process_time()
    progress = agent.learn(task.limit, stop_when_solved=True)
    cpu = time.process_time() - started
    row: dict[str, Any] = {
        "task": name, "seed": seed, "solved_at_step": progress.solved_at_step, "episodes": len(progress.returns),
        "steps": progress.steps, "mean_of_100": progress.mean_return,
        "steps_before_window": int(sum(progress.lengths[:-WINDOW])),
        "us_per_step": cpu / progress.steps * 1e6, "held_worst": None,
    }  # fmt: skip
    if hold and progress.solved_at_step is not None:
        solved = len(progress.returns)
        agent.learn(10**9, episodes=solved + hold)
        means = np.convolve(progress.returns[solved - WINDOW :], np.ones(WINDOW) / WINDOW, "valid")
        row["held_worst"] = float(means.min())
        row["mean_of_100"] = progress.mean_return
    agent.close()
    return row


def random_mean(name: str, seed: int, episodes: int = 100) -> float:
    """Mean return of a random policy on the task."""
    with load_agent("random", _plant(name).env, seed) as agent:
        return float(np.mean(agent.learn(10**9, episodes=episodes).returns))


def _plant(name: str) -> PlantConfig:
    return read_config(TASKS[name].agent)[1].plant


def figures_of(name: str, rows: list[dict[str, Any]], random: float) -> list[Figure]:
    """The figures of one task."""
    task, n = TASKS[name], len(rows)
    solved = [row for row in rows if row["solved_at_step"] is not None]
    steps = [float(row["solved_at_step"]) for row in solved]
    all_solved = len(solved) == n
    plant = _plant(name)
    criterion = criterion_of(plant, gymnasium.spec(plant.env))
    held = [row for row in solved if row["held_worst"] is not None]
    cpu = [row["us_per_step"] for row in rows]
    finals = [row["mean_of_100"] for row in rows if row["mean_of_100"] is not None]
    figures = [
        Figure(f"{name}_solved_fraction", len(solved) / n, "", n, 1.0, "high"),
        _spread(
            f"{name}_steps_median",
            statistics.median(steps) if len(solved) > n / 2 else None,
            "steps",
            steps,
            task.median,
        ),
        _spread(f"{name}_steps_worst", max(steps) if all_solved else None, "steps", steps, task.worst),
        _spread(f"{name}_steps_before_window_median", *_median([float(row["steps_before_window"]) for row in solved])),
        _spread(f"{name}_final_mean", statistics.median(finals) if finals else None, "return", finals),
        _spread(f"{name}_us_per_step", statistics.median(cpu), "µs CPU", cpu, task.us_per_step),
        Figure(f"{name}_random_mean", random, "return", 100),
    ]
    if held and criterion is not None:
        figures.append(
            Figure(f"{name}_stability_fraction", sum(row["held_worst"] >= criterion for row in held) / n, "", n)
        )
    return figures


def _median(values: list[float]) -> tuple[float | None, str, list[float]]:
    return statistics.median(values) if values else None, "steps", values


def _spread(name: str, value: float | None, unit: str, values: list[float], target: float | None = None) -> Figure:
    return Figure(name, value, unit, len(values), target, "low", min(values, default=None), max(values, default=None))


def _line(name: str, row: dict[str, Any]) -> str:
    at = "not solved" if row["solved_at_step"] is None else f"solved at {row['solved_at_step']}"
    return f"{name} seed {row['seed']}: {at}, {row['us_per_step']:.1f} µs a step, worst mean afterwards {row['held_worst']}"
