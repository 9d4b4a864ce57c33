"""Worlds with a camera on board: pictures in the observation, and frames of light for an event camera."""

from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._faults import Observation
from neuroloop_envs._parameters import Variation
from neuroloop_envs._pictures import picture
from neuroloop_envs._world import Rates, RenderMode, World

Shown = Literal["readings", "camera", "both"]
LEAST = 36  # pixels a side, below which Stable-Baselines3 takes no picture
MOST = 1024


class SeeingWorld(World):
    """A world whose robot carries a camera.

    `shown`: what is observed: "readings" (a Box of float32), the "camera" (uint8 of shape (height, width, 1), sRGB), or
    "both" (a Dict of these names). `size`: the camera's (width, height). With `rates.parts` > 1 the camera takes so many
    frames a control step, evenly, once `camera_frames()` was called in an episode: pictures cost time.
    """

    def __init__(
        self,
        rates: Rates,
        variation: Variation,
        readings: spaces.Box,
        n_actuators: int,
        render_mode: RenderMode,
        shown: Shown,
        size: tuple[int, int],
    ) -> None:
        name = type(self).__name__
        if shown not in ("readings", "camera", "both"):
            raise ValueError(f"{name}.observation: must be 'readings', 'camera' or 'both', got {shown!r}")
        least = 1 if shown == "readings" else LEAST
        two = isinstance(size, tuple | list) and len(size) == 2
        if not two or not all(isinstance(side, int) and least <= side <= MOST for side in size):
            raise ValueError(f"{name}.size: must be (width, height), from {least} to {MOST} pixels each, got {size!r}")
        width, height = size
        self._shown, self._size = shown, (width, height)
        self._frames: list[tuple[int, NDArray[np.float32]]] = []
        self._watched = False
        pixels = spaces.Box(0, 255, (height, width, 1), np.uint8)
        observed: dict[Shown, spaces.Space[Any]] = {
            "readings": readings, "camera": pixels, "both": spaces.Dict({"readings": readings, "camera": pixels}),
        }  # fmt: skip
        super().__init__(rates, variation, observed[shown], readings, n_actuators, render_mode)

    @abstractmethod
    def _read(self) -> NDArray[np.float32]:
        """The readings."""

    @abstractmethod
    def _see(self) -> NDArray[np.float32]:
        """Light on the camera now: (height, width), 0 black to 1 white, linear; an array of its own."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode. See `World.reset`."""
        self._frames, self._watched = [], False
        return super().reset(seed=seed, options=options)

    def camera_frames(self) -> list[tuple[int, NDArray[np.float32]]]:
        """What the camera saw in the latest control step: (µs since the episode began, light), oldest first."""
        self._check_open()
        self._watched = True
        if not self._frames:
            self._frames.append((round(1e6 * self.t_s), self._see()))
        return list(self._frames)

    def _look(self, part: int) -> None:
        if part == 0:
            self._frames = []
        if self._watched and self.rates.parts > 1:
            t_s = self.t_s + (part + 1) * self.dt / self.rates.parts
            self._frames.append((round(1e6 * t_s), self._see()))

    def _observe(self) -> Observation:
        if self._shown == "readings":
            return self._read()
        shown = picture(self.camera_frames()[-1][1], 1)
        return shown if self._shown == "camera" else {"readings": self._read(), "camera": shown}
