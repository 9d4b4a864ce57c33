"""Local processes: the same figures as here, one thread each, and none is left behind."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuroloop.errors import BadInput, MissingExtra
from neuroloop.evaluation.learning_run import LearningRun, Row, learn
from neuroloop.evaluation.workers import at_once, workers

Runs = Callable[[int, int], list[LearningRun]]


def figures(row: Row) -> Row:
    """What must not depend on where it was run."""
    return {key: value for key, value in row.items() if key != "cpu_s"}


def test_processes_give_the_same_figures_as_this_one(runs: Runs) -> None:
    here = [figures(learn(run)) for run in runs(2, 2000)]
    with workers(2) as executor:
        there = [figures(row) for row in executor.map(learn, runs(2, 2000))]
    assert there == here
    assert here[0] != here[1] | {"seed": 0}


def test_a_process_computes_in_one_thread_and_leaves_ctrl_c_to_its_parent() -> None:
    with workers(1) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        own = executor.submit(os.getpid).result()
        assert own != os.getpid()
        os.kill(own, 2)
        assert executor.submit(os.getpid).result() == own


def test_a_block_that_fails_does_not_wait_for_what_runs() -> None:
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), workers(1) as executor:  # noqa: PT012
        pid = executor.submit(os.getpid).result()
        executor.submit(time.sleep, 600)
        executor.submit(time.sleep, 600)
        raise ZeroDivisionError
    assert time.monotonic() - started < 60
    assert ended(pid)


def test_no_process_outlives_its_killed_owner(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, time
        from neuroloop.evaluation.workers import workers
        if __name__ == "__main__":
            with workers(1) as executor:
                print(executor.submit(os.getpid).result(), flush=True)
                executor.submit(time.sleep, 600).result()
    """)
    (tmp_path / "owner.py").write_text(program)
    owner = subprocess.Popen([sys.executable, "owner.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    worker = int(owner.stdout.readline())
    assert not ended(worker, within=0.0)
    owner.kill()
    owner.wait()
    assert ended(worker)


def ended(pid: int, within: float = 30.0) -> bool:
    """Whether a process is gone, or only waits to be counted by its parent."""
    until = time.monotonic() + within
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.05)


def test_what_fails_in_a_run_is_in_its_row(runs: Runs) -> None:
    broken = runs(1, 100)[0]._replace(seed=-1)
    with workers(1) as executor:
        row: dict[str, Any] = executor.submit(learn, broken).result()
    assert row["error"] == "BadInput: seed: must be from 0 to 2**53 - 1, got -1"


@pytest.mark.parametrize("jobs", [0, -3])
def test_no_workers_at_all_are_refused(jobs: int) -> None:
    with pytest.raises(BadInput, match=f"jobs: must be at least 1, got {jobs}"), workers(jobs):
        pass


def test_a_missing_extra_says_how_to_install_it_and_survives_the_way_from_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra) as caught, workers(1, "tcp://127.0.0.1:8786"):
        pass
    assert str(caught.value) == '--cluster needs the "cluster" extra: pip install "neuroloop[cluster]"'
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_local_processes_are_as_busy_as_asked_for() -> None:
    with workers(3) as executor:
        assert (at_once(executor, 3), at_once(executor, None)) == (3, 1)
