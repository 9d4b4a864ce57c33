"""Whoever is stopped, the plant ends in its fail-safe action: with real processes, in real time and in lockstep."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroloop.evaluation.kills import Plant
from neuroloop.link.remote import RemoteEnv

WORLD = textwrap.dedent("""
    import gymnasium, numpy as np, os
    from gymnasium import spaces

    class Motor(gymnasium.Env):
        observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        dt, fail_safe = 0.01, (-1.0,)

        def __init__(self):
            self.log = os.open(os.environ["MOTOR_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.zeros(1, np.float32), {}

        def step(self, action):
            os.write(self.log, b"%g\\n" % action[0])
            return np.zeros(1, np.float32), 0.0, False, False, {}

    gymnasium.register(id="Motor-v0", entry_point="motor_world:Motor", disable_env_checker=True)
""")
HOWS = [signal.SIGINT, signal.SIGTERM]


class Bench:
    """A motor in a process, what it did, and a controller in another one."""

    def __init__(self, folder: Path) -> None:
        self.endpoint, self.log = f"ipc://{folder}/plant/plant.ipc", folder / "log"
        self.plant: Plant | None = None
        self.controller: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        self.plant = Plant(self.endpoint, "motor_world:Motor-v0", *more)

    def control(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "neuroloop", "run", "random", "--connect", self.endpoint, "--steps", "1000000"]
        self.controller = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until(lambda: any(-1.0 < action < 1.0 for action in self.done))
        return self.controller

    @property
    def done(self) -> list[float]:
        return [float(line) for line in self.log.read_text().split()] if self.log.exists() else []

    def until(self, happened: object) -> None:
        end = time.monotonic() + 20.0
        while not happened():  # type: ignore[operator]
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    (tmp_path / "motor_world.py").write_text(WORLD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOTOR_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    made = Bench(tmp_path)
    yield made
    if made.controller is not None:
        made.controller.kill()
        made.controller.wait()
    if made.plant is not None:
        made.plant.end()


@pytest.mark.parametrize("how", HOWS, ids=lambda how: how.name)
@pytest.mark.parametrize("mode", ["real time", "lockstep"])
def test_a_stopped_controller_says_bye_and_the_plant_does_its_fail_safe_action(
    bench: Bench, mode: str, how: signal.Signals
) -> None:
    bench.start(*(["--realtime", "--deadline", "60"] if mode == "real time" else []))  # no deadline helps: a bye does
    controller = bench.control()
    controller.send_signal(how)
    assert controller.wait(20) == 128 + how
    bench.until(lambda: bench.done[-1] == -1.0)
    assert Path("recordings/runs").exists()  # and what was learned is saved
    other = RemoteEnv(bench.endpoint)  # the plant is free
    other.close()


@pytest.mark.parametrize("how", HOWS, ids=lambda how: how.name)
@pytest.mark.parametrize("mode", ["real time", "lockstep"])
def test_a_stopped_plant_ends_in_its_fail_safe_action(bench: Bench, mode: str, how: signal.Signals) -> None:
    bench.start(*(["--realtime"] if mode == "real time" else []))
    bench.control()
    assert bench.plant is not None
    assert bench.plant.end(how) == 128 + how
    assert bench.done[-1] == -1.0
    assert not Path(bench.endpoint.removeprefix("ipc://")).exists()


def test_a_stopped_plant_slews_to_its_fail_safe_action_and_a_second_ctrl_c_ends_it_at_once(bench: Bench) -> None:
    bench.start("--realtime", "--slew", "0.01")  # it would take minutes
    bench.control()
    assert bench.plant is not None
    bench.plant.tell(signal.SIGINT)
    n = len(bench.done)
    bench.until(lambda: len(bench.done) > n + 5)
    began = time.monotonic()
    assert bench.plant.end(signal.SIGINT) == 130
    assert time.monotonic() - began < 5.0


def test_a_second_ctrl_c_stops_a_controller_that_looks_for_its_plant(bench: Bench) -> None:
    bench.start()
    controller = bench.control()
    assert bench.plant is not None
    bench.plant.end()
    time.sleep(0.2)
    controller.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert controller.poll() is None  # it finishes its step, which waits for the plant
    controller.send_signal(signal.SIGINT)
    assert controller.wait(20) == 130
    assert list(Path("recordings/runs").rglob("checkpoint.zip"))


def test_a_run_in_real_time_goes_on_from_its_checkpoint_with_its_episode_begun_anew(bench: Bench) -> None:
    bench.start("--realtime")
    run = [sys.executable, "-m", "neuroloop", "run", "--connect", bench.endpoint, "--save", "saved.zip"]
    controller = subprocess.Popen([*run, "random"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bench.controller = controller
    bench.until(lambda: sum(-1.0 < action < 1.0 for action in bench.done) > 20)
    controller.send_signal(signal.SIGTERM)
    assert controller.wait(20) == 143
    again = [*run, "--resume", "saved.zip", "--steps", "100000", "--json"]
    bench.controller = subprocess.Popen(again, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    n = len(bench.done)
    bench.until(lambda: sum(-1.0 < action < 1.0 for action in bench.done[n:]) > 20)
    bench.controller.send_signal(signal.SIGINT)
    out, err = bench.controller.communicate(timeout=20)
    told = [line for line in err.decode().splitlines() if "begins anew" in line]
    assert len(told) == 1, err.decode()
    assert "keeps its own time" in told[0]
    report = json.loads(out)
    assert report["timing"]["ticks"] > 20
    assert report["timing"]["age_us"]["p50"] > 0
