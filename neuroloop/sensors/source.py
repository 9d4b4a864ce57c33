"""What an event camera in front of an environment is shown: its pictures with their times, and the seeds of the noise.

Time stamps are µs since the episode's reset: step k is over at k periods, unless the environment's own `camera_frames()` says
when each picture was taken.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, PlantError
from .pictures import Env, picture_of, seconds_a_step

CAMERA_FRAMES = "camera_frames"  # a world that has a camera gives its frames by this name
Frames = list[tuple[int, NDArray[Any]]]


class Source:
    """Pictures of `env`. `period`: s a step lasts; `key`: which picture of the observation. Raises `BadInput`."""

    def __init__(self, env: Env, key: str | None = None, period: float | None = None) -> None:
        self._env, self._period = env, _period(env, period)
        self._picture = None if env.has_wrapper_attr(CAMERA_FRAMES) else picture_of(env, key)
        self._episode, self._base = 0, _entropy()
        self.steps = self.seen_us = 0  # of the episode, and the time of its latest picture

    @property
    def size(self) -> tuple[int, int]:
        """Width and height. An environment that only renders, or has a camera of its own, must be reset to know them."""
        if self._picture is not None and self._picture.shape is not None:
            height, width = self._picture.shape
            return width, height
        self._env.reset()
        pictures = self.pictures(None)
        if not pictures:
            raise BadInput("size: is needed, since camera_frames() gives no frame after a reset")
        height, width = pictures[0][1].shape[:2]
        return width, height

    def begin(self, seed: int | None) -> int:
        """An episode begins: the seed of its noise, from the seed of the reset or, without one, the number since then."""
        if seed is not None:
            self._base, self._episode = seed, 0
        noise = np.random.SeedSequence([self._base, self._episode]).generate_state(1, np.uint64)
        self._episode += 1
        self.steps = self.seen_us = 0
        return int(noise[0] >> np.uint64(1))

    def pictures(self, observation: Any) -> Frames:
        """Those of a step, or of a reset, whose observation this is."""
        frames: Frames
        if self._picture is not None:
            frames = [(round(1e6 * self.steps * self._period), self._picture.of(observation))]
        else:
            frames = list(self._env.get_wrapper_attr(CAMERA_FRAMES)())
        for frame in frames:
            if not isinstance(frame, tuple) or len(frame) != 2 or not isinstance(frame[1], np.ndarray):
                raise PlantError(f"{CAMERA_FRAMES}(): must give [(t_us, frame), …], got {type(frame).__name__} in it")
        if frames:
            self.seen_us = int(frames[-1][0])
        return frames


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
