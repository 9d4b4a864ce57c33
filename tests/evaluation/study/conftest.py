"""What the tests of studies share: a world that misbehaves on demand, jobs on it, and rows of runs."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from neuroloop.agent import read_config
from neuroloop.config import to_toml
from neuroloop.evaluation.runs import Job

WORLD = textwrap.dedent("""
    import os, time
    from pathlib import Path
    import gymnasium
    import numpy as np

    class Bad(gymnasium.Env):
        \"\"\"Episodes of `length` steps, a reward of 1 for action 1; at step `at`, counted over all, `what` happens.\"\"\"

        observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
        action_space = gymnasium.spaces.Discrete(2)

        def __init__(self, what="", at=50, length=20):
            self.what, self.at, self.length, self.n = what, at, length, 0

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.zeros(2, np.float32), {}

        def step(self, action):
            self.n += 1
            observation = self.np_random.uniform(-1, 1, 2).astype(np.float32)
            reward, what = float(action == 1), self.what if self.n == self.at else ""
            if what == "raise":
                raise RuntimeError("the motor\\nis on fire")
            if what == "die" or (what == "die once" and not Path("died").exists()):
                Path("died").write_text("here")
                os._exit(1)
            if what == "gap":
                observation[1] = np.nan
            if what == "shape":
                observation = np.zeros(5, np.float32)
            if what == "reward":
                reward = float("nan")
            ended = self.what != "endless" and self.n % self.length == 0
            if self.what == "endless later" and self.n > 100 * self.length:
                ended = False
            return observation, reward, ended, False, {}

    gymnasium.register(id="Bad-v0", entry_point="bad_world:Bad", disable_env_checker=True, reward_threshold=1e9)
""")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, with a world in it."""
    (tmp_path / "bad_world.py").write_text(WORLD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("bad_world", None)
    gymnasium.registry.pop("Bad-v0", None)
    return tmp_path


def job(agent: str = "random", *settings: str, env: str = "bad_world:Bad-v0", **changes: Any) -> Job:
    """A short run of an agent, by default the random one, on the world above or another."""
    config = read_config(agent, [*settings, "plant.action_repeat=1"] if agent == "default" else settings, env)[1]
    made = Job("bad", agent, 0, to_toml(config), limit=2_000, hold=0, area=1_000, made_with="test", seconds=1.0)
    return made._replace(**changes)


@pytest.fixture
def row() -> Callable[..., dict[str, Any]]:
    """Makes a row of a run as `runs.row_of` would; keyword arguments are changes."""

    def make(seed: int, solved: int | None, held: float | None = None, **changes: Any) -> dict[str, Any]:
        return {
            "task": "cartpole", "agent": "default", "seed": seed, "solved_at_step": solved, "steps": 50_000,
            "episodes": 200, "steps_before_window": None if solved is None else solved - 25_000, "final_mean": 480.0,
            "held_worst": held, "auc": 300.0, "us_per_step": 40.0, "spikes_per_step": 700.0, "error": None,
            "curve": ([1000, 30_000, 50_000], [20.0, 400.0, 480.0]),
        } | changes  # fmt: skip

    return make
