"""Draws the figures of `docs/plots.md` of real runs: `python docs/pictures/plots.py OUTFOLDER` writes `plots-….png`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import gymnasium

import neuroloop
from neuroloop.loop.paced import Paced
from neuroloop.view.plots import (
    plot_learning_curve,
    plot_raster,
    plot_signals,
    plot_timing,
    plot_trajectory,
    plot_weights,
)

SEEDS, STEPS = range(1, 6), 40_000
DPI = 150


def record(agent: neuroloop.Agent, path: Path, steps: int) -> Path:
    """The recording of a run."""
    with neuroloop.Recorder(path, agent) as recorder, agent.watched(by=recorder):
        agent.learn(steps)
    return path


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit("usage: python docs/pictures/plots.py OUTFOLDER")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for seed in SEEDS:
            agent = neuroloop.load_agent("cartpole", seed=seed)
            agent.learn(STEPS)
            agent.save(here / "runs" / f"seed{seed}" / "checkpoint.zip")
        hidden = neuroloop.load_agent("e-prop", seed=1)
        hidden.learn(20_000)
        cartpole = record(neuroloop.load_agent("cartpole", seed=3), here / "cartpole.mcap", 1000)
        with neuroloop.load_agent("quadruped-walk", seed=3) as dog:
            walk = record(dog, here / "walk.mcap", 250)
        live = neuroloop.load_agent("cartpole", Paced(gymnasium.make("CartPole-v1")), seed=1)
        live.learn(500)
        figures = {
            "learning": plot_learning_curve(here / "runs", width="two"),
            "weights": plot_weights(hidden),
            "raster": plot_raster(walk, last=50, only=["encoder.time", "encoder.body", "critic", "motor[1]"]),
            "signals": plot_signals(cartpole, last=600),
            "trajectory": plot_trajectory(walk, "front right upper angle", "rear left upper angle", "roll", "pitch"),
            "against": plot_trajectory(cartpole, "cart position", "pole angle", against=True, width="one"),
            "timing": plot_timing(live.env.timing),  # type: ignore[attr-defined]
        }
        for name, figure in figures.items():
            figure.savefig(out / f"plots-{name}.png", dpi=DPI)


if __name__ == "__main__":
    main()
