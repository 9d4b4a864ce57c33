"""Draws a pan-tilt head, what it sees and how it follows: `python docs/pictures/target_tracking.py OUTFOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from matplotlib.figure import Figure
from neuroloop_agents.studies._episodes import frozen
from neuroloop_agents.studies.pan_tilt_control import GAINS, Controller

import neuroloop

ID, STEPS, SEED = "neuroloop_envs:neuroloop/TargetTracking-v0", 15_000, 4
SHOWN_S = 5.0
BALL, P, LEARNED = "#999999", "#c0504d", "#1f4e79"


def followed(act: Any) -> tuple[np.ndarray, np.ndarray, float]:
    """Azimuths of ball and head, degrees, and the mean pixel error of one episode."""
    env = gymnasium.make(ID)
    observation, _ = env.reset(seed=SEED)
    world: Any = env.unwrapped
    ball, head, errors = [], [], []
    for _ in range(500):
        observation, *_, info = env.step(act(observation))
        ball.append(world.ball[0])
        head.append(world.head.pan)
        errors.append(info["pixel_error"])
    env.close()
    return np.degrees(ball), np.degrees(head), float(np.mean(errors))


def views() -> tuple[np.ndarray, np.ndarray]:
    """The world from outside, and what the head sees."""
    env = gymnasium.make(
        ID, render_mode="rgb_array", observation="both", trajectory="smooth", occluders=1, distractors=2, size=(96, 96)
    )
    observation, _ = env.reset(seed=3)
    for _ in range(60):
        observation = env.step(np.clip(2.0 * observation["readings"][:2], -1, 1))[0]
    outside = np.asarray(env.render())
    env.close()
    return outside, observation["camera"][:, :, 0]


def main(folder: Path) -> Path:
    """Draw the picture; returns where it lies."""
    figure = Figure(figsize=(11.0, 3.4), dpi=110, layout="constrained")
    grid = figure.add_gridspec(1, 3, width_ratios=(1.5, 1.0, 2.0))
    outside, inside = views()
    for k, (picture, title) in enumerate(((outside, "the head, the ball, a board"), (inside, "what the head sees"))):
        axes = figure.add_subplot(grid[k])
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    agent = neuroloop.load_agent("target-tracking", seed=1)
    agent.learn(total_steps=STEPS)
    axes = figure.add_subplot(grid[2])
    n = round(SHOWN_S / 0.02)
    times = 0.02 * np.arange(1, n + 1)
    for act, colour, name in ((Controller(GAINS["P"]), P, "P"), (frozen(agent), LEARNED, "learned")):
        ball, head, error = followed(act)
        if name == "P":
            axes.plot(times, ball[:n], color=BALL, linewidth=3, label="ball")
        axes.plot(times, head[:n], color=colour, linewidth=1.2, label=f"{name}: {error:.1f} px off on average")
    agent.close()
    axes.set_xlabel("s", fontsize=8)
    axes.set_ylabel("pan, degrees", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(f"after {STEPS * 0.02 / 60:.0f} minutes of learning", fontsize=9)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "target-tracking.png")
    return folder / "target-tracking.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(main(Path(sys.argv[1])))
