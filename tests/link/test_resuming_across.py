"""Resume and replay where the plant is a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroloop import Recorder, load_agent, replay
from neuroloop.agent import Agent
from neuroloop.link.remote import RemoteEnv

SEED = 9


@contextlib.contextmanager
def serving(env: str, folder: Path, *more: str) -> Iterator[str]:
    """`neuroloop serve` in a process of its own; gives where."""
    command = [sys.executable, "-m", "neuroloop", "serve", env, "--bind", f"ipc://{folder}/plant.ipc", *more]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "is served at" in line, line
        try:
            yield line.rpartition(" ")[2].strip()
        finally:
            process.kill()


def bits(agent: Agent) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in agent.controller.state().items()}


def test_a_run_goes_on_bit_for_bit_at_a_plant_that_was_started_anew(tmp_path: Path) -> None:
    straight = load_agent("cartpole", seed=SEED)
    straight.learn(700)
    with serving("CartPole-v1", tmp_path / "a") as url:
        agent = load_agent("cartpole", RemoteEnv(url), SEED)
        agent.learn(345)
        assert agent.progress.actions
        path = agent.save(tmp_path / "a.zip")
    with serving("CartPole-v1", tmp_path / "b") as url:
        resumed = Agent.load(path, RemoteEnv(url))
        resumed.learn(355)
        resumed.env.close()
    assert bits(resumed) == bits(straight)
    assert resumed.progress.returns == straight.progress.returns


def test_at_a_plant_that_keeps_its_time_an_episode_begins_anew_and_what_was_recorded_is_replayed(
    tmp_path: Path,
) -> None:
    with serving("Pendulum-v1", tmp_path / "a", "--realtime", "--deadline", "5") as url:
        env = RemoteEnv(url)
        agent, path = load_agent("default", env, SEED, ["warm_up.decisions=3"]), tmp_path / "a.mcap"
        with Recorder(path, agent) as recorder, agent.watched(by=recorder):
            agent.learn(12)
        assert agent.progress.actions
        resumed = Agent.load(agent.save(tmp_path / "a.zip"), env)
        with pytest.warns(UserWarning, match="keeps its own time"):
            resumed.learn(4)
        assert len(resumed.progress.actions) == 2
        assert resumed.progress.steps == 16
        env.close()
    report = replay(path)
    assert (report.first, report.ticks, report.weights_equal) == (None, 6, True)
