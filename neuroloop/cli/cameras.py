"""Cameras in processes of their own, as the command line makes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gymnasium

    from ..agent import Agent
    from ..link.keys import Keys
    from ..link.remote import RemoteEnv
    from ..settings import PlantConfig
    from ..settings.sensors import EventCameraConfig
    from .request import Request


def showing(config: PlantConfig, frames: str, picture: str | None, keys: Keys | None) -> gymnasium.Env[Any, Any]:
    """The environment, which publishes its pictures."""
    from ..link.cameras.pictures import PublishedFrames
    from ..loop.plant import make_env

    made = make_env(config, shows=True)
    try:
        return PublishedFrames(made, frames, picture, keys=keys_at(frames, keys))
    except BaseException:
        made.close()
        raise


def keys_at(endpoint: str, keys: Keys | None) -> Keys | None:
    """Those of two places, of which only what is not a socket of this machine is locked."""
    from ..link.endpoint import endpoint_of

    return None if endpoint_of(endpoint).path is not None else keys


def seeing(env: RemoteEnv, request: Request) -> gymnasium.Env[Any, Any]:
    """The plant at the other end of a link, with the events of a camera in a process of its own."""
    from ..link.cameras.remote_camera import RemoteCamera

    if request.events_from is None:
        return env
    try:
        return RemoteCamera(
            env, request.events_from, keys=request.keys if request.camera_key else None, server_key=request.camera_key
        )
    except BaseException:
        env.close()
        raise


def counts_of(learner: Agent) -> dict[str, int] | None:
    """What a camera in a process of its own could not give; None where there is none."""
    import gymnasium

    from ..link.cameras.remote_camera import RemoteCamera

    inner: Any = learner.env
    while isinstance(inner, gymnasium.Wrapper):
        if isinstance(inner, RemoteCamera):
            return inner.counts
        inner = inner.env
    return None


def settings_of(agent: str | None, changes: dict[str, Any], settings: list[str]) -> EventCameraConfig:
    """Those of the agent's file, or the defaults, and what the user changes. Raises `BadInput`."""
    import msgspec

    from ..agent import read_config
    from ..config import apply, table
    from ..errors import BadInput
    from ..settings.sensors import EventCameraConfig

    data: dict[str, Any] = {}
    if agent is not None:
        camera = read_config(agent)[1].plant.event_camera
        if camera is None:
            raise BadInput(f"--agent: {agent} has no `plant.event_camera`; leave it out, and use --pixel and --size")
        data = msgspec.to_builtins(camera)
    data |= {name: value for name, value in changes.items() if value is not None}
    for setting in settings:
        apply(data, setting)
    return table(data, EventCameraConfig, "event_camera")


def size_of(text: str | None) -> list[int] | None:
    """Width and height, as a user writes them. Raises `BadInput`."""
    from ..errors import BadInput

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise BadInput(f"--size: must be WIDTHxHEIGHT, as in 64x64, got {text!r}")
    return [int(match[1]), int(match[2])]


def gamma_of(text: str | None) -> float | str | None:
    """How bytes are encoded, as a user writes it: a number, or a name that is checked later."""
    try:
        return text if text is None else float(text)
    except ValueError:
        return text
