"""The event camera that an agent's file puts in front of its environment."""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium
import msgspec
from gymnasium.envs.registration import load_env_creator

from ..errors import BadInput, ConfigError
from ..settings import PlantConfig

Env = gymnasium.Env[Any, Any]
PICTURES = "rgb_array"


def with_eyes(env: Env, config: PlantConfig) -> Env:
    """`env` behind the camera of its settings, unless there is one already. Raises `BadInput`."""
    camera = config.event_camera
    if camera is None:
        return env
    from ..sensors.event_frames import EventFrames
    from ..sensors.space import MOST
    from ..sensors.wrapper import EventCameraWrapper

    inner = env
    while isinstance(inner, gymnasium.Wrapper):
        if isinstance(inner, EventCameraWrapper):
            return env
        inner = inner.env
    try:
        seeing: Env = EventCameraWrapper(
            env, camera.pixel, key=camera.key, size=camera.size, gamma=camera.gamma, only=camera.only,
            most_events=camera.most_events or MOST, seed=camera.seed,
        )  # fmt: skip
        frames = camera.frames
        return seeing if frames is None else EventFrames(seeing, dtype="float32", **msgspec.structs.asdict(frames))
    except (BadInput, ConfigError) as error:
        raise BadInput(f"plant.event_camera: {error}") from None


def arguments_of(config: PlantConfig) -> dict[str, Any]:
    """Arguments to make the environment with: rendered pictures, where a camera needs them and the environment has them."""
    if config.event_camera is None or "render_mode" in config.arguments:
        return config.arguments
    module, _, name = config.env.rpartition(":")
    if module:
        importlib.import_module(module)
    entry = gymnasium.spec(name).entry_point
    creator: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    modes = getattr(creator, "metadata", {}).get("render_modes", ())
    return {**config.arguments, "render_mode": PICTURES} if PICTURES in modes else config.arguments
