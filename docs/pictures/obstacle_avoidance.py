"""Draws a rover's ways through a corridor before and after learning: `python docs/pictures/obstacle_avoidance.py OUTFOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import neuroloop_envs  # noqa: F401
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from neuroloop_envs._husky import CHASSIS, WHEELS

import neuroloop

ENV = "neuroloop/ObstacleAvoidance-v0"
STEPS, SEED, CORRIDOR = 60_000, 1, 6
WAY, HIT = "#1f4e79", "#c0504d"
LENGTH = 52.0  # m that are drawn


def driven(agent: neuroloop.Agent) -> tuple[np.ndarray, bool]:
    """Poses (n, 3) of one episode, and whether a collision ended it."""
    env = gymnasium.make(ENV)
    observation, _ = env.reset(seed=CORRIDOR)
    poses, state, over, terminated = [env.unwrapped.pose], None, False, False
    while not over:
        action, state = agent.predict(observation, state)
        for _ in range(agent.config.plant.action_repeat):
            observation, _, terminated, truncated, _ = env.step(action)
            poses.append(env.unwrapped.pose)
            over = terminated or truncated
            if over:
                break
    env.close()
    return np.array(poses), terminated


def pillars() -> tuple[np.ndarray, float]:
    """Those of the corridor that is drawn, and half its width."""
    env = gymnasium.make(ENV)
    env.reset(seed=CORRIDOR)
    corridor = env.unwrapped.corridor
    found = corridor.pillars(0, 13), corridor.half
    env.close()
    return found


def strip(axes: Any, title: str, poses: np.ndarray, collided: bool) -> None:
    """The corridor from above, with a way through it."""
    rows, half = pillars()
    for x, y, r in rows:
        axes.add_patch(Circle((x, y), r, color="#d97a1a", linewidth=0))
    for side in (half, -half):
        axes.axhline(side, color="#555555", linewidth=1.5)
    colour = HIT if collided else WAY
    axes.plot(poses[:, 0], poses[:, 1], color=colour, linewidth=1.2)
    for x, y, heading in poses[[*range(0, len(poses) - 1, 100), -1]]:
        c, s = np.cos(heading), np.sin(heading)
        corners = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]) * (CHASSIS[0], WHEELS[1])
        axes.add_patch(Polygon(corners @ np.array([[c, s], [-s, c]]) + (x, y), color=colour, alpha=0.35, linewidth=0))
    end = "a collision" if collided else "time is up"
    axes.set_title(f"{title}: {poses[-1, 0]:.1f} m, then {end}", fontsize=9, loc="left")
    axes.set_xlim(-2.5, LENGTH)
    axes.set_ylim(-half - 0.2, half + 0.2)
    axes.set_aspect("equal")
    axes.tick_params(labelsize=7)


def views() -> tuple[np.ndarray, np.ndarray]:
    """The world as people see it, and as the camera on board does."""
    env = gymnasium.make(ENV, render_mode="rgb_array", observation="camera", size=(240, 160))
    env.reset(seed=CORRIDOR)
    for _ in range(40):
        seen = env.step(np.array([0.8, 0.0], np.float32))[0]
    picture = env.render()
    env.close()
    return np.asarray(picture), seen[:, :, 0]


def main(folder: Path) -> Path:
    """Draw the picture; returns where it lies."""
    agent = neuroloop.load_agent("obstacle-avoidance", seed=SEED)
    ways = [("obstacle-avoidance before it learned anything", *driven(agent))]
    agent.learn(total_steps=STEPS)
    ways.append((f"after {STEPS} steps, {STEPS // 1200} minutes of driving", *driven(agent)))
    agent.close()
    wired = neuroloop.load_agent("braitenberg", seed=SEED)
    ways.append(("braitenberg, wired by hand", *driven(wired)))
    wired.close()
    figure = Figure(figsize=(11.0, 7.2), dpi=110, layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.25, 1.6])
    for axes, image, title in zip(above.subplots(1, 2), views(), ("the world", "the camera on board"), strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    for axes, way in zip(below.subplots(3, 1), ways, strict=True):
        strip(axes, *way)
    below.supxlabel("m along the corridor", fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "obstacle-avoidance.png")
    return folder / "obstacle-avoidance.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(main(Path(sys.argv[1])))
