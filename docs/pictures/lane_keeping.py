"""Draws where an agent drives after a little learning, and what it sees: `python docs/pictures/lane_keeping.py OUTFOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from matplotlib.figure import Figure

import neuroloop
from neuroloop import EventCameraWrapper

AGENT, LEARNED, DRIVEN = "lane-keeping", 10_000, 900
ON, OFF = "#1f4e79", "#c0504d"


class Path2D(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes where the car is, and how far off the middle of its lane."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.rows: list[tuple[float, float, float]] = []

    def step(self, action: Any) -> Any:
        result = self.env.step(action)
        car = self.env.unwrapped._car.sense()
        self.rows.append((car.x, car.y, abs(result[4]["lateral_error"])))
        return result


def driven(agent: neuroloop.Agent) -> tuple[list[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Paths in both lanes, and a view: the picture for people, the camera's light, the events of a control step."""
    paths = []
    for lane, direction in (("outer", "anticlockwise"), ("inner", "clockwise")):
        world = gymnasium.make(
            "neuroloop/LaneKeeping-v0",
            render_mode="rgb_array",
            size=(64, 64),
            lane=lane,
            direction=direction,
            start=0.0,
        )
        path = Path2D(world)
        eye = EventCameraWrapper(path, pixel="noisy", only=True)
        seeing = neuroloop.EventFrames(eye, "traces", tau=0.2, region=(0, 20, 64, 32), dtype="float32")
        observation, _ = seeing.reset(seed=1)
        state = None
        for k in range(DRIVEN):
            action, state = agent.predict(observation, state)
            observation, _, terminated, truncated, _ = seeing.step(action)
            if k == 60 and lane == "outer":
                light = world.unwrapped.camera_frames()[-1][1]  # type: ignore[attr-defined]
                events, *_ = eye.step(action)
                view = world.render(), light, events
            if terminated or truncated:
                break
        paths.append(np.array(path.rows))
        seeing.close()
    return paths, view


def main(folder: Path) -> Path:
    """Draw the picture; returns where it lies."""
    agent = neuroloop.load_agent(AGENT, seed=10500)
    agent.learn(LEARNED)
    paths, (picture, light, events) = driven(agent)
    figure = Figure(figsize=(11.0, 3.4), dpi=110, layout="constrained")
    road, people, camera = figure.subplots(1, 3, width_ratios=(1.0, 1.2, 1.0))
    ground = agent.env.unwrapped._ground  # type: ignore[attr-defined]
    (wide, high), x, y = ground.size, ground.x0, ground.y0
    road.imshow(
        ground.luminance[::4, ::4], cmap="gray", vmin=0, vmax=1, origin="lower", extent=(x, x + wide, y, y + high)
    )
    for path in paths:
        dots = road.scatter(path[:, 0], path[:, 1], s=2, c=100 * path[:, 2], cmap="viridis_r", vmin=0, vmax=10)
    figure.colorbar(dots, ax=road, label="cm off the lane's middle", shrink=0.8)
    road.set_title(f"frozen after {LEARNED} steps of learning", fontsize=9)
    people.imshow(picture)
    people.set_title("for people", fontsize=9)
    camera.imshow(0.4 + 0.6 * light, cmap="gray", vmin=0, vmax=1)
    for p, colour in ((0, OFF), (1, ON)):
        mine = events[events["p"] == p]
        camera.scatter(mine["x"], mine["y"], s=4, c=colour, marker="s", linewidths=0)
    camera.set_title(f"50 ms: {events.size} events, noise included", fontsize=9)
    for axes in (road, people, camera):
        axes.set_axis_off()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "lane-keeping.png")
    return folder / "lane-keeping.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(main(Path(sys.argv[1])))
