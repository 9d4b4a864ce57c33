"""The event camera that an agent's file puts in front of its environment."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import gymnasium
import msgspec
from gymnasium.envs.registration import load_env_creator

from ..errors import BadInput, ConfigError
from ..settings import PlantConfig
from ..settings.sensors import EventCameraConfig

if TYPE_CHECKING:
    from ..link.cameras.aer import Facts

Env = gymnasium.Env[Any, Any]
PICTURES = "rgb_array"


@runtime_checkable
class Elsewhere(Protocol):
    """An environment with a camera in another process: `RemoteCamera`, which need not be imported to be known."""

    @property
    def camera(self) -> Facts:
        """What the camera is."""

    def wanted(self, only: bool, most_events: int) -> Any:
        """The same, shown otherwise."""


def with_eyes(env: Env, config: PlantConfig) -> Env:
    """`env` behind the camera of its settings, unless there is one already; one in a process of its own is shown as the
    settings say. Raises `BadInput`."""
    camera = config.event_camera
    if camera is None:
        return env
    from ..sensors.event_frames import EventFrames
    from ..sensors.space import MOST
    from ..sensors.wrapper import EventCameraWrapper

    seeing: Env
    try:
        if isinstance(env, Elsewhere):
            _compare(env.camera, camera)
            seeing = env.wanted(camera.only, camera.most_events or MOST)
        elif _has(env, EventCameraWrapper | Elsewhere):
            return env
        else:
            seeing = EventCameraWrapper(
                env, camera.pixel, key=camera.key, size=camera.size, gamma=camera.gamma, only=camera.only,
                most_events=camera.most_events or MOST, seed=camera.seed,
            )  # fmt: skip
        frames = camera.frames
        return seeing if frames is None else EventFrames(seeing, dtype="float32", **msgspec.structs.asdict(frames))
    except (BadInput, ConfigError) as error:
        raise BadInput(f"plant.event_camera: {error}") from None


def _has(env: Env, kinds: Any) -> bool:
    """Whether one of its wrappers is of these kinds."""
    inner = env
    while isinstance(inner, gymnasium.Wrapper):
        if isinstance(inner, kinds):
            return True
        inner = inner.env
    return False


def _compare(there: Facts, ours: EventCameraConfig) -> None:
    """A camera in another process against the settings that the agent was made with. Raises `BadInput` for another size."""
    from ..sensors.camera import pixel_of

    if ours.size is not None and tuple(ours.size) != (there.width, there.height):
        raise BadInput(
            f"size: the agent wants {ours.size[0]} × {ours.size[1]} pixels, the camera process has "
            f"{there.width} × {there.height}; start it with `--size {ours.size[0]}x{ours.size[1]}`, or change the agent"
        )
    pairs = {
        "pixel": (pixel_of(ours.pixel), there.pixel), "gamma": (ours.gamma, there.gamma), "seed": (ours.seed, there.seed),
    }  # fmt: skip
    other = [name for name, (mine, theirs) in pairs.items() if theirs is not None and mine != theirs]
    if other:
        warnings.warn(
            f"plant.event_camera: the camera process has another {' and '.join(other)} than the agent's file; start it with "
            "`--agent` for the same events",
            stacklevel=2,
        )


def arguments_of(config: PlantConfig, shows: bool = False) -> dict[str, Any]:
    """Arguments to make the environment with: rendered pictures, where a camera needs them, here or elsewhere, and the
    environment has them."""
    if not (shows or config.event_camera) or "render_mode" in config.arguments:
        return config.arguments
    module, _, name = config.env.rpartition(":")
    if module:
        importlib.import_module(module)
    entry = gymnasium.spec(name).entry_point
    creator: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    modes = getattr(creator, "metadata", {}).get("render_modes", ())
    return {**config.arguments, "render_mode": PICTURES} if PICTURES in modes else config.arguments
