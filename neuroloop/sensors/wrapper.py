"""An event camera in front of any environment that shows a picture: `EventCameraWrapper`.

    env = EventCameraWrapper(gymnasium.make("CartPole-v1", render_mode="rgb_array"), size=(64, 40))

Time stamps are µs since the episode's reset: step k is over at k periods, and its packet holds what happened since step k − 1.
A reset gives an empty packet, since the camera has nothing to compare with.
"""

from __future__ import annotations

from typing import Any

import gymnasium
from numpy.typing import NDArray

from .. import arguments
from ..settings.sensors import Pixel
from .eye import Eye, checked_size
from .gamma import Gamma
from .pictures import Env
from .seen import EVENTS, OBSERVATION, Seen
from .source import CAMERA_FRAMES, Source
from .space import MOST, EventSpace

__all__ = ["CAMERA_FRAMES", "EVENTS", "OBSERVATION", "EventCameraWrapper"]


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
        self._hold, only = arguments.whole("action_repeat", action_repeat, 1), arguments.switch("only", only)
        self._source = Source(env, key, period)
        size = self._source.size if size is None else checked_size(size)
        self._eye = Eye(size, pixel, gamma, seed)
        self.camera = self._eye.camera
        self._seen = Seen(env.observation_space, EventSpace(*size, most_events), only)
        self.observation_space = self._seen.space

    @property
    def latest_frame(self) -> NDArray[Any] | None:
        """The frame that the camera saw last; None before the first."""
        return self._eye.latest

    @property
    def latest_events(self) -> NDArray[Any]:
        """The events of the latest step."""
        return self._seen.latest

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the camera's noise follows `seed`, and in episodes after it without one, their number."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._eye.reset(self._source.begin(seed))
        return self._observe(observation, info, self._see(observation), 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hold the action for as many steps as the wrapper was made with, or until the episode ends."""
        events: list[NDArray[Any]] = []
        total, start_us = 0.0, self._source.seen_us
        for _ in range(self._hold):
            self._source.steps += 1
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            events += self._see(observation)
            if terminated or truncated:
                break
        seen, info = self._observe(observation, info, events, start_us)
        return seen, total, terminated, truncated, info

    def _see(self, observation: Any) -> list[NDArray[Any]]:
        """What the camera gives for the frames of a step."""
        return self._eye.see(self._source.pictures(observation))

    def _observe(
        self, observation: Any, info: dict[str, Any], seen: list[NDArray[Any]], start_us: int
    ) -> tuple[Any, dict[str, Any]]:
        new, facts = self._seen.put(observation, seen, start_us, self._source.seen_us)
        return new, {**info, EVENTS: facts}
