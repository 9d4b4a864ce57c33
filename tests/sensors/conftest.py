"""A small environment that renders: a bright bar jumps between two sides, and the side must be named."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest


class Bars(gymnasium.Env):
    """Each step a bar appears at a new place, left or right; the next action names the side: +1, or -1."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode=None, steps=50):
        self.render_mode, self.steps = render_mode, steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.left = None, self.steps
        return np.zeros(1, np.float32), {}

    def step(self, action):
        reward = 0.0 if self.place is None else 1.0 if action == int(self.place >= 32) else -1.0
        places = [x for x in (*range(4, 24, 4), *range(36, 56, 4)) if x != self.place]
        self.place, self.left = int(self.np_random.choice(places)), self.left - 1
        return np.zeros(1, np.float32), reward, False, self.left == 0, {}

    def render(self):
        picture = np.full((40, 64, 3), 40, np.uint8)
        if self.place is not None:
            picture[:, self.place : self.place + 4] = 220
        return picture


@pytest.fixture
def bars():
    """Makes the environment, rendering."""
    return lambda steps=50: Bars("rgb_array", steps)
