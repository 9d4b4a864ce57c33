"""The suite `worlds`: control steps a second of every world of ours, and what a picture by rays costs.

A world is stepped as users make it, by `gymnasium.make` with its wrappers, by random actions drawn beforehand; resets are
counted in. Times are CPU times of one thread, the best of several stretches. Worlds that see are also stepped behind an event
camera of 128 × 128 pixels that takes three frames a control step, or four where three do not divide it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from ...errors import BadInput
from ...loop.plant import OUR_WORLDS, make_env
from ...settings import EventCameraConfig, PlantConfig
from ..figures import Figure, Suite

Report = Callable[[str], Any]
TARGETS = {"pole_balance": 25_000.0, "arm_tracking": 10_000.0, "lane_keeping_events_128": 400.0}
SIDE = 128  # pixels of the event camera
FRAMES = (3, 4, 2)  # a control step, the first that divides
RAYS = {"raycast_128_us": ("us", 200.0, "low"), "raycast_over_tinyrenderer": ("×", 15.0, "high")}


def run(quick: bool, report: Report) -> Suite:
    """Measure everything."""
    figures: list[Figure] = []
    rows: list[dict[str, Any]] = []
    for name, make in cases().items():
        samples, resets = steps_per_s(make, 3 if quick else 7, 0.3 if quick else 1.0)
        figure = f"{name}_steps_per_s"
        figures.append(_best(figure, samples, "1/s", TARGETS.get(name), "high"))
        rows.append({"figure": figure, "reset_ms": round(1e3 * min(resets), 3), "steps_per_s": round(max(samples))})
        report(f"{figure}: {max(samples):.5g} 1/s, a reset {1e3 * min(resets):.3g} ms")
    from .. import world_cases

    for figure, (unit, target, better) in RAYS.items():
        samples = getattr(world_cases, figure)(quick)
        figures.append(_best(figure, samples, unit, target, better))
        report(f"{figure}: {figures[-1].value:.4g} {unit}")
    return Suite("worlds", figures, rows)


def cases() -> dict[str, Callable[[], gymnasium.Env[Any, Any]]]:
    """What is stepped, by name: every registered world, and those that see behind an event camera too."""
    importlib.import_module(OUR_WORLDS)
    found: dict[str, Callable[[], gymnasium.Env[Any, Any]]] = {}
    for spec in gymnasium.registry.values():
        if spec.namespace != "neuroloop":
            continue
        name = _snake(spec.name)
        found[name] = _maker(PlantConfig(env=spec.id))
        if _sees(spec):
            found[f"{name}_events_{SIDE}"] = functools.partial(_seeing, spec.id)
    return found


def steps_per_s(
    make: Callable[[], gymnasium.Env[Any, Any]], repeats: int, seconds: float
) -> tuple[list[float], list[float]]:
    """Control steps a second of CPU time, of each of `repeats` stretches of `seconds`, and s of resets."""
    env, samples, resets = make(), [], []
    rng = np.random.default_rng(0)
    space = env.action_space
    actions = (
        [space.sample() for _ in range(1000)]
        if not isinstance(space, gymnasium.spaces.Box)
        else list(rng.uniform(space.low, space.high, (1000, *space.shape)).astype(np.float32))
    )
    env.reset(seed=0)
    k = 0
    for _ in range(repeats + 1):  # the first is to warm up
        begun, steps = time.process_time(), 0
        while time.process_time() - begun < seconds:
            for _ in range(20):
                _, _, terminated, truncated, _ = env.step(actions[k % 1000])
                k, steps = k + 1, steps + 1
                if terminated or truncated:
                    at = time.process_time()
                    env.reset()
                    resets.append(time.process_time() - at)
        samples.append(steps / (time.process_time() - begun))
    at = time.process_time()
    env.reset()
    resets.append(time.process_time() - at)
    env.close()
    return samples[1:], resets


def _seeing(env_id: str) -> gymnasium.Env[Any, Any]:
    """A world behind an event camera, with as many frames a control step as its physics can be cut into."""
    camera = EventCameraConfig(pixel="v2e", size=(SIDE, SIDE))
    for frames in FRAMES:
        arguments = {"size": [SIDE, SIDE], "frames": frames}
        with contextlib.suppress(BadInput):
            return make_env(PlantConfig(env=env_id, arguments=arguments, event_camera=camera))
    raise BadInput(f"{env_id}: physics cannot be cut into {' or '.join(map(str, FRAMES))} frames a control step")


def _maker(config: PlantConfig) -> Callable[[], gymnasium.Env[Any, Any]]:
    return lambda: make_env(config)


def _sees(spec: Any) -> bool:
    """Whether a world has a camera on board."""
    module, _, name = spec.entry_point.partition(":")
    return hasattr(getattr(importlib.import_module(module), name), "camera_frames")


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _best(name: str, samples: list[float], unit: str, target: float | None, better: Any) -> Figure:
    best = max(samples) if better == "high" else min(samples)
    return Figure(name, best, unit, len(samples), target, better, min(samples), max(samples))
