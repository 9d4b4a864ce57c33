"""Draws how the arm learns to reach, arm.png and arm.gif: `python docs/pictures/arm.py OUTFOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import neuroloop_envs  # noqa: F401
import numpy as np
from matplotlib.figure import Figure
from neuroloop_agents.studies.arm_control import compensated, play, reflex
from PIL import Image

from neuroloop import Agent
from neuroloop.agent import read_config

ID, ARGUMENTS = "neuroloop/ArmReaching-v0", {"gravity_compensation": False, "joint_error": True}
STEPS, DT = 600, 0.005  # of an episode; s
LEARNED, SHOWN = 12, 3  # episodes; and those that the GIF shows
EVERY = 20  # control steps between two of its pictures: 10 a second
TARGETS = [(0.45, 0.3, 0.75), (0.6, -0.15, 0.35), (0.4, 0.25, 0.3)]  # m, of the episodes that are shown


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes distances by episode, and takes pictures once `film` is true."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.distances: list[list[float]] = []
        self.pictures: list[np.ndarray] = []
        self.film = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin another episode; those that are filmed have targets of their own."""
        self.distances.append([])
        if self.film:
            options = {"target": TARGETS[len(self.pictures) * EVERY // STEPS % len(TARGETS)]}
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        """Do it and note."""
        result = super().step(action)
        self.distances[-1].append(result[4]["distance"])
        if self.film and len(self.distances[-1]) % EVERY == 0:
            self.pictures.append(np.asarray(self.render()))
        return result


def learned() -> Filmed:
    """An agent's first episodes, and pictures of some more."""
    env = Filmed(gymnasium.make(ID, render_mode="rgb_array", **ARGUMENTS))
    agent = Agent(read_config("arm-reaching")[1], env, seed=1)
    agent.learn(LEARNED * STEPS)
    env.film = True
    agent.learn(SHOWN * STEPS)
    return env


def draw(axes: Any, env: Filmed) -> None:
    """Distances over time: controllers on the mean of five episodes, the agent in single ones."""
    t_s = DT * np.arange(1, STEPS + 1)
    plain = gymnasium.make(ID, **ARGUMENTS)
    for law, colour, name in (
        (reflex, "#999999", "reflex alone"),
        (compensated, "#1f4e79", "PD with gravity compensation"),
    ):
        mean = play(plain, law, range(5), "distance").mean(axis=0)
        axes.semilogy(t_s, 100 * mean, color=colour, lw=2, label=f"{name} (mean of 5)")
    plain.close()
    for episode, colour in ((0, "#f2b38f"), (4, "#de7f4f"), (LEARNED - 1, "#b0431e")):
        axes.semilogy(
            t_s, 100 * np.array(env.distances[episode]), color=colour, lw=1, label=f"agent, episode {episode + 1}"
        )
    axes.set(xlabel="time in the episode (s)", ylabel="from hand to target (cm)", ylim=(0.05, 80))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)


def main(folder: Path) -> list[Path]:
    """Draw both pictures; returns where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    env = learned()
    figure = Figure(figsize=(12.5, 3.8), dpi=110, layout="constrained")
    before, after, curve = figure.subplots(1, 3, width_ratios=(0.62, 0.62, 1.0))
    for axes, k in ((before, 0), (after, STEPS // EVERY - 1)):
        axes.imshow(env.pictures[k][40:340, 90:420])
        axes.set_title(f"after {(k + 1) * EVERY * DT:.1f} s; the target is green", fontsize=9, y=1.02)
        axes.set_axis_off()
    draw(curve, env)
    figure.savefig(folder / "arm.png")
    frames = [Image.fromarray(picture).resize((320, 240)).quantize(64) for picture in env.pictures]
    frames[0].save(
        folder / "arm.gif",
        save_all=True,
        append_images=frames[1:],
        duration=round(1e3 * EVERY * DT),
        loop=0,
        optimize=True,
    )
    env.close()
    return [folder / "arm.png", folder / "arm.gif"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(*main(Path(sys.argv[1])))
