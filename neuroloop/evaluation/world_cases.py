"""What the suite `worlds` measures of the ray-casting camera, against PyBullet's own renderer of the same scene.

Worlds are imported when they are measured: this package runs without them, and without PyBullet.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .engine_cases import tick_medians

SIDE, FIELD_OF_VIEW = 128, 60.0  # pixels, degrees
TARGET = (0.0, 0.0, 0.3)
EYES = [(1.2 * float(np.cos(0.02 * k)), 1.2 * float(np.sin(0.02 * k)), 0.8) for k in range(60)]  # a slow walk around
TEXEL, TEXELS = 0.008, 1625  # m, of a ground of 13 m × 13 m with as much detail as a road has


def raycast_scene(bullet: Any) -> Any:
    """A textured ground, 8 balls that can move and 3 boxes."""
    worlds = importlib.import_module("neuroloop_envs._scene")
    luminance = np.random.default_rng(0).random((TEXELS, TEXELS), dtype=np.float32)
    ground = worlds.Ground(luminance=luminance, texel=TEXEL, x0=-6.5, y0=-6.5)
    scene = worlds.Scene(bullet, ground=ground)
    for k in range(8):
        scene.add(bullet.add_body("sphere", (0.06,), (0.1 * k, 0.05 * k, 0.1 * k), mass=1.0, rgb=(0.9, 0.9, 0.9)))
    for k in range(3):
        scene.add(bullet.add_body("box", (0.2, 0.2, 0.2), (0.3 * k, 0.2, 0.1), rgb=(0.7, 0.5, 0.3)))
    return scene


def raycast_128_us(quick: bool) -> list[float]:
    """µs of CPU time for a frame of 128 × 128, poses read from the physics included."""
    with _client() as bullet:
        scene = raycast_scene(bullet)
        return tick_medians(_looking(scene, "RayCamera"), 5 if quick else 9, 0.2 if quick else 0.5)


def raycast_over_tinyrenderer(quick: bool) -> list[float]:
    """How many times longer PyBullet's renderer takes for the same frame; both measured in turn."""
    with _client() as bullet:
        scene = raycast_scene(bullet)
        ours, theirs = _looking(scene, "RayCamera"), _looking(scene, "TinyCamera")
        seconds = 0.1 if quick else 0.3
        pairs = [(tick_medians(ours, 1, seconds)[0], tick_medians(theirs, 1, seconds)[0]) for _ in range(5)]
        return [slow / fast for fast, slow in pairs]


@contextlib.contextmanager
def _client() -> Iterator[Any]:
    bullet = importlib.import_module("neuroloop_envs._bullet").Bullet(step_s=0.01, substeps=1)
    try:
        yield bullet
    finally:
        bullet.close()


def _looking(scene: Any, camera: str) -> Callable[[int], object]:
    """A tick that reads all poses and looks from the next place."""
    made = getattr(importlib.import_module("neuroloop_envs._scene"), camera)
    sees = made(scene, width=SIDE, height=SIDE, field_of_view=FIELD_OF_VIEW)

    def tick(k: int) -> object:
        scene.update()
        return sees.see(EYES[k % len(EYES)], TARGET)

    return tick
