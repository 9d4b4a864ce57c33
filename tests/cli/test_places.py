"""Where `neuroloop run` writes: folders of its own, what it replaces, and the commands that it names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neuroloop.agent import Agent
from neuroloop.cli import places
from neuroloop.cli.request import Request, command_after

from .test_run import returns

Cli = Callable[..., Any]


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Stopped:
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr(places, "datetime", Stopped)
    command = ("run", "random", "--env", "CartPole-v1", "--steps", 30, "--json")
    saved = [json.loads(cli(*command).out)["checkpoint"] for _ in range(3)]
    start = "recordings/runs/random-seed0-20260102-030405"
    assert saved == [f"{start}{n}/checkpoint.zip" for n in ("", "-2", "-3")]


def test_many_that_claim_at_once_each_have_their_own(folder: Path) -> None:
    request = Request("a", None, None, (), None, None, None, None, tensorboard=Path("logs"))
    learner = SimpleNamespace(name="a", seed=0)
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: stack.enter_context(places.claimed(request, learner)), range(24)))
        assert len({claim.name for claim in claims}) == 24
        assert all((Path("logs") / claim.name).is_dir() and claim.checkpoint.parent.is_dir() for claim in claims)
    assert not list(folder.rglob("a-seed*")), "what stays empty is removed"


def test_a_run_that_does_not_begin_leaves_no_folder(cli: Cli, folder: Path) -> None:
    Path("there.mcap").write_text("mine")
    for record, says in (("there.mcap", "is there already"), ("", "must name a file such as run.mcap, got nothing")):
        done = cli("run", "random", "--env", "CartPole-v1", "--steps", 30, "--record", record)
        assert (done.code, says in done.err) == (2, True)
        assert not list(folder.glob("recordings/runs/*"))
    assert "must name a file such as run.mcap, got recordings" in cli("run", "cartpole", "--record", "recordings").err


def test_another_runs_checkpoint_is_kept_and_said_before_it_is_replaced(cli: Cli) -> None:
    cli("run", "random", "--env", "CartPole-v1", "--steps", 40, "--save", "a.zip")
    before, report = Path("a.zip").read_bytes(), Path("a.json").read_text()
    done = cli("run", "cartpole", "--steps", 60, "--save", "a.zip")
    assert done.err.startswith("neuroloop: a.zip: overwritten; it held random at step 40, kept as a.zip.before\n")
    assert Path("a.zip.before").read_bytes() == before
    assert Path("a.json.before").read_text() == report
    assert Agent.load("a.zip").progress.steps == 60
    again = shlex.split(done.out.splitlines()[-1].removeprefix("again"))
    assert cli(*again[1:]).code == 0
    assert returns("a.zip.before") == returns("a.zip")
    done = cli("run", "--resume", "a.zip.before", "--steps", 90, "--save", "a.zip")
    assert (done.code, "which --resume names; name another file" in done.err) == (2, True)


def test_what_is_no_checkpoint_is_kept_too_and_a_run_that_does_not_begin_replaces_nothing(cli: Cli) -> None:
    Path("a.zip").write_text("my thesis")
    Path("there.mcap").write_text("mine")
    command = ("run", "random", "--env", "CartPole-v1", "--steps", 40, "--save", "a.zip")
    assert cli(*command, "--record", "there.mcap").code == 2
    assert Path("a.zip").read_text() == "my thesis"
    assert "it held no checkpoint that can be read, kept as a.zip.before" in cli(*command).err
    assert Path("a.zip.before").read_text() == "my thesis"


def test_the_commands_of_a_recorded_run_record_again_under_a_name_that_is_free(cli: Cli) -> None:
    first = cli(
        "run", "random", "--env", "CartPole-v1", "--steps", 40, "--save", "a.zip", "--record", "a.mcap", "--json"
    )
    command = json.loads(first.out)["command"]
    assert command.endswith("--steps 40 --save a.zip --record a-2.mcap")
    assert cli(*shlex.split(command)[1:]).code == 0
    assert Path("a-2.mcap").exists()
    request = Request("random", "CartPole-v1", 0, (), 40, None, None, None, save=Path("a.zip"), record=Path("a.mcap"))
    assert command_after(request, Path("a.zip"), 0, go_on=True) == (
        "go on", "neuroloop run --resume a.zip --steps 40 --save a.zip --record a-3.mcap",
    )  # fmt: skip
