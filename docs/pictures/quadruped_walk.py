"""Draws docs/quadruped-walk.png: a stride of the agent as it is born, what keeps its time, what it asks for, and its feet.

python docs/pictures/quadruped_walk.py OUTFOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from matplotlib.figure import Figure
from numpy.typing import NDArray

import neuroloop
from neuroloop.encoders import make

ENV = "neuroloop_envs:neuroloop/QuadrupedWalk-v0"
PERIOD, FROM, TICKS = 0.02, 100, 50  # s; control steps before the first that is shown, and those shown
FRAMES = (0, 4, 8, 12)  # of those shown: about one stride
LEGS = ("front right", "front left", "rear right", "rear left")
FEET = slice(33, 37)  # in the observation
INK, WARM, FAINT = "#1f5fa8", "#c8641e", "#c9d3dd"


class Filmed(NamedTuple):
    """What happened, a control step each."""

    actions: NDArray[np.float64]
    feet: NDArray[np.float64]
    frames: list[NDArray[np.uint8]]
    speed: float  # m/s


def film() -> Filmed:
    """Have the agent walk."""
    env = gymnasium.make(ENV, render_mode="rgb_array")
    agent = neuroloop.load_agent("quadruped-walk")
    observation, _ = env.reset(seed=1)
    state, actions, feet, frames = None, [], [], []
    for tick in range(FROM + TICKS):
        action, state = agent.predict(observation, state)
        observation, _, _, _, info = env.step(action)
        if tick == FROM:
            begun = info["distance"]
        if tick >= FROM:
            actions.append(action)
            feet.append(observation[FEET])
        if tick - FROM in FRAMES:
            frames.append(np.asarray(env.render()))
    env.close()
    return Filmed(np.array(actions), np.array(feet), frames, (info["distance"] - begun) / ((TICKS - 1) * PERIOD))


def ring() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times (s) and neurons of the rhythm's spikes over the same time."""
    config: Any = neuroloop.load_agent("quadruped-walk").config
    encoder = make(config.encoder.part["time"], spaces.Box(-1.0, 1.0, (1,)), n_steps=20)
    times, ids = [], []
    for tick in range(FROM + TICKS):
        spikes = encoder.encode([0.0])
        if tick >= FROM:
            steps = np.repeat(np.arange(20), np.diff(spikes.offsets))
            times.append((tick - FROM) * PERIOD + steps * 0.001)
            ids.append(spikes.used.astype(np.int64))
    return np.concatenate(times), np.concatenate(ids)


def draw(folder: Path) -> Path:
    """Draw the picture into a folder."""
    filmed, (times, ids) = film(), ring()
    figure = Figure(figsize=(8.4, 7.4), dpi=110, layout="constrained")
    grid = figure.add_gridspec(4, len(FRAMES), height_ratios=[1.5, 1.0, 1.0, 0.7])
    for k, frame in enumerate(filmed.frames):
        panel = figure.add_subplot(grid[0, k])
        panel.imshow(frame)
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"{FRAMES[k] * PERIOD:.2f} s", fontsize=8)
    t = np.arange(TICKS) * PERIOD
    rhythm, asked, ground = (figure.add_subplot(grid[row, :]) for row in (1, 2, 3))
    rhythm.vlines(times, ids - 0.4, ids + 0.4, color=INK, linewidth=0.7)
    rhythm.set_title("the ring that keeps time: spikes of 12 neurons", loc="left", fontsize=9)
    for joint, colour, name in ((1, INK, "front right upper"), (4, WARM, "front left upper")):
        asked.step(t, filmed.actions[:, joint], where="post", color=colour, linewidth=1.2, label=name)
    asked.set_title("what motor neurons ask for, in units of 0.5 rad", loc="left", fontsize=9)
    asked.set_ylim(-0.5, 0.65)
    asked.legend(fontsize=7, loc="upper right", ncols=2, frameon=False)
    for leg, down in enumerate(filmed.feet.T):
        ground.broken_barh([(s, PERIOD) for s in t[down > 0.5]], (3 - leg - 0.35, 0.7), color=INK)
    ground.set(yticks=range(4), ylim=(-0.6, 3.6), xlabel="s")
    ground.set_yticklabels(LEGS[::-1], fontsize=7)
    ground.set_title(f"feet on the ground, at {filmed.speed:.2f} m/s", loc="left", fontsize=9)
    for panel in (rhythm, asked, ground):
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlim(0.0, TICKS * PERIOD)
    path = folder / "quadruped-walk.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/pictures/quadruped_walk.py OUTFOLDER")
    print(draw(Path(sys.argv[1])))
