"""The file of the final name is whole, or the one from before."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from neuroloop import load_agent
from neuroloop.errors import CheckpointError

SEED = 11
Members = dict[str, bytes]


def test_saving_makes_the_folders_that_are_missing(tmp_path: Path) -> None:
    assert load_agent("cartpole", seed=5).save(tmp_path / "a" / "b" / "c.zip").is_file()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"cannot be written: (Not a directory|File exists)"):
        load_agent("cartpole", seed=5).save(tmp_path / "file" / "a.zip")


def test_what_is_no_file_is_not_written_over(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.zip"
    os.mkfifo(pipe)
    folder = tmp_path / "folder.zip"
    folder.mkdir()
    with pytest.raises(CheckpointError, match="is not a file"):
        load_agent("cartpole", seed=5).save(pipe)
    with pytest.raises(CheckpointError, match="is not a file"):
        load_agent("cartpole", seed=5).save(folder)
    assert pipe.is_fifo()


def test_a_full_disk_leaves_the_old_file_whole_and_no_rubbish(tmp_path: Path) -> None:
    agent = load_agent("cartpole", seed=5)
    agent.learn(200)
    path = agent.save(tmp_path / "a.zip")
    before = path.read_bytes()
    agent.learn(200)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(CheckpointError, match="cannot be written: File too large"):
            agent.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_killed_while_it_saves_leaves_a_whole_file(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import os, signal, sys, time
        from pathlib import Path
        import numpy as np
        import neuroloop
        from neuroloop import checkpoint
        agent, path = neuroloop.load_agent("cartpole", seed=1), Path(sys.argv[1])
        agent.learn(1_000)
        agent.save(path)
        random, midway = np.random.default_rng(2), 0
        for _ in range(25):
            child = os.fork()
            if child == 0:
                while True:
                    agent.save(path)
            time.sleep(random.uniform(0.0, 0.08))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert checkpoint.read(path).facts["steps"] == 1_000
            rubbish = list(path.parent.glob(".a.zip.*"))
            midway += bool(rubbish)
            for file in rubbish:
                file.unlink()
        print(midway)
    """)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.zip")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5, "most kills should have met a save midway"
