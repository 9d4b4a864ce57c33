"""The page that sets BindsNET's runs on CartPole-v1 beside ours and a random policy, at an equal budget of steps.

Runs where neuroloop is installed: `python cartpole_page.py bindsnet.jsonl > recordings/benchmarks/bindsnet.md`.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

import neuroloop
from neuroloop.checkpoint import facts_of_versions
from neuroloop.evaluation.figures import machine

WINDOW = 100
OURS = {
    "default": "neuroloop `default`, nothing set for the task, reward as it comes",
    "cartpole": "neuroloop `cartpole`, its settings for the task, paid −1 for falling",
    "random": "random policy",
}
THEIRS = {"native": "BindsNET, reward as it comes", "helped": "BindsNET, reward chosen for it"}


def means_of(returns):
    """Means of 100 episodes, or the mean of all where there are fewer."""
    window = min(WINDOW, len(returns))
    return np.convolve(returns, np.ones(window) / window, "valid")


def our_run(agent, seed, steps):
    """The figures of one of our agents."""
    neuroloop.load_agent(agent, "CartPole-v1", seed).learn(100)  # compiled, as torch is
    learner, started = neuroloop.load_agent(agent, "CartPole-v1", seed), time.process_time()
    progress = learner.learn(steps)
    cpu = time.process_time() - started
    means = means_of(progress.returns)
    return {
        "seed": seed, "steps": progress.steps, "episodes": len(progress.returns), "best": float(means.max()),
        "final": float(means[-1]), "us_per_step": cpu / progress.steps * 1e6,
    }  # fmt: skip


def spread(values, digits=0):
    """Median, least and greatest."""
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f} … {max(values):.{digits}f})"


def table(heads, rows):
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [heads, ["---"] * len(heads), *rows]) + "\n"


def told(setup):
    """A setup in one line."""
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in setup.items()
    )


def page(lines):
    """The whole page."""
    lines = sorted(lines, key=lambda row: (row["stage"], row["seed"], -row["best"]))
    stages = {stage: [row for row in lines if row["stage"] == stage] for stage in {row["stage"] for row in lines}}
    finals = {words: stages[f"{name}, final"] for name, words in THEIRS.items()}
    some = next(iter(finals.values()))
    steps, seeds = min(row["steps"] for row in some), sorted(row["seed"] for row in some)
    finals |= {words: [our_run(agent, seed, steps) for seed in seeds] for agent, words in OURS.items()}
    where = machine()
    columns = ("best", "final", "us_per_step")
    rows = [[words, steps, *(spread([r[c] for r in runs]) for c in columns)] for words, runs in finals.items()]
    shown = ("seed", "steps", "episodes", *columns)
    every = [[words, *(f"{row[c]:.5g}" for c in shown)] for words, runs in finals.items() for row in runs]
    search = [[row["stage"], row["seed"], row["steps"], f"{row['best']:.1f}", f"{row['final']:.1f}", told(row["setup"])]
              for row in lines if not row["stage"].endswith("final")]  # fmt: skip
    versions = ", ".join(f"{name} {version}" for name, version in facts_of_versions().items())
    notes = Path(__file__).with_name("bindsnet_cartpole.md").read_text(encoding="utf-8")
    head = f"{date.today()}; {where['cpu']}, {where['cores']} cores, shared with other work; ours: {versions}."
    return "\n".join([
        "# CartPole-v1: BindsNET's own pipeline beside neuroloop\n", head, "", notes,
        f"## {steps} environment steps, seeds {seeds[0]}-{seeds[-1]}\n",
        "Median of the seeds (least … greatest). Mean returns are of 100 training episodes, exploration on, native reward "
        "(a step upright is 1; an episode ends at 500).\n",
        table(["", "steps", "best mean of 100", "last mean of 100", "CPU µs a step"], rows),
        "BindsNET's settings, the best of its search:\n",
        *(f"- {words}: {told(finals[words][0]['setup'])}" for words in THEIRS.values()), "",
        "## Every run\n", table(["", "seed", "steps", "episodes", "best", "last", "CPU µs a step"], every),
        "## Everything that was tried for BindsNET\n",
        table(["stage", "seed", "steps", "best mean of 100", "last", "setup"], search),
    ])  # fmt: skip


if __name__ == "__main__":
    print(page([json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]), end="")
