"""Worlds for the tests of cameras: a bright spot that wanders over a dark wall."""

from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

IDS = "Spot-v0", "Endless-v0", "Shown-v0", "Broken-v0", "Noted-v0"


class Shown(gymnasium.Env[Any, Any]):
    """It is rendered."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 50}
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    dt = 0.02
    steps = 40

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place, self.k = self.np_random.uniform(4.0, 12.0, 2), 0
        self.frames = [(0, self.light())]
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        self.frames = []
        for part in range(3):
            self.place = np.clip(self.place + self.np_random.normal(0.5 * action, 1.0, 2), 0.0, [15.0, 11.0])
            self.frames.append((round(1e6 * self.dt * (self.k + (part + 1) / 3)), self.light()))
        self.k += 1
        return (self.place / 16.0).astype(np.float32), 1.0, self.k >= self.steps, False, {"place": self.place[0]}

    def light(self) -> NDArray[np.float32]:
        y, x = np.mgrid[:12, :16]
        distance = (x - self.place[0]) ** 2 + (y - self.place[1]) ** 2
        return (0.1 + 0.8 * np.exp(-distance / 4.0)).astype(np.float32)

    def render(self) -> Any:
        return np.repeat((255 * self.light())[:, :, None], 3, axis=2).astype(np.uint8)


class Spot(Shown):
    """Its own camera takes three pictures a step."""

    def camera_frames(self) -> Any:
        return self.frames


class Endless(Spot):
    steps = 10**9


class Broken(Spot):
    """The third step's light is none."""

    def light(self) -> NDArray[np.float32]:
        light = super().light()
        return light * np.float32(np.nan) if self.k == 2 else light


class Noted(Shown):
    """Every episode is noted in a file beside this one."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        with Path(__file__).with_name("episodes").open("a") as file:
            file.write(".")
        return super().reset(seed=seed, options=options)


for name, world in zip(IDS, (Spot, Endless, Shown, Broken, Noted), strict=True):
    if name not in gymnasium.registry:
        gymnasium.register(name, world)
