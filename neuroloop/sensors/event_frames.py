"""Event packets as Box observations, for algorithms that take arrays: `EventFrames`.

    env = EventFrames(EventCameraWrapper(env, size=(64, 40), only=True), kind="counts")
    stable_baselines3.PPO("CnnPolicy", env)

| kind | channels | float32 | uint8 |
|---|---|---|---|
| counts | OFF, ON | events, at most `limit` (8) | 255 / `limit` times that |
| time-surface | OFF, ON | exp(−age / tau), from 0 to 1 | 255 times that |
| voxels | `bins` moments | sums of ±1, within ±`limit` (8) | 128 + 127 / `limit` times that |
| traces | OFF, ON | ln(1 + events that leak away with `tau`) of bins, at most `limit` (8) | 255 / `limit` times that |
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput, UnsupportedSpace, unknown
from .frames import NEVER, event_counts, leaky_counts, time_surface, voxel_grid
from .pictures import Env
from .space import EventSpace
from .wrapper import EVENTS

Kind = Literal["counts", "time-surface", "voxels", "traces"]
LIMITS = {"counts": 8.0, "time-surface": 1.0, "voxels": 8.0, "traces": 8.0}  # what white stands for


class EventFrames(gymnasium.Wrapper[Any, Any, Any, Any], gymnasium.utils.RecordConstructorArgs):
    """Replaces the event packets in observations by frames, a Box (height, width, channels), or channels first.

    `key` names the packets where an observation holds several. `bins` is for voxels; `tau` (s) for the time surface and for
    traces, which go on from step to step until the episode ends. `cell`: (columns, rows) of pixels in a bin of traces;
    `region`: (left, top, width, height) of the pixels that are binned. `limit`: what is white; more looks the same. With
    `dtype="uint8"` frames are images, as Stable-Baselines3's `CnnPolicy` wants them (of at least 36 × 36 pixels). Raises
    `BadInput`.
    """

    def __init__(
        self,
        env: Env,
        kind: Kind = "counts",
        *,
        bins: int = 5,
        tau: float = 0.05,
        limit: float | None = None,
        cell: tuple[int, int] = (8, 8),
        region: tuple[int, int, int, int] | None = None,
        dtype: Literal["uint8", "float32"] = "uint8",
        channels: Literal["last", "first"] = "last",
        key: str | None = None,
    ) -> None:
        gymnasium.utils.RecordConstructorArgs.__init__(
            self, kind=kind, bins=bins, tau=tau, limit=limit, cell=cell, region=region, dtype=dtype, channels=channels,
            key=key,
        )  # fmt: skip
        gymnasium.Wrapper.__init__(self, env)
        for name, value, known in (("kind", kind, get_args(Kind)), ("dtype", dtype, ("uint8", "float32")),
                                   ("channels", channels, ("last", "first"))):  # fmt: skip
            if value not in known:
                raise BadInput(f"{name}: {unknown('value', str(value), known)}")
        self._kind, self._bins, self._tau = kind, arguments.whole("bins", bins, 1), arguments.positive("tau", tau, "s")
        if limit is not None and kind == "time-surface":
            raise BadInput(f"limit: a time surface has none, since it ends at 1; leave it out, got {limit!r}")
        self._limit = LIMITS[kind] if limit is None else arguments.positive("limit", limit)
        self._bytes, self._last = dtype == "uint8", channels == "last"
        self._key, self._space = _packets(env.observation_space, key)
        self._cell, (left, top, width, height) = _cell(cell), _region(region, self._space)
        self._corner = (left, top)
        if region is not None and kind != "traces":
            raise BadInput(f"region: is for traces; a frame of {kind} shows the whole picture, leave it out")
        n = self._bins if kind == "voxels" else 2
        if kind == "traces":
            width, height = -(-width // self._cell[0]), -(-height // self._cell[1])
        self._frame = np.zeros((n, height, width), np.float32)
        self._times = np.full((2, self._space.height, self._space.width), NEVER)
        self.observation_space = self._with(self._box())

    def _box(self) -> spaces.Box:
        n, height, width = self._frame.shape
        shape = (height, width, n) if self._last else (n, height, width)
        if self._bytes:
            return spaces.Box(0, 255, shape, np.uint8)
        return spaces.Box(-self._limit if self._kind == "voxels" else 0.0, self._limit, shape, np.float32)

    def _with(self, box: spaces.Box) -> spaces.Space[Any]:
        space = self.env.observation_space
        return spaces.Dict({**space.spaces, self._key: box}) if isinstance(space, spaces.Dict) else box

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; a time surface begins empty."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._times[:] = NEVER
        self._frame[:] = 0.0
        return self._seen(observation, info), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step whose observation holds a frame of its events."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(observation, info), reward, terminated, truncated, info

    def _seen(self, observation: Any, info: dict[str, Any]) -> Any:
        inside = isinstance(self.env.observation_space, spaces.Dict)
        events = observation[self._key] if inside else observation
        frame = self._code(self._frame_of(events, info.get(EVENTS, {})))
        return {**observation, self._key: frame} if inside else frame

    def _frame_of(self, events: NDArray[Any], facts: dict[str, Any]) -> NDArray[np.float32]:
        """The frame as it is, channels first. `facts`: when the step began and ended, where the camera's wrapper says so."""
        width, height, out = self._space.width, self._space.height, self._frame
        start, end = facts.get("start_us"), facts.get("end_us")
        if self._kind == "counts":
            return event_counts(events, width, height, out=out)
        if self._kind == "traces":
            seconds = 1e-6 * (end - start) if start is not None and end is not None else 0.0
            keep = math.exp(-seconds / self._tau)
            return np.log1p(leaky_counts(events, out, cell=self._cell, corner=self._corner, keep=keep))
        if self._kind == "voxels":
            return voxel_grid(events, width, height, self._bins, start_us=start, end_us=end, out=out)
        return time_surface(events, width, height, tau=self._tau, t_us=end, last=self._times, out=out)

    def _code(self, frame: NDArray[np.float32]) -> NDArray[Any]:
        """A new array of the space's kind."""
        low, most = -self._limit if self._kind == "voxels" else 0.0, self._limit
        frame = np.clip(frame, low, most)
        if self._bytes:
            scale, shift = (127.0 / most, 128.0) if self._kind == "voxels" else (255.0 / most, 0.0)
            frame = np.rint(scale * frame + shift).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(frame, 0, -1)) if self._last else frame


def _cell(cell: Any) -> tuple[int, int]:
    if not isinstance(cell, tuple | list) or len(cell) != 2:
        raise BadInput(f"cell: must be (columns, rows) of pixels, got {cell!r}")
    return arguments.whole("cell[0]", cell[0], 1), arguments.whole("cell[1]", cell[1], 1)


def _region(region: Any, space: EventSpace) -> tuple[int, int, int, int]:
    if region is None:
        return 0, 0, space.width, space.height
    if not isinstance(region, tuple | list) or len(region) != 4:
        raise BadInput(f"region: must be (left, top, width, height) in pixels, got {region!r}")
    left, top, width, height = (arguments.whole(f"region[{k}]", one, k // 2) for k, one in enumerate(region))
    if left + width > space.width or top + height > space.height:
        raise BadInput(f"region: must lie within {space.width} x {space.height} pixels, got {tuple(region)}")
    return left, top, width, height


def _packets(space: spaces.Space[Any], key: str | None) -> tuple[str, EventSpace]:
    """The key and the space of the packets to replace."""
    if isinstance(space, EventSpace):
        if key is not None:
            raise BadInput(f"key: the observation is the packet itself; leave it out, got {key!r}")
        return "", space
    found = (
        {name: part for name, part in space.spaces.items() if isinstance(part, EventSpace)}
        if isinstance(space, spaces.Dict)
        else {}
    )
    if not found:
        raise UnsupportedSpace(
            f"observation space {space}: holds no event packets; wrap the env in an EventCameraWrapper"
        )
    if key is None and len(found) > 1:
        raise BadInput(f"key: is needed, since there are several event packets: {', '.join(found)}")
    name = next(iter(found)) if key is None else key
    if name not in found:
        raise BadInput(f"key: {unknown('key of event packets', name, found)}")
    return name, found[name]
