"""Whatever becomes of the file, its disk or the processes: the loop goes on, and what was written can be read."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import Recorder, Recording, RecordingError, load_agent
from neuroloop.evaluation.recording_kills import trial
from neuroloop.recording import writer
from neuroloop.recording.channels import Setup
from neuroloop.recording.file import File
from neuroloop.recording.recover import recover

from .conftest import AnyPlant

NOISE = spaces.Box(0, 255, (64, 64, 3), np.uint8)  # does not pack well


@pytest.mark.parametrize("who", ["recorder", "controller"])
def test_whoever_is_killed_one_part_is_lost_at_most(who: str, tmp_path: Path) -> None:
    for n in range(2):
        found = trial(tmp_path / f"{n}.mcap", who, seconds=0.6 + 0.3 * n, steps_per_s=1000, agent="random")
        assert found.ticks > 100
        assert found.lost_chunks <= 1.05  # taken was read a little after it happened
        assert found.ticks >= found.done or who == "recorder"
        assert found.writer_is_gone


def test_a_full_disk_ends_the_file_and_not_the_run(tmp_path: Path) -> None:
    agent, said = load_agent("random", AnyPlant(NOISE)), list[str]()
    with Recorder(tmp_path / "run.mcap", agent, say=said.append) as recorder, agent.watched(by=recorder):
        resource.prlimit(recorder.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        agent.learn(300)
        deadline = time.monotonic() + 10.0
        while not recorder.failure and time.monotonic() < deadline:
            agent.learn(20)
            time.sleep(0.1)
    assert len(said) == 1
    assert "File too large" in said[0]
    assert "neuroloop recover" in said[0]
    assert recorder.dropped
    assert (tmp_path / "run.mcap").stat().st_size <= 1 << 20
    recording = Recording(tmp_path / "run.mcap")
    read = [one.seq for one in recording.ticks()]
    assert not recording.complete
    assert len(read) > 50
    assert read == list(range(len(read)))
    assert recover(tmp_path / "run.mcap").ticks == len(read)


def test_a_full_file_system_is_said_by_name(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs to be allowed to mount a file system")
    try:
        agent, said = load_agent("random", AnyPlant(NOISE)), list[str]()
        with Recorder(disk / "run.mcap", agent, say=said.append) as recorder, agent.watched(by=recorder):
            agent.learn(200)
        assert len(said) == 1
        assert "No space left on device" in said[0]
        assert len(list(Recording(disk / "run.mcap").ticks())) > 10
        with pytest.raises(RecordingError, match="No space left"):
            recover(disk / "run.mcap", disk / "again.mcap")
        assert recover(disk / "run.mcap", tmp_path / "again.mcap").ticks > 10
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_recording_that_could_not_begin_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    setup = Setup(
        path=str(path), overwrite=False, meta={"agent": "x" * 100}, checkpoint=str(tmp_path / "none.zip"), wall_ns=0,
        monotonic_ns=0, numbers=(), rasters=(), observation=(), action=(),
    )  # fmt: skip
    with pytest.raises(FileNotFoundError):
        File(setup)
    assert not path.exists()
    path.write_bytes(b"another's")
    with pytest.raises(FileExistsError):
        File(setup)
    assert path.exists()


def test_what_is_dropped_is_what_cannot_be_read(tmp_path: Path) -> None:
    """Also what the process that writes had taken, but not yet written, when it was killed."""
    agent, said = load_agent("random", "CartPole-v1"), list[str]()
    with Recorder(tmp_path / "run.mcap", agent, say=said.append) as recorder, agent.watched(by=recorder):
        agent.learn(800)
        deadline = time.monotonic() + 10.0
        while recorder.written < 800 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(recorder.pid, signal.SIGKILL)
        agent.learn(200)
    read = [one.seq for one in Recording(tmp_path / "run.mcap").ticks()]
    assert recorder.dropped + len(read) == recorder.offered == 1000
    assert recorder.first_dropped == len(read)
    assert "was killed" in said[0]


def test_a_number_that_cannot_be_packed_drops_its_tick_and_not_the_run(tmp_path: Path) -> None:
    class Odd(AnyPlant):
        def step(self, action: Any) -> Any:
            observation, reward, *rest, info = super().step(action)
            return observation, reward, *rest, info | ({"link": {"tick": 1 << 80}} if self.steps == 3 else {})

    agent, said = load_agent("random", Odd(spaces.Box(-1, 1, (2,)))), list[str]()
    with Recorder(tmp_path / "run.mcap", agent, say=said.append) as recorder, agent.watched(by=recorder):
        agent.learn(6)
    assert recorder.dropped == 1
    assert "cannot be recorded" in said[0]


def test_places_that_cannot_be_written_are_refused_before_the_run(tmp_path: Path, small: Path) -> None:
    agent = load_agent("random", AnyPlant(NOISE))
    with pytest.raises(RecordingError, match="is there already; remove it, or name another file"):
        Recorder(small, agent)
    for place in (tmp_path, small / "x.mcap", Path("/proc/nowhere/x.mcap")):
        with pytest.raises(RecordingError, match=r"cannot be written|is there already"):
            Recorder(place, agent)


def test_what_finds_no_room_is_dropped_and_counted(tmp_path: Path) -> None:
    agent, said = load_agent("random", AnyPlant(NOISE)), list[str]()
    with Recorder(tmp_path / "run.mcap", agent, room=1 << 16, say=said.append) as recorder, agent.watched(by=recorder):
        os.kill(recorder.pid, signal.SIGSTOP)
        agent.learn(40)
        os.kill(recorder.pid, signal.SIGCONT)
        time.sleep(0.1)
        agent.learn(3)
    recording = Recording(tmp_path / "run.mcap")
    seqs = [one.seq for one in recording.ticks()]
    assert recorder.offered == 43
    assert recorder.dropped == recording.dropped == 43 - len(seqs) > 30
    assert recorder.first_dropped == recording.first_dropped == next(k for k in range(43) if k not in seqs)
    assert said == [
        f"recording {tmp_path / 'run.mcap'}: {recorder.dropped} of 43 ticks were dropped, the first one was 5"
    ]
    assert recording.complete


def test_a_value_that_is_not_of_its_space_is_dropped_with_a_warning(tmp_path: Path) -> None:
    class Odd(AnyPlant):
        def step(self, action: Any) -> Any:
            observation, *rest = super().step(action)
            return (np.zeros(5) if self.steps == 3 else observation), *rest

    agent = load_agent("random", Odd(spaces.Box(-1, 1, (2,), np.float32)))
    with (
        Recorder(tmp_path / "run.mcap", agent) as recorder,
        agent.watched(by=recorder),
        pytest.warns(UserWarning, match="shape"),
    ):
        agent.learn(6)
    assert recorder.dropped == 1
    assert [one.seq for one in Recording(tmp_path / "run.mcap").ticks()] == [0, 1, 2, 4, 5]


def test_ctrl_c_leaves_the_writer_to_its_owner(tmp_path: Path) -> None:
    """A terminal sends it to all processes of a command."""
    code = (
        "import os, signal, sys, neuroloop\n"
        "agent = neuroloop.load_agent('random', 'CartPole-v1')\n"
        "with neuroloop.Recorder(sys.argv[1], agent) as r, agent.watched(by=r):\n"
        "    agent.learn(50); os.kill(r.pid, signal.SIGINT); os.kill(r.pid, signal.SIGTERM); agent.learn(50)\n"
    )
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run.mcap")], env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Recording(tmp_path / "run.mcap").complete


def test_who_waits_for_a_file_at_the_end_is_told_for_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUIET", 0.1)
    monkeypatch.setattr(writer, "PATIENCE", 0.5)
    agent, said = load_agent("random", "CartPole-v1"), list[str]()
    with Recorder(tmp_path / "run.mcap", agent, say=said.append) as recorder, agent.watched(by=recorder):
        agent.learn(20)
        os.kill(recorder.pid, signal.SIGSTOP)
    assert len(said) == 2
    assert f"run.mcap: waits up to 0 s until all is written, by process {recorder.pid}" in said[0]
    assert "the process that writes it did not end" in said[1]
