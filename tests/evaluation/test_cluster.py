"""A Dask cluster as an executor: killed workers, workers that do not fit, addresses that are wrong."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, as_completed
from pathlib import Path
from typing import Any

import distributed
import pytest

from neuroloop.errors import BadInput
from neuroloop.evaluation import cluster
from neuroloop.evaluation.learning_run import LearningRun, Row, learn
from neuroloop.evaluation.workers import at_once, workers

ROOT = Path(__file__).parent.parent.parent


def figures(row: Row) -> Row:
    """What must not depend on where it was run."""
    return {key: value for key, value in row.items() if key != "cpu_s"}


def test_a_study_completes_with_the_same_figures_when_a_worker_is_killed_in_the_middle(
    dask: Any, runs: Callable[[int, int], list[LearningRun]]
) -> None:
    jobs = runs(6, 10_000)
    here = [figures(learn(run)) for run in jobs]
    dask.start_worker("a")
    dask.start_worker("b")
    with workers(1, dask.address) as executor:
        assert (at_once(executor, None), at_once(executor, 1)) == (2, 1)
        futures = [executor.submit(learn, run) for run in jobs]
        next(as_completed(futures))
        with distributed.Client(dask.address, set_as_default=False) as looking:
            names = {address: worker["name"] for address, worker in looking.scheduler_info()["workers"].items()}
            busy = {names[address] for address, tasks in looking.processing().items() if tasks}
        assert "b" in busy
        dask.workers["b"].kill()  # SIGKILL
        there = [figures(future.result()) for future in futures]
        assert at_once(executor, None) == 1
    assert there == here
    assert dask.names() == ["a"]


def test_a_sweep_on_a_cluster_finds_what_it_finds_here(dask: Any, tmp_path: Path) -> None:
    study = """
        agent = "random"
        trials = 5
        sampler = "random"
        objective.kind = "area"
        env.CartPole-v1.steps = 500
        search.plant.action_repeat = { low = 1, high = 9 }
    """
    dask.start_worker("a")
    dask.start_worker("b")
    best = []
    for name, options in (("here", ()), ("there", ("--cluster", dask.address))):
        (tmp_path / f"{name}.toml").write_text(study)
        command = [sys.executable, "-m", "neuroloop", "sweep", f"{name}.toml", "--json", *options]
        done = subprocess.run(
            command, cwd=tmp_path, env=dask.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        best.append([(trial["trial"], trial["value"]) for trial in json.loads(done.stdout)["best"]])
    assert best[0] == best[1]
    assert len(best[0]) == 5


def test_workers_with_other_code_or_with_threads_are_refused_by_name(dask: Any, tmp_path: Path) -> None:
    for package in ("neuroloop", "envs", "agents"):
        shutil.copytree(ROOT / package, tmp_path / "old" / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "old/neuroloop/rows.py").open("a") as source:
        source.write("\n# what somebody changed\n")
    dask.start_worker("fits")
    dask.start_worker("old", source=tmp_path / "old")
    dask.start_worker("threads", "--nthreads", "2")
    with pytest.raises(BadInput) as caught, workers(1, dask.address):
        pass
    first, *misfits = str(caught.value).splitlines()
    assert first == f"--cluster {dask.address}: workers do not fit:"
    said = sorted(line.partition(" (name ")[2] for line in misfits)
    assert len(said) == 2
    assert said[0].startswith("old): has sources ")
    assert said[0].endswith(f"(here {cluster.facts()['sources']}); install the same versions")
    assert said[1] == "threads): runs 2 jobs in one process; start it with --nthreads 1 and more --nworkers"


def test_a_worker_that_joins_later_is_checked_too(dask: Any) -> None:
    dask.start_worker("fits")
    with pytest.raises(BadInput, match="runs 2 jobs in one process"), workers(1, dask.address) as executor:  # noqa: PT012
        dask.start_worker("threads", "--nthreads", "2")
        for future in [executor.submit(time.sleep, 0.2) for _ in range(9)]:
            future.result()


def test_jobs_of_a_scheduler_that_is_lost_end_at_once(dask: Any) -> None:
    dask.start_worker("a")
    with pytest.raises(CancelledError), workers(1, dask.address) as executor:  # noqa: PT012
        future = executor.submit(time.sleep, 600)
        dask.scheduler.kill()
        future.result(timeout=30)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "here",
        "127.0.0.1:8786",
        "http://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://:8786",
        "tcp://h:99999",
        "tcp://h:1\n",
    ],
)
def test_an_address_of_wrong_form_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match=r"expected tcp://HOST:PORT or tls://HOST:PORT"), workers(1, address):
        pass


def test_where_nothing_listens_the_address_is_refused_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port, started = probe.getsockname()[1], time.monotonic()
        refused = pytest.raises(
            BadInput, match=rf"127.0.0.1:{port}: cannot be reached: Connection refused; is `dask sch"
        )
        with refused, workers(1, f"tcp://127.0.0.1:{port}"):
            pass
    assert time.monotonic() - started < cluster.ANSWER


def test_a_host_that_does_not_exist_is_named() -> None:
    with (
        pytest.raises(BadInput, match=r"tcp://nowhere\.invalid:8786: cannot be reached"),
        workers(1, "tcp://nowhere.invalid:8786"),
    ):
        pass


def test_what_is_no_scheduler_is_found_out_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(BadInput, match="does not answer as a Dask scheduler: silence"), workers(1, address):
            pass


def test_a_worker_in_place_of_its_scheduler_is_named(dask: Any) -> None:
    dask.start_worker("a")
    with distributed.Client(dask.address, set_as_default=False) as looking:
        (address,) = looking.scheduler_info()["workers"]
    with (
        pytest.raises(BadInput, match=r"does not answer as a Dask scheduler|is a Worker, not a s"),
        workers(1, address),
    ):
        pass


def test_a_scheduler_without_workers_is_not_waited_for_forever(dask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "FIRST_WORKER", 0.5)
    with (
        pytest.raises(BadInput, match=r"has no workers after 0\.5 s; start some with `dask worker tcp://"),
        workers(1, dask.address),
    ):
        pass


def test_encryption_without_certificates_says_where_to_read_on(dask: Any) -> None:
    with pytest.raises(BadInput, match=r"TLS .* see docs/clusters\.md"), workers(1, dask.address.replace("tcp", "tls")):
        pass
