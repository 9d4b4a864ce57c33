"""Measures what healthy agents show, so that the doctor's limits come from runs: `python -m neuroloop.diagnosis FILE`.

Every ready-made agent and task is watched from its beginning, and again once it solved the task or learned for long.
"""

from __future__ import annotations

import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TextIO

from ..agent import load_agent
from . import STEPS, Finding, diagnose
from .findings import Severity, shown

CLASSIC = (
    "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1", "LunarLander-v3",
)  # fmt: skip
HEALTHY = (("cartpole", "CartPole-v1"), ("mountain-car", "MountainCar-v0"), *(("default", env) for env in CLASSIC))
LONG = 60_000  # plant steps to learn before the second watch, or until solved
SEEDS = range(9_000, 9_005)
STAGES = ("beginning", "later")
Figures = dict[str, dict[str, list[Finding]]]  # by name and stage


def measure(seeds: Iterable[int], file: TextIO = sys.stderr) -> tuple[Figures, dict[str, Counter[str]]]:
    """All findings of healthy runs, and how many runs had which severity as their worst."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    worst: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
    for seed in seeds:
        for name, env in HEALTHY:
            agent = load_agent(name, env, seed)
            for stage in STAGES:
                if stage == "later":
                    agent.learn(LONG - STEPS, stop_when_solved=True)
                findings = diagnose(agent)
                for finding in findings:
                    figures[finding.name][stage].append(finding)
                worst[stage][str(findings[0].severity)] += 1
                told = [f"{f.name} {f.where} {f.figure:.3g}" for f in findings if f.severity >= Severity.WARNING]
                print(f"{name} on {env}, seed {seed}, {stage}: {', '.join(told) or 'fine'}", file=file, flush=True)
            agent.close()
    return figures, worst


def page(figures: Figures, worst: dict[str, Counter[str]], n_seeds: int) -> str:
    """The table as Markdown."""
    python, runs = platform.python_version(), n_seeds * len(HEALTHY)
    lines = [
        "# What healthy agents show the doctor",
        "",
        f"Made by `python -m neuroloop.diagnosis` on {date.today()}, Python {python}, {n_seeds} seeds each of "
        f"{', '.join(f'`{name}` on {env}' for name, env in HEALTHY)}. Each of the {runs} agents was watched for {STEPS} "
        f"steps from its beginning, and again once it solved its task or had learned for {LONG - STEPS} more steps. "
        "Figures: least … most over all runs and parts of a network; a dash where none was told.",
        "",
        *(f"Worst finding of a run, {stage}: {_counts(worst[stage])}." for stage in STAGES),
        "",
        "| figure | unit | beginning | later | healthy, says the doctor |",
        "|---|---|---|---|---|",
    ]
    for name, by_stage in figures.items():
        finding = next(iter(by_stage.values()))[0]
        spans = []
        for stage in STAGES:
            known = [f.figure for f in by_stage.get(stage, ()) if f.figure is not None]
            least, most = (shown(end, finding.unit) for end in (min(known), max(known))) if known else ("–", "")
            spans.append(f"{least} … {most}".removesuffix(" … "))
        lines.append(f"| {name} | {finding.unit} | {' | '.join(spans)} | {finding.healthy} |")
    return "\n".join(lines) + "\n"


def _counts(words: Counter[str]) -> str:
    return ", ".join(f"{n} {word}" for word, n in words.most_common())


if __name__ == "__main__":
    measured = page(*measure(SEEDS), len(SEEDS))
    Path(sys.argv[1]).write_text(measured, encoding="utf-8") if len(sys.argv) > 1 else print(measured)
