"""A plant that shows its pictures to a camera in another process: `PublishedFrames`.

    env = PublishedFrames(gymnasium.make("neuroloop/LaneKeeping-v0"), "ipc:///tmp/plant/frames.ipc")
    PlantServer(env, "ipc:///tmp/plant/plant.ipc").serve()

A PUB socket: nobody who reads slowly, or not at all, holds the plant up.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import gymnasium

from ...sensors.pictures import Env
from ...sensors.source import CAMERA_FRAMES, Frames, Source
from .. import messages
from ..endpoint import endpoint_of
from ..keys import Keys
from ..publisher import Publisher
from .aer import Mark, Pictures, packed_pictures


class PublishedFrames(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Publishes the pictures of `env` at `endpoint`, at every reset and step; `CameraServer` turns them into events.

    An environment that only renders, or has a camera of its own, is reset once, to know how large its pictures are. Which
    pictures, `key` and `period`: see `EventCameraWrapper`; `keys`: needed where other machines can reach it.
    `info["camera_frames"]` tells the controller which message they went out in. Raises `BadInput`.
    """

    def __init__(
        self, env: Env, endpoint: str, key: str | None = None, period: float | None = None, keys: Keys | None = None
    ) -> None:
        super().__init__(env)
        self._source = Source(env, key, period)
        self.size = self._source.size  # width and height; whatever draws pictures is ready with it
        self._publisher = Publisher(endpoint_of(endpoint, "frames"), keys)
        self.url = self._publisher.url
        self._run, self._seq = secrets.randbits(62) + 1, 0
        self._episode, self._noise = 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, of which the camera sees the first picture."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._noise = self._source.begin(seed)
        self._episode += 1
        return observation, {**info, CAMERA_FRAMES: self._publish(observation, 0)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step, whose pictures the camera sees."""
        start_us = self._source.seen_us
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._source.steps += 1
        mark = self._publish(observation, start_us)
        return observation, reward, terminated, truncated, {**info, CAMERA_FRAMES: mark}

    def close(self) -> None:
        """Close the socket and the environment."""
        self._publisher.close()
        super().close()

    def _publish(self, observation: Any, start_us: int) -> dict[str, int]:
        frames: Frames = self._source.pictures(observation)
        self._seq += 1
        header = Pictures(
            protocol=messages.PROTOCOL, run=self._run, seq=self._seq, t_ns=time.monotonic_ns(), episode=self._episode,
            tick=self._source.steps, noise=self._noise, start_us=start_us, end_us=self._source.seen_us,
            times_us=tuple(int(t_us) for t_us, _ in frames),
        )  # fmt: skip
        readers = self._publisher.readers()
        self._publisher.send(packed_pictures(header, [frame for _, frame in frames]))
        return Mark(self._run, self._seq, self._episode, self._source.steps, readers)._asdict()
