"""Draws what event cameras see of a moving scene, ON and OFF over grey: `python docs/pictures/event_camera.py OUTFOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neuroloop import EventCamera

WIDTH, HEIGHT, STEP_US, SHOWN_US = 240, 180, 1000, 10_000
ON, OFF = "#1f4e79", "#c0504d"
PIXELS = {"ideal": "ideal", "clean": "clean, good light", "noisy": "noisy, dim light"}


def scene(t_us: int) -> np.ndarray:
    """A ball that flies over a wall of tiles while a fan turns before it; intensities from 0 to 1."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    t = t_us * 1e-6
    image = 0.45 + 0.2 * x / WIDTH + 0.1 * (((x // 30) + (y // 30)) % 2)
    angle = np.arctan2(y - 90, x - 75) - 6.0 * t
    fan = (np.hypot(x - 75, y - 90) < 60) & (np.cos(3.0 * angle) > 0.45)
    image[fan] = 0.12
    ball = np.hypot(x - 140 - 220.0 * t, y - 105 + 90.0 * t) / 24.0
    shade = 0.95 - 0.45 * ball**2
    return np.where(ball < 1.0, shade, image)


def watched(pixel: str) -> tuple[np.ndarray, np.ndarray]:
    """The last frame, and the events of the last few ms before it."""
    camera, kept = EventCamera(WIDTH, HEIGHT, pixel, seed=1), []
    end = 150_000
    for t_us in range(0, end + 1, STEP_US):
        events = camera.see(scene(t_us).astype(np.float32), t_us)
        if t_us > end - SHOWN_US:
            kept.append(events.copy())
    return scene(end), np.concatenate(kept)


def over_grey(axes: Any, image: np.ndarray, events: np.ndarray, title: str) -> None:
    axes.imshow(0.55 + 0.4 * image, cmap="gray", vmin=0.0, vmax=1.0)
    for p, colour in ((0, OFF), (1, ON)):
        mine = events[events["p"] == p]
        axes.scatter(mine["x"], mine["y"], s=1.2, c=colour, marker="s", linewidths=0)
    axes.set_title(f"{title}: {events.size} events", fontsize=9)
    axes.set_axis_off()


def main(folder: Path) -> Path:
    """Draw the picture; returns where it lies."""
    figure = Figure(figsize=(10.5, 3.0), dpi=110, layout="constrained")
    for axes, (pixel, title) in zip(figure.subplots(1, 3), PIXELS.items(), strict=True):
        over_grey(axes, *watched(pixel), title)
    figure.suptitle(f"{SHOWN_US // 1000} ms of events: brighter (ON) blue, darker (OFF) red", fontsize=9)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "event_camera.png")
    return folder / "event_camera.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(main(Path(sys.argv[1])))
