"""`neuroloop run`, killed and resumed: as if nothing had happened, with the options that it had."""

from __future__ import annotations

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

from neuroloop import checkpoint
from neuroloop.agent import Agent
from neuroloop.checkpoint import PATIENCE, read_facts
from neuroloop.cli.request import Request
from neuroloop.cli.resuming import options_of, taken_over
from neuroloop.whole_file import sweep

Cli = Callable[..., Any]
SLOW = ("random", "--env", "odd_world:Odd-v0", "--set", "plant.arguments={at=500,what='sleep'}")


def arrays(path: str) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in checkpoint.read(Path(path)).arrays.items()}


def steps_of(path: str) -> int:
    """Of a checkpoint; 0 where there is none."""
    return int(read_facts(Path(path))[1]["steps"]) if Path(path).exists() else 0


def test_a_run_that_is_killed_goes_on_from_its_last_checkpoint_to_where_it_would_have_come(cli: Cli) -> None:
    start = ("run", "cartpole", "--seed", "5", "--keep-on", "--steps", "5000")
    assert cli(*start, "--save", "straight.zip").code == 0
    command = [sys.executable, "-m", "neuroloop", *start, "--checkpoint-every", "200", "--save", "killed.zip"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not steps_of("killed.zip"):
        time.sleep(0.01)
    running.kill()
    running.wait()
    sweep(Path("killed.zip"), PATIENCE)  # what was being written is written to its end
    steps = steps_of("killed.zip")
    assert 0 < steps < 5000, "it was killed while it ran"
    done = cli("run", "--resume", "killed.zip", "--save", "killed.zip")
    assert done.code == 0
    assert f"goes on from killed.zip: step {steps}, episode " in done.err
    ran = "neuroloop run --resume killed.zip --steps 5000 --checkpoint-every 200 --save killed.zip --keep-on"
    assert f"done by     {ran}" in done.out, "what it began with is overwritten: no command makes it again"
    assert "overwritten" not in done.err
    assert arrays("killed.zip") == arrays("straight.zip")
    assert not list(Path().glob(".killed.zip.*"))


def test_a_checkpoint_is_written_while_a_plant_hangs_and_killing_loses_nothing_before(cli: Cli) -> None:
    command = [sys.executable, "-m", "neuroloop", "run", *SLOW, "--checkpoint-every", "499", "--save", "a.zip"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60.0
        while not steps_of("a.zip"):
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    assert Agent.load("a.zip").progress.steps == 499


def test_no_checkpoint_is_written_before_the_end_where_none_is_wanted(cli: Cli) -> None:
    done = cli("run", "cartpole", "--steps", 400, "--checkpoint-every", 0, "--save", "a.zip", "--json")
    assert json.loads(done.out)["steps"] == 400
    assert checkpoint.read(Path("a.zip")).facts["run"]["checkpoint_every"] == 0


def test_a_limit_that_was_reached_does_not_hold_a_resumed_run(cli: Cli) -> None:
    cli("run", "random", "--env", "CartPole-v1", "--episodes", 1, "--save", "a.zip")
    assert json.loads(cli("run", "--resume", "a.zip", "--steps", 200, "--save", "b.zip", "--json").out)["steps"] == 200
    done = cli("run", "--resume", "b.zip", "--episodes", 20, "--json")
    assert json.loads(done.out)["episodes"] == 20


def test_options_of_the_run_are_taken_over_unless_others_are_given(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 300, "--save", "a.zip")
    asked = Request(None, None, None, (), None, None, None, Path("a.zip"))
    agent = Agent.load("a.zip")
    agent.run_options = options_of(
        asked._replace(
            steps=5000, episodes=70, keep_on=True, connect="ipc:///tmp/x", keys=Path("k"), realtime=False, fifo=True
        )
    )
    agent.save("b.zip")
    asked = asked._replace(resume=Path("b.zip"))
    took = taken_over(asked)
    assert (took.steps, took.episodes, took.keep_on, took.connect, took.realtime, took.fifo) == (
        5000, 70, True, "ipc:///tmp/x", False, True,
    )  # fmt: skip
    assert took.keys == Path("k").absolute()
    other = taken_over(asked._replace(steps=900, keep_on=False, fifo=False))
    assert (other.steps, other.keep_on, other.fifo, other.connect) == (900, False, False, "ipc:///tmp/x")
    elsewhere = taken_over(asked._replace(realtime=True))
    assert (elsewhere.connect, elsewhere.keys, elsewhere.realtime) == (None, None, True)


@pytest.mark.parametrize("run", ["no dictionary", ["steps"], {"steps": "many", "keep_on": 1, "unknown": 3}])
def test_options_that_are_none_are_left_out(run: Any, cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 300, "--save", "a.zip")
    kept = checkpoint.read(Path("a.zip"))
    checkpoint.write(Path("a.zip"), kept._replace(facts=kept.facts | {"run": run}))
    asked = Request(None, None, None, (), None, None, None, Path("a.zip"))
    assert taken_over(asked) == asked
    assert cli("run", "--resume", "a.zip", "--steps", 320).code == 0


def test_a_run_in_real_time_goes_on_in_real_time_and_out_of_it(cli: Cli) -> None:
    start = ("run", "default", "--env", "Pendulum-v1", "--set", "warm_up.decisions=5", "--realtime")
    assert cli(*start, "--steps", 10, "--save", "a.zip").code == 0
    done = cli("run", "--resume", "a.zip", "--steps", 16, "--save", "b.zip", "--json")
    assert json.loads(done.out)["timing"]["ticks"] == 6, "the ten before were brought back at once"
    assert "the unfinished one is brought back by its 5 actions" in done.err
    fast = json.loads(cli("run", "--resume", "b.zip", "--no-realtime", "--steps", 100, "--json").out)
    assert (fast["steps"], fast["timing"]) == (100, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--checkpoint-every", -1), "--checkpoint-every: must be at least 0"),
        (("--resume", "a.zip", "--seed", 1), "keeps its settings, environment and seed"),
        (("--resume", "a.zip", "--steps", 10), "--steps: counts in all, and a.zip holds 60 already"),
        (("--resume", "a.zip", "cartpole"), "holds the agent 'random', not 'cartpole'"),
        (("--resume", "none.zip"), "none.zip: no such file"),
    ],
)
def test_what_cannot_be_resumed_is_refused(arguments: tuple[object, ...], says: str, cli: Cli) -> None:
    cli("run", "random", "--env", "CartPole-v1", "--steps", 60, "--save", "a.zip")
    done = cli("run", *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
