"""An event camera in front of any environment that shows a picture: `EventCameraWrapper`.

    env = EventCameraWrapper(gymnasium.make("CartPole-v1", render_mode="rgb_array"), size=(64, 40))

Time stamps are µs since the episode's reset: step k is over at k periods, and its packet holds what happened since step k − 1.
A reset gives an empty packet, since the camera has nothing to compare with.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput, PlantError
from ..settings.sensors import Pixel
from ..types import EVENT
from .camera import EventCamera
from .gamma import Gamma, light_of_bytes
from .pictures import Env, picture_of, seconds_a_step
from .scaling import Scaler
from .space import MOST, EventSpace, Packet
from .thinning import thinned

EVENTS, OBSERVATION = "events", "observation"
CAMERA_FRAMES = "camera_frames"  # a world that has a camera gives its frames by this name
Frames = list[tuple[int, NDArray[Any]]]


class EventCameraWrapper(gymnasium.Wrapper[Any, Any, Any, Any], gymnasium.utils.RecordConstructorArgs):
    """Adds `events`, the packets of an event camera, to the observations of `env`.

    A Dict observation gets the key `events`; any other becomes `{"observation": …, "events": …}`; with `only` the packet is
    the observation. `pixel`: a parameter set's name or a `Pixel`. `action_repeat`: steps of `env` that an action is held for,
    each of which the camera sees; their rewards are summed. `period`: s a step of `env` lasts; None: what `env` says, by its
    `dt` or `render_fps`. `key`: which picture of the observation, `"render"` for the rendered one; None: the only one there
    is. `size`: (width, height) that pictures are averaged down to. `gamma`: how pictures of bytes are encoded, `"srgb"` or the
    power of the byte that is light; 1: they are linear, as v2e takes them. Floats are light already. `most_events` of a packet,
    above which events are dropped evenly. `seed` makes the chip; its noise follows the seed of the episode's reset.

    An environment whose `camera_frames()` gives `[(t_us, frame), …]` is seen through these, at their times.
    `info["events"]` holds `start_us` and `end_us`, between which the events lie, and how many were `dropped`.
    """

    def __init__(
        self,
        env: Env,
        pixel: str | Pixel = "clean",
        action_repeat: int = 1,
        period: float | None = None,
        key: str | None = None,
        size: tuple[int, int] | None = None,
        gamma: Gamma = "srgb",
        only: bool = False,
        most_events: int = MOST,
        seed: int = 0,
    ) -> None:
        gymnasium.utils.RecordConstructorArgs.__init__(
            self, pixel=pixel, action_repeat=action_repeat, period=period, key=key, size=size, gamma=gamma, only=only,
            most_events=most_events, seed=seed,
        )  # fmt: skip
        gymnasium.Wrapper.__init__(self, env)
        self._hold, self._only = arguments.whole("action_repeat", action_repeat, 1), arguments.switch("only", only)
        light = light_of_bytes(gamma)
        self._light = None if gamma == 1.0 else light
        self._steps, self._seen_us, self._episode, self._base = 0, 0, 0, _entropy()
        self._period = _period(env, period)
        self._picture = None if env.has_wrapper_attr(CAMERA_FRAMES) else picture_of(env, key)
        width, height = self._size = self._size_of(size)
        self.camera = EventCamera(width, height, pixel, arguments.seed("seed", seed))
        self._space = EventSpace(width, height, most_events)
        self._scaler: Scaler | None = None
        self._shape: tuple[int, ...] | None = None
        self.latest_frame: NDArray[Any] | None = None  # that the camera saw, for those who watch
        self.latest_events = np.zeros(0, EVENT)  # of the latest step
        self.observation_space = self._with(env.observation_space, self._space)

    def _size_of(self, size: Any) -> tuple[int, int]:
        """Width and height of the camera. Without `size`, an environment that only renders must be reset to know them."""
        if size is not None:
            if not isinstance(size, tuple | list) or len(size) != 2:
                raise BadInput(f"size: must be (width, height), got {size!r}")
            return arguments.whole("size[0]", size[0], 1), arguments.whole("size[1]", size[1], 1)
        if self._picture is not None and self._picture.shape is not None:
            height, width = self._picture.shape
            return width, height
        self.env.reset()
        pictures = self._pictures(None)
        if not pictures:
            raise BadInput("size: is needed, since camera_frames() gives no frame after a reset")
        height, width = pictures[0][1].shape[:2]
        return width, height

    def _with(self, space: spaces.Space[Any], events: EventSpace) -> spaces.Space[Any]:
        if self._only:
            return events
        if not isinstance(space, spaces.Dict):
            return spaces.Dict({OBSERVATION: space, EVENTS: events})
        if EVENTS in space.spaces:
            raise BadInput(f"observation space {space}: has a key {EVENTS!r} already")
        return spaces.Dict({**space.spaces, EVENTS: events})

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the camera's noise follows `seed`, and in episodes after it without one, their number."""
        if seed is not None:
            self._base, self._episode = seed, 0
        observation, info = self.env.reset(seed=seed, options=options)
        noise = np.random.SeedSequence([self._base, self._episode]).generate_state(1, np.uint64)
        self.camera.reset(int(noise[0] >> np.uint64(1)))
        self._episode += 1
        self._steps = self._seen_us = 0
        return self._observe(observation, info, self._see(observation), 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hold the action for as many steps as the wrapper was made with, or until the episode ends."""
        events: list[NDArray[Any]] = []
        total, start_us = 0.0, self._seen_us
        for _ in range(self._hold):
            self._steps += 1
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            events += self._see(observation)
            if terminated or truncated:
                break
        seen, info = self._observe(observation, info, events, start_us)
        return seen, total, terminated, truncated, info

    def _see(self, observation: Any) -> list[NDArray[Any]]:
        """What the camera gives for the frames of a step."""
        seen = []
        for t_us, frame in self._pictures(observation):
            if frame.shape != self._shape:
                self._fit(frame)
            seen.append(self.camera.see(self._light_of(frame), t_us).copy())
            self._seen_us, self.latest_frame = int(t_us), frame
        return seen

    def _light_of(self, frame: NDArray[Any]) -> NDArray[Any]:
        """What the camera sees of a frame."""
        if self._scaler is not None:
            return self._scaler(frame)
        return frame if self._light is None or frame.dtype != np.uint8 else self._light[frame]

    def _pictures(self, observation: Any) -> Frames:
        if self._picture is not None:
            return [(round(1e6 * self._steps * self._period), self._picture.of(observation))]
        frames: Frames = list(self.env.get_wrapper_attr(CAMERA_FRAMES)())
        for frame in frames:
            if not isinstance(frame, tuple) or len(frame) != 2 or not isinstance(frame[1], np.ndarray):
                raise PlantError(f"{CAMERA_FRAMES}(): must give [(t_us, frame), …], got {type(frame).__name__} in it")
        return frames

    def _fit(self, frame: NDArray[Any]) -> None:
        """Make ready for frames of this shape."""
        if frame.ndim not in (2, 3):
            raise PlantError(f"frames must be of shape (height, width) or (height, width, 3), got {frame.shape}")
        if self._shape is not None:
            raise PlantError(f"frames must keep their shape, got {frame.shape} after {self._shape}")
        self._shape = frame.shape
        if frame.shape[:2] != (self._size[1], self._size[0]):
            self._scaler = Scaler(frame.shape, self._size, self._light)

    def _observe(
        self, observation: Any, info: dict[str, Any], seen: list[NDArray[Any]], start_us: int
    ) -> tuple[Any, dict[str, Any]]:
        events = seen[0] if len(seen) == 1 else np.concatenate([np.zeros(0, EVENT), *seen])
        shown = thinned(events, self._space.most_events)
        facts = {"start_us": start_us, "end_us": self._seen_us, "dropped": events.size - shown.size}
        new: Any = shown.view(Packet)
        self.latest_events = shown
        if not self._only:
            inside = isinstance(self.env.observation_space, spaces.Dict)
            new = {**(observation if inside else {OBSERVATION: observation}), EVENTS: new}
        return new, {**info, EVENTS: facts}


def _period(env: Env, period: float | None) -> float:
    if period is None:
        period = seconds_a_step(env)
        if period is None and not env.has_wrapper_attr(CAMERA_FRAMES):
            raise BadInput(f"period: is needed, in s, since {env} says neither dt nor render_fps")
    elif isinstance(period, bool) or not isinstance(period, int | float) or not 1e-6 <= period < math.inf:
        raise BadInput(f"period: must be a number of s, at least 1e-6, got {period!r}")
    return 0.0 if period is None else float(period)


def _entropy() -> int:
    entropy = np.random.SeedSequence().entropy
    assert isinstance(entropy, int)
    return entropy
