"""The command line in this process, in a folder with a world that misbehaves on demand."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gymnasium
import pytest

from neuroloop.cli import main


class Done(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Done]

WORLD = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    import gymnasium
    import numpy as np

    class Odd(gymnasium.Env):
        \"\"\"Does what is asked at step `at`, counted over all episodes of 20 steps.\"\"\"

        observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
        action_space = gymnasium.spaces.Discrete(3)

        def __init__(self, at=-1, what="", doze=0.0, endless=False):
            self.at, self.what, self.endless, self.n = at, what, endless, 0
            if doze:
                print("dozing", file=sys.stderr, flush=True)
                time.sleep(doze)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

        def step(self, action):
            self.n += 1
            observation, reward = self.np_random.uniform(-1, 1, 2).astype(np.float32), float(action == 1)
            if self.n == self.at:
                if self.what == "raise":
                    raise RuntimeError("the motor is on fire")
                if self.what == "die" or (self.what == "die once" and not Path("died").exists()):
                    Path("died").touch()
                    os._exit(1)
                if self.what == "sleep":
                    print("sleeping", file=sys.stderr, flush=True)
                    time.sleep(60)
                if self.what == "interrupt":
                    signal.raise_signal(signal.SIGINT)
                if self.what == "gap":
                    observation = np.array([0.0, np.nan], np.float32)
                if self.what == "shape":
                    observation = np.zeros(5, np.float32)
                if self.what == "reward":
                    reward = float("inf")
            self.t += 1
            return observation, reward, False, self.t >= 20 and not self.endless, {}

    gymnasium.register(id="Odd-v0", entry_point="odd_world:Odd", disable_env_checker=True)
""")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, with a world in it."""
    (tmp_path / "odd_world.py").write_text(WORLD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]))
    sys.modules.pop("odd_world", None)
    gymnasium.registry.pop("Odd-v0", None)
    return tmp_path


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["neuroloop", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = 0 if ended.code is None else int(ended.code)
        return Done(code, *capsys.readouterr())

    return call
