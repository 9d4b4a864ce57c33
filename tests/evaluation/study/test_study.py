"""Many runs through one executor: interrupted, crashed, continued, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuroloop.errors import NeuroloopError
from neuroloop.evaluation.crew import DIED
from neuroloop.evaluation.journal import Journal
from neuroloop.evaluation.runs import run
from neuroloop.evaluation.study import Study

from .conftest import job


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.ended: list[str] = []
        self.said: list[str] = []
        self.most = 0
        self.then: Callable[[], Any] = lambda: None  # what happens when a run ended

    def begin(self, done: int, total: int, weight: float) -> None:
        self.begun.append((done, total))

    def running(self, n: int) -> None:
        self.most = max(self.most, n)

    def finished(self, text: str, weight: float) -> None:
        self.ended.append(text)
        self.then()

    def say(self, text: str) -> None:
        self.said.append(text)

    def end(self) -> None:
        pass


def study(n_workers: int = 1) -> tuple[Study, Notes, Journal]:
    journal, notes = Journal(Path("journal.jsonl"), "bad"), Notes()
    journal.begin({})
    return Study(journal, notes, n_workers), notes, journal


@pytest.fixture(autouse=True)
def importable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_runs_go_longest_first_and_come_back_in_their_own_order() -> None:
    jobs = [job(seed=seed, limit=40, seconds=seconds) for seed, seconds in ((0, 1.0), (1, 3.0), (2, 2.0))]
    runs, notes, journal = study()
    rows = runs.rows(jobs)
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert [text.split(":")[0] for text in notes.ended] == [f"bad random seed {seed}" for seed in (1, 2, 0)]
    assert notes.most == 1
    again, notes, _ = study()
    assert again.rows(jobs) == [journal.rows[wanted.key] for wanted in jobs]
    assert (notes.begun, notes.ended) == ([(3, 3)], [])
    more, notes, _ = study()
    more.rows([*jobs, job(seed=3, limit=40)])
    assert (notes.begun, len(notes.ended)) == ([(3, 4)], 1)


def test_an_error_is_a_row_and_the_others_go_on() -> None:
    runs, notes, _ = study()
    bad = job("random", "plant.arguments.what=raise", seed=1)
    rows = runs.rows([bad, job(seed=2, limit=40)])
    assert "the motor is on fire" in rows[0]["error"]
    assert rows[1]["error"] is None
    assert "FAILED: RuntimeError: the motor is on fire" in notes.ended[0]


def test_a_process_that_dies_takes_its_run_down_only_if_it_does_so_twice(folder: Path) -> None:
    deadly = job("random", "plant.arguments.what=die", seed=1, seconds=9.0)
    jobs = [deadly, *(job(seed=seed, limit=40) for seed in (2, 3, 4))]
    runs, notes, _ = study(n_workers=2)
    rows = runs.rows(jobs)
    assert rows[0]["error"] == DIED
    assert [row["error"] for row in rows[1:]] == [None] * 3
    assert "bad random seed 1: a process died while it ran; it runs again, alone" in notes.said


def test_a_process_that_dies_once_is_forgiven() -> None:
    runs, notes, _ = study()
    rows = runs.rows([job("random", "plant.arguments.what=die once", limit=100)])
    assert rows[0]["error"] is None
    assert len(notes.said) == 1


def test_a_cluster_that_loses_a_worker_ends_with_the_same_figures(dask: Any) -> None:
    pytest.importorskip("distributed")
    jobs = [job("cartpole", env="CartPole-v1", seed=seed, limit=30_000) for seed in range(6)]
    dask.start_worker("one")
    dask.start_worker("two")
    _, notes, journal = study()
    notes.then = dask.workers["one"].kill
    rows = Study(journal, notes, cluster=dask.address).rows(jobs)
    assert dask.workers["one"].wait() != 0
    assert notes.most == 2
    assert [row | {"us_per_step": 0.0} for row in rows] == [run(wanted) | {"us_per_step": 0.0} for wanted in jobs]


def test_a_cluster_that_is_gone_ends_the_study_which_keeps_what_is_there(dask: Any) -> None:
    pytest.importorskip("distributed")
    dask.start_worker("one")
    _, notes, journal = study()
    notes.then = dask.stop
    with pytest.raises(NeuroloopError, match="the cluster's scheduler is gone; the same command goes on"):
        Study(journal, notes, cluster=dask.address).rows([job(seed=seed, limit=20_000) for seed in range(4)])
    assert len(journal.rows) == 1
