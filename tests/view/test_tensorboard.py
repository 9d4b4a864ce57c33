"""Scalars for TensorBoard: the event file is read back, by a reader of our own for its frames."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import signal
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.activity import Activity
from neuroloop.errors import BadInput, MissingExtra
from neuroloop.types import Tick
from neuroloop.view.tensorboard import MOST_EPISODES, TensorBoard

pytest.importorskip("tensorboardX.proto", exc_type=ImportError)


def events(folder: Path) -> Iterator[Any]:
    """Frames of size, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    (file,) = folder.glob("events.out.tfevents.*")
    data, at = file.read_bytes(), 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        yield Event.FromString(data[at + 12 : at + 12 + size])
        at += 16 + size


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by name."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


class Noted:
    """A sink that reads what the network says, each control step."""

    def __init__(self, agent: Any) -> None:
        self.activity, self.rows = Activity(agent.controller), []  # type: ignore[var-annotated]

    def put(self, tick: Tick) -> bool:
        self.rows.append(self.activity.read())
        return True

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        pass


def test_what_is_written_is_what_happened(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("cartpole", seed=1)
    noted = Noted(agent)
    with TensorBoard(tmp_path, agent, window=1000.0) as board, agent.watched(board), agent.watched(noted):
        agent.learn(300)
    found, progress = scalars(tmp_path), agent.progress
    steps = np.cumsum(progress.lengths).tolist()
    assert found["episode/return"] == list(zip(steps, progress.returns, strict=True))
    assert found["episode/length"] == list(zip(steps, map(float, progress.lengths), strict=True))
    assert found["rollout/ep_rew_mean"] == [(300, pytest.approx(np.mean(progress.returns)))]
    assert found["rollout/ep_len_mean"] == [(300, pytest.approx(np.mean(progress.lengths)))]
    for name, mean in zip(noted.activity.numbers, np.mean(noted.rows, axis=0), strict=True):
        assert found[f"train/{name}"] == [(300, pytest.approx(mean, rel=1e-5, abs=1e-7))]
    assert found["train/spikes_per_tick"] == [(300, pytest.approx(agent.controller.spikes / 300))]
    assert found["time/fps"][0][1] > 0.0


def test_a_window_holds_the_means_of_its_control_steps(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", "CartPole-v1")
    with TensorBoard(tmp_path, agent, window=1.0) as board:
        for n in range(26):
            agent.progress.steps += 2
            board.put(Tick(n, 0, n == 0, 5_000_000_000 + n * 100_000_000, None, 0.0, 0, None))
    fps = scalars(tmp_path)["time/fps"]
    assert fps == [(22, pytest.approx(22.0)), (42, pytest.approx(20.0)), (52, pytest.approx(20.0))]


def test_an_episode_that_ends_with_a_window_makes_no_window_of_its_own(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", "CartPole-v1")
    with TensorBoard(tmp_path, agent, window=1.0) as board:
        for n in range(2):
            board.put(Tick(n, 0, n == 0, 5_000_000_000 + n * 1_000_000_000, None, 0.0, 0, None))
        agent.progress.steps = 7
        board.close_episode(0, 3.0, 7)
    found = scalars(tmp_path)
    assert found["episode/return"] == [(7, 3.0)]
    assert len(found["time/fps"]) == len(found["train/spikes_per_tick"]) == 1


def test_of_very_many_episodes_some_that_lie_evenly_are_written_one_by_one(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", "CartPole-v1")
    with TensorBoard(tmp_path, agent) as board:
        for n in range(1000):
            agent.progress.steps = n
            board.close_episode(n, float(n), 1)
    written = [step for step, _ in scalars(tmp_path)["episode/return"]]
    assert written == list(range(0, 1000, 1000 // MOST_EPISODES))


def test_a_process_that_was_killed_is_one_warning_and_the_loop_goes_on(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("cartpole", seed=1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with TensorBoard(tmp_path, agent, window=1e-6) as board, agent.watched(board):
            os.kill(board._process.pid, signal.SIGKILL)
            board._process.wait()
            agent.learn(50)
    assert [str(one.message).partition(": ")[2] for one in told] == [
        "ends early: the process that writes it was killed; the run goes on"
    ]
    assert agent.progress.steps == 50
    assert board.put(Tick(0, 0, True, 1, None, 0.0, 0, None)) is False


def test_a_folder_that_vanished_is_one_warning_with_the_reason(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", "CartPole-v1")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with TensorBoard(tmp_path / "logs", agent) as board, agent.watched(board):
            (tmp_path / "logs").rmdir()  # long before the other process has started
            agent.learn(50)
    assert ["No such file or directory; the run goes on" in str(one.message) for one in told] == [True]
    assert agent.progress.steps == 50


def test_a_folder_that_cannot_be_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        TensorBoard(tmp_path / "file" / "logs", neuroloop.load_agent("random", "CartPole-v1"))


def test_without_tensorboardx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[tensorboard\]"'):
        TensorBoard(tmp_path, neuroloop.load_agent("random", "CartPole-v1"))


def test_lines_that_a_pipe_takes_in_part_are_whole_in_the_end(tmp_path: Path) -> None:
    many = {f"train/{n:04d}": float(n) for n in range(1000)}  # longer than what a pipe takes at once
    with TensorBoard(tmp_path, neuroloop.load_agent("random", "CartPole-v1")) as board:
        assert board._process.stdin is not None
        fcntl.fcntl(board._process.stdin.fileno(), fcntl.F_SETPIPE_SZ, 4096)
        for step in range(50):
            board._tell(step, 1.0, many)
    found = scalars(tmp_path)
    steps = [step for step, _ in found["train/0999"]]
    assert found["train/0000"] == [(step, 0.0) for step in steps]
    assert len(steps) == 50 - board.dropped
    assert steps[0] == 0
    assert board.dropped
    assert board.failure == ""


def test_closing_twice_does_nothing_more(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        board = TensorBoard(tmp_path, neuroloop.load_agent("random", "CartPole-v1"))
        board.close()
        board.close()
    assert [event.file_version for event in events(tmp_path)] == ["brain.Event:2"]
