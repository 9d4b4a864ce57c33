"""Draws docs/cameras.png: one scene by rays and by PyBullet's renderer, and what an event camera makes of either.

python docs/pictures/cameras.py OUTFOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from neuroloop_envs._bullet import Bullet
from neuroloop_envs._scene import Ground, RayCamera, Scene, TinyCamera, picture

from neuroloop import EventCamera

WIDTH, HEIGHT, N_FRAMES = 320, 200, 5
ON, OFF = "#1f4e79", "#c0504d"


def road() -> Ground:
    """A straight road of two lanes with a dashed line in the middle, on rough ground."""
    texel, rows, columns = 0.01, 600, 1600
    rng = np.random.default_rng(4)
    y, x = (np.mgrid[:rows, :columns] + 0.5) * texel
    y -= 3.0
    light = np.where(np.abs(y) < 0.5, 0.12, 0.25) * (1.0 + 0.25 * rng.standard_normal((rows, columns)))
    light[(np.abs(np.abs(y) - 0.48) < 0.02) | ((np.abs(y) < 0.015) & (x % 0.5 < 0.25))] = 0.8
    return Ground(luminance=np.clip(light, 0.0, 1.0), texel=texel, x0=-2.0, y0=-3.0)


def furnished(bullet: Bullet) -> Scene:
    """Pillars, balls, a crate and a cartpole beside the road."""
    scene = Scene(bullet, ground=road(), sky=0.75)
    for k in range(4):
        red = (0.85, 0.25, 0.2)
        scene.add(bullet.add_body("cylinder", (0.08, 0.9), (1.2 + 1.1 * k, 0.7, 0.45), rgb=red))
        scene.add(bullet.add_body("sphere", (0.15,), (1.4 + 1.1 * k, -0.75, 0.15), rgb=(0.95, 0.9, 0.3)))
    scene.add(bullet.add_body("box", (0.3, 0.3, 0.3), (1.9, 0.2, 0.15), (0.0, 0.0, 0.3, 0.954), rgb=(0.6, 0.45, 0.3)))
    scene.add(bullet.add_body("box", (0.1, 3.0, 1.0), (7.0, 0.0, 0.5), rgb=(0.5, 0.6, 0.8)))
    return scene


def main(folder: Path) -> Path:
    """Draw the picture; returns where it lies."""
    figure = Figure(figsize=(10.0, 6.6), dpi=110, layout="constrained")
    rows = figure.subplots(2, 2)
    bullet = Bullet(step_s=0.01, substeps=1)
    scene = furnished(bullet)
    for column, (kind, title) in enumerate(((RayCamera, "rays"), (TinyCamera, "PyBullet's renderer"))):
        camera, events = kind(scene, width=WIDTH, height=HEIGHT, field_of_view=60.0), EventCamera(WIDTH, HEIGHT)
        for k in range(N_FRAMES):
            eye = (0.002 * k, 0.25, 0.3)
            light = camera.see(eye, (eye[0] + 1.0, 0.2, 0.18))
            seen = events.see(light, 5000 * k).copy()
        upper, lower = rows[0, column], rows[1, column]
        upper.imshow(picture(light))
        upper.set_title(title, fontsize=10)
        lower.imshow(0.6 + 0.4 * light, cmap="gray", vmin=0.0, vmax=1.0)
        for p, colour in ((0, OFF), (1, ON)):
            mine = seen[seen["p"] == p]
            lower.scatter(mine["x"], mine["y"], s=0.8, c=colour, marker="s", linewidths=0)
        lower.set_title(f"{seen.size} events while the camera moves by 2 mm", fontsize=10)
        upper.set_axis_off()
        lower.set_axis_off()
    bullet.close()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "cameras.png")
    return folder / "cameras.png"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} OUTFOLDER")
    print(main(Path(sys.argv[1])))
