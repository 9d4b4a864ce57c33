"""`neuroloop bench`: measured, interrupted, killed, continued."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neuroloop
from neuroloop.cli.bench import SPEED
from neuroloop.evaluation.figures import Figure, Suite
from neuroloop.evaluation.suites import sensors

Cli = Callable[..., Any]

SUITE = """
[task.pole]
env = "CartPole-v1"
criterion = 23.0
limit = 40_000

[task.hard]
env = "CartPole-v1"
limit = 10_000
"""
JOURNAL = Path("recordings/runs/bench-mine/journal.jsonl")
ROOT = Path(neuroloop.__file__).parent.parent
OURS = [str(ROOT / folder) for folder in (".", "envs", "agents")]  # the code under test, whatever is installed
TIMED = ("us_per_step",)


@pytest.fixture(autouse=True)
def mine(folder: Path) -> None:
    (folder / "mine.toml").write_text(SUITE)


def untimed(report: dict[str, Any]) -> dict[str, Any]:
    """What a study measured, without what differs from one time to the next."""
    figures = {name: figure for name, figure in report["figures"].items() if not name.endswith(TIMED)}
    return {"figures": figures, "runs": [{k: v for k, v in run.items() if k not in TIMED} for run in report["runs"]]}


class Bench:
    """A bench in a process of its own."""

    def __init__(self, *arguments: object, folder: Path | None = None) -> None:
        command = [sys.executable, "-m", "neuroloop", "bench", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *OURS])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.journal = (folder or Path.cwd()) / JOURNAL

    def wait_for_runs(self, n: int) -> None:
        while n_runs(self.journal) < n:
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.02)

    def processes(self) -> list[int]:
        """Itself and what it started that still lives."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.process.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    def wait_until_gone(self) -> None:
        """Workers end by themselves, nothing is left behind."""
        deadline = time.monotonic() + 120  # a busy machine
        while self.processes():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def finish(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=600)
        return self.process.returncode, out, err


def n_runs(journal: Path) -> int:
    return journal.read_text().count('{"key"') if journal.exists() else 0


def test_bench_measures_and_writes_a_page(cli: Cli) -> None:
    done = cli("bench", "mine.toml", "--quick", "--seeds", 1, "--task", "pole", "--json", "--write", "pages/mine.md")
    assert done.code == 0
    assert done.out.count("\n") == 1
    report = json.loads(done.out)
    assert report["suite"] == "mine"
    assert report["figures"]["pole_solved_fraction"]["value"] == 1.0
    assert [run["seed"] for run in report["runs"]] == [8000]
    page = Path("pages/mine.md").read_text()
    assert "| pole_steps_median |" in page
    assert "neuroloop bench mine.toml --quick --seeds 1" in page
    assert Path("pages/mine.png").exists()
    assert "pole default seed 8000: solved at" in done.err


def test_bench_measures_sensors(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "frames_per_s", lambda case, quick: ([5e4, 6e4], 3.0))
    monkeypatch.setattr(sensors, "events_per_s", lambda quick: [5e7])
    done = cli("bench", "sensors", "--quick", "--json", "--write", "sensors.md")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["suite"] == "sensors"
    assert report["figures"]["dvs_128_sparse_fps"]["value"] == 6e4
    assert report["figures"]["dvs_timestamp_error_us"]["met"]
    assert "| dvs_128_sparse_fps | neuroloop |" in Path("sensors.md").read_text()


@pytest.mark.parametrize("suite", SPEED)
def test_bench_hands_every_suite_of_speed_what_it_takes(cli: Cli, monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    module = importlib.import_module(f"neuroloop.evaluation.suites.{suite}")
    takes = inspect.signature(module.run)

    def run(*arguments: object) -> Suite:
        handed = takes.bind(*arguments).arguments
        assert (handed["quick"], handed.get("peers", True)) == (True, True)
        handed["report"]("measured")
        return Suite(suite, [Figure("waiting_us", 3.0, "us", 1, 4.0)], [{"what": "load", "value": 0.5}])

    monkeypatch.setattr(module, "run", run)
    done = cli("bench", suite, "--quick", "--peers", "--json")
    assert (done.code, json.loads(done.out)["figures"]["waiting_us"]["met"]) == (0, True)
    assert "measured" in done.err


ALL = ("mine.toml", "--quick", "--agent", "default", "--agent", "cartpole", "--json")  # 10 runs


def test_a_bench_killed_at_once_goes_on_where_it_was_and_ends_with_the_same_figures(tmp_path: Path) -> None:
    straight = tmp_path / "straight"
    straight.mkdir()
    (straight / "mine.toml").write_text(SUITE)
    code, expected, _ = Bench(*ALL, "--jobs", 2, folder=straight).finish()
    assert code == 0

    killed = Bench(*ALL, "--jobs", 2)
    killed.wait_for_runs(3)
    workers = set(killed.processes()) - {killed.process.pid}
    assert workers
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()
    there = n_runs(JOURNAL)
    assert 3 <= there < 10
    killed.wait_until_gone()
    with JOURNAL.open("ab") as file:
        file.write(b'{"key": "cut short')

    code, out, err = Bench(*ALL).finish()
    assert code == 0
    assert f"{there} of 10 runs are there already" in err
    assert "1 lines were cut short" in err
    assert n_runs(JOURNAL) == 10 + 1  # with the one that was cut short
    assert untimed(json.loads(out)) == untimed(json.loads(expected))


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(whole_group: bool) -> None:
    arguments = ("mine.toml", "--agent", "cartpole", "--seeds", 8, "--task", "hard", "--jobs", 2)
    bench = Bench(*arguments)
    bench.wait_for_runs(1)
    (os.killpg if whole_group else os.kill)(bench.process.pid, signal.SIGINT)
    code, out, err = bench.finish()
    assert (code, out) == (130, "")
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    bench.wait_until_gone()
    there = n_runs(JOURNAL)
    assert 1 <= there < 9
    code, _, err = Bench(*arguments).finish()
    assert code == 0
    assert f"{there} of 9 runs are there already" in err
    assert n_runs(JOURNAL) == 9


def test_more_seeds_later_use_what_is_there_and_fresh_begins_anew(cli: Cli) -> None:
    few = cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 1)
    assert "runs are there already" not in few.err
    more = cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 2)
    assert "2 of 3 runs are there already" in more.err
    same = cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 2)
    assert "3 of 3 runs are there already" in same.err
    assert same.out == more.out
    fresh = cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 1, "--fresh")
    assert "what was finished before lies in recordings/runs/bench-mine/journal-until-" in fresh.err
    assert "already" not in fresh.err


@pytest.mark.parametrize(("words", "n"), [((), 5), (("--quick",), 2), (("--quick", "--seeds", 3), 3)])
def test_quick_has_fewer_seeds_unless_the_user_says_how_many(cli: Cli, words: tuple[object, ...], n: int) -> None:
    done = cli("bench", "mine.toml", "--task", "hard", "--agent", "random", "--json", *words)
    assert [run["seed"] for run in json.loads(done.out)["runs"]] == [*range(8000, 8000 + n)]


def test_runs_of_other_settings_are_kept_apart(cli: Cli, folder: Path) -> None:
    cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 1)
    (folder / "mine.toml").write_text(SUITE.replace("23.0", "22.0"))
    done = cli("bench", "mine.toml", "--quick", "--task", "pole", "--seeds", 1)
    assert "2 runs were made with other settings, versions or code: they are made anew" in done.err
    assert n_runs(JOURNAL) == 4


def test_an_agent_whose_runs_all_failed_is_exit_1_after_all_was_reported(cli: Cli, folder: Path) -> None:
    (folder / "mine.toml").write_text(
        '[task.odd]\nenv = "odd_world:Odd-v0"\ncriterion = 99.0\narguments = { what = "raise", at = 300 }\nlimit = 4000\n'
    )
    done = cli("bench", "mine.toml", "--seeds", 1, "--json", "--write", "mine.md")
    assert done.code == 1
    report = json.loads(done.out)
    assert done.err.splitlines()[-1].startswith(
        "neuroloop: every run failed of odd default: RuntimeError: the motor is"
    )
    assert report["figures"]["odd_solved_fraction"]["value"] == 0.0
    assert "RuntimeError: the motor is on fire" in report["runs"][0]["error"]
    assert "odd default seed 8000: FAILED: RuntimeError: the motor is on fire" in done.err
    assert "the motor is on fire" in Path("mine.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("clasic",), "unknown suite 'clasic': did you mean 'classic'?"),
        (("none.toml",), "none.toml: cannot be read: No such file or directory"),
        (("classic", "--task", "cartpol"), "did you mean 'cartpole'?"),
        (("classic", "--agent", "defualt"), "did you mean 'default'?"),
        (("classic", "--task", "acrobot", "--agent", "cartpole"), "task 'acrobot', agent 'cartpole': encoder.normalise"),
        (("mine.toml", "--write", "odd_world.py/a.md"), "odd_world.py/a.md: cannot be written"),
    ],
)  # fmt: skip
def test_bench_refuses_what_it_does_not_know(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    done = cli("bench", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert says in done.err
    assert not JOURNAL.exists()


@pytest.mark.parametrize("arguments", [("--seeds", 0), ("--jobs", 0), ("--first-seed", -1), ("--baseline", "sb4")])
def test_bench_refuses_numbers_and_words_out_of_range(cli: Cli, arguments: tuple[object, ...]) -> None:
    done = cli("bench", "mine.toml", *arguments)
    assert (done.code, done.out) == (2, "")


def test_a_journal_of_something_else_is_not_overwritten(cli: Cli) -> None:
    JOURNAL.parent.mkdir(parents=True)
    JOURNAL.write_text("dear diary\n")
    done = cli("bench", "mine.toml", "--quick")
    assert done.code == 2
    assert "is not a journal of ours; move it away" in done.err
    assert JOURNAL.read_text() == "dear diary\n"
