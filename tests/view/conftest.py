"""Runs whose files figures are drawn of: made once, short, and real."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import gymnasium
import pytest

import neuroloop
from neuroloop.loop.paced import Paced

AGENT, SEED = "cartpole", 3


class Files(NamedTuple):
    """What a run left."""

    folder: Path
    recording: Path
    early: Path  # checkpoint in the middle
    late: Path  # and at the end


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """400 control steps of CartPole, recorded."""
    folder = tmp_path_factory.mktemp("run")
    files = Files(folder, folder / "run.mcap", folder / "early.zip", folder / "checkpoint.zip")
    agent = neuroloop.load_agent(AGENT, seed=SEED)
    with neuroloop.Recorder(files.recording, agent) as recorder, agent.watched(by=recorder):
        agent.learn(200)
        agent.save(files.early)
        agent.learn(200)
    agent.save(files.late)
    return files


@pytest.fixture(scope="session")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of 60 control steps in real time."""
    path = tmp_path_factory.mktemp("paced") / "paced.mcap"
    agent = neuroloop.load_agent("random", Paced(gymnasium.make("CartPole-v1"), period=0.004), seed=SEED)
    with neuroloop.Recorder(path, agent) as recorder, agent.watched(by=recorder):
        agent.learn(60)
    return path
