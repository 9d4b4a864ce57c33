"""The plant fails, a signal comes, the disk is full: the checkpoint is written first, and the error says what happened."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from neuroloop import checkpoint
from neuroloop.agent import Agent

Cli = Callable[..., Any]


class Done(NamedTuple):
    """What a process left behind."""

    code: int
    out: str
    err: str


ODD = ("default", "--env", "odd_world:Odd-v0", "--set", "warm_up.decisions=5", "--set", "plant.action_repeat=1")


def odd(what: str, at: int) -> tuple[str, ...]:
    return (*ODD, "--set", f"plant.arguments.what={what}", "--set", f"plant.arguments.at={at}")


@pytest.mark.parametrize(
    ("what", "says", "steps"),
    [
        ("gap", "observation[1] is nan; observations must be finite", 33),
        ("shape", "the observation has shape (5,), expected (2,)", 33),
        ("reward", "the reward is inf; rewards must be finite", 32),
    ],
)
def test_what_is_not_finite_or_does_not_fit_ends_the_run_with_a_checkpoint(
    cli: Cli, what: str, says: str, steps: int
) -> None:
    done = cli("run", *odd(what, 33), "--steps", 200, "--save", "a.zip")
    assert done.code == 1
    assert done.out == ""
    message = done.err.splitlines()[-1]
    assert message.startswith(f"neuroloop: odd_world:Odd-v0, episode 1, environment step 13: {says}")
    assert says in message
    assert "saved in a.zip" in message
    facts = checkpoint.read(Path("a.zip")).facts
    assert facts["steps"] == steps


def test_an_environment_that_raises_ends_the_run_with_a_checkpoint_and_its_own_error(folder: Path) -> None:
    command = [sys.executable, "-m", "neuroloop", "run", *odd("raise", 33), "--steps", "200", "--save", "a.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "saved in a.zip" in done.stderr
    assert done.stderr.endswith("RuntimeError: the motor is on fire\n")
    assert checkpoint.read(Path("a.zip")).facts["steps"] == 32


# Signals, to a process of its own.


class Terminal:
    """A command whose stderr is a terminal."""

    def __init__(self, *arguments: object) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "neuroloop", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            self.shown += os.read(self._ours, 4096).decode(errors="replace")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def finish(self) -> Done:
        try:
            out = self.process.communicate(timeout=300)[0].decode()
        finally:
            self.process.kill()  # if it still runs
        try:
            while more := os.read(self._ours, 4096):
                self.shown += more.decode(errors="replace")
        except OSError:  # what Linux says at the end of a terminal
            pass
        os.close(self._ours)
        return Done(self.process.returncode, out, self.shown)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_with_a_report_and_a_checkpoint_that_goes_on(number: int, code: int, cli: Cli) -> None:
    terminal = Terminal("run", "cartpole", "--steps", 10**8, "--keep-on", "--seed", 6, "--json", "--save", "a.zip")
    terminal.wait_for("mean of 100")
    time.sleep(0.3)
    terminal.send(number)
    done = terminal.finish()
    assert done.code == code
    report = json.loads(done.out)
    assert "stopped by you" in done.err
    assert "Traceback" not in done.err
    assert report["interrupted"] is True
    assert Agent.load("a.zip").progress.steps == report["steps"]
    assert report["command"] == f"neuroloop run --resume a.zip --steps {10**8} --save a.zip --keep-on"
    assert f"go on       {report['command']}" in done.err
    steps = report["steps"] + 500
    words = shlex.split(report["command"].replace(str(10**8), str(steps)))
    cli(*words[1:], "--save", "on.zip")
    cli("run", "cartpole", "--steps", steps, "--keep-on", "--seed", 6, "--save", "whole.zip")
    assert Agent.load("on.zip").progress.returns == Agent.load("whole.zip").progress.returns


def test_ctrl_c_of_an_evaluation_ends_it_with_the_episodes_so_far() -> None:
    terminal = Terminal("eval", "random", "--env", "CartPole-v1", "--episodes", 10**6, "--json")
    terminal.wait_for("of 1000000  mean return")
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    report = json.loads(done.out)
    assert report["interrupted"] is True
    assert 0 < report["episodes"] < 10**6
    assert 8 < report["min_return"] <= report["mean_return"] <= report["max_return"]
    assert "Traceback" not in done.err


def test_ctrl_c_before_an_episode_ended_says_so() -> None:
    terminal = Terminal("eval", *ODD, "--set", "plant.arguments.endless=true", "--longest", 10**9)
    terminal.wait_for("episode   0 of 20")
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    assert done.out.startswith("stopped by you\n")
    assert done.out.endswith("0 episodes:\nno episode ended\n")


def test_an_evaluation_whose_episodes_never_end_says_so(cli: Cli) -> None:
    done = cli("eval", *ODD, "--set", "plant.arguments.endless=true", "--longest", 300)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "neuroloop: odd_world:Odd-v0: evaluation episode 0 did not end within 300 environment steps; "
    )
    assert "TimeLimit" in done.err
    assert done.err.count("\n") == 1


def test_a_second_ctrl_c_stops_at_once_even_where_the_plant_hangs() -> None:
    terminal = Terminal("run", *odd("sleep", 33), "--steps", 10**6, "--save", "a.zip")
    terminal.wait_for("sleeping")
    time.sleep(0.2)
    terminal.send(signal.SIGINT)
    time.sleep(0.3)
    assert terminal.process.poll() is None
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    assert "stopped at once; everything up to there is saved in a.zip" in done.err
    assert "Traceback" not in done.err
    assert checkpoint.read(Path("a.zip")).facts["steps"] == 32


def test_ctrl_c_before_the_run_began_leaves_nothing_behind(folder: Path) -> None:
    terminal = Terminal("run", *ODD, "--set", "plant.arguments.doze=60.0", "--save", "a.zip")
    terminal.wait_for("dozing")
    time.sleep(0.2)
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    assert "neuroloop: interrupted" in done.err
    assert "Traceback" not in done.err
    assert not (folder / "a.zip").exists()


def test_a_disk_that_fills_up_leaves_the_report_and_exit_1(folder: Path) -> None:
    code = textwrap.dedent("""
        import resource, sys
        from neuroloop.cli import main
        from neuroloop import agent
        before = agent.Agent.learn
        def learn(*arguments, **options):
            before(*arguments, **options)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        agent.Agent.learn = learn  # the disk fills up while it learns
        main()
    """)
    command = [sys.executable, "-c", code, "run", "cartpole", "--steps", "300", "--save", "a.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not solved" in done.stdout
    assert "a.zip: cannot be written: File too large; what lies there is of step 0" in done.stderr
    assert list(folder.glob("*a.zip*")) == [folder / "a.zip"]
    command += ["--checkpoint-every", "200"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a.zip: cannot be written: File too large; what lies there is of step 200" in done.stderr
    assert "checkpoint  a.zip, of step 200\n" in done.stdout
