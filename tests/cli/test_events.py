"""`neuroloop events`, and recordings played by `neuroloop run`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop as nl
from neuroloop.types import EVENT

Cli = Callable[..., Any]
AGENT = textwrap.dedent("""
    about = "answers to events"
    [encoder]
    kind = "events"
    cell = [16, 16]
    [population.actor]
    n_per_action = 8
    tau_mem = 0.005
    bias = 2.0
    bias_spread = 0.087
    reset = "decision"
    [projection.policy]
    pre = "encoder"
    post = "actor"
    bounds = [-2.0, 2.0]
    plasticity = { kind = "r-stdp", gain = 0.2, lambda = 0.0, predictive = true }
    [decoder]
    kind = "winner-take-all"
    population = "actor"
    [learner]
    kind = "r-stdp"
    modulates = ["policy"]
    [clock]
    period = 0.01
""")


def write(path: str, n: int = 5000) -> Any:
    rng = np.random.default_rng(0)
    events = np.zeros(n, EVENT)
    events["t_us"] = np.cumsum(rng.integers(0, 100, n))
    events["x"], events["y"], events["p"] = rng.integers(0, 64, n), rng.integers(0, 48, n), rng.integers(0, 2, n)
    nl.write_events(path, events, 64, 48)
    return events


def test_info_says_what_a_file_holds(cli: Cli) -> None:
    events = write("a.raw")
    done = cli("events", "info", "a.raw")
    assert done.code == 0
    assert "a.raw: evt3, 64 × 48 pixels" in done.out
    assert "5000 events" in done.out
    report = json.loads(cli("events", "info", "a.raw", "--json").out)
    assert (report["events"], report["first_us"], report["last_us"]) == (5000, events["t_us"][0], events["t_us"][-1])
    assert (report["on"], report["right"], report["lost"]) == (int(events["p"].sum()), 63, None)


def test_a_damaged_file_makes_the_exit_code_1_and_its_loss_is_told(cli: Cli) -> None:
    write("a.raw")
    Path("a.raw").write_bytes(Path("a.raw").read_bytes()[:-3])
    done = cli("events", "info", "a.raw", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert (report["lost"]["bytes"], report["lost"]["events"]) == (1, 5000 - report["events"])
    done = cli("events", "convert", "a.raw", "b.npy")
    assert done.code == 1
    assert "lost: 1 bytes" in done.out
    assert np.load("b.npy").size in (4998, 4999)


def test_convert_writes_the_same_events(cli: Cli) -> None:
    events = write("a.raw")
    assert cli("events", "convert", "a.raw", "b.raw", "--format", "evt2").code == 0
    assert cli("events", "convert", "b.raw", "c.npy").code == 0
    done = cli("events", "convert", "c.npy", "d.raw", "--size", "64x48", "--json")
    assert json.loads(done.out)["events"] == 5000
    assert np.array_equal(nl.read_events("d.raw"), events)
    assert Path("d.raw").read_bytes() == Path("a.raw").read_bytes()


@pytest.mark.parametrize(("arguments", "says"), [
    (("info", "none.raw"), "none.raw: no such file"),
    (("convert", "a.raw", "b.csv"), "the name of an event file ends in one of"),
    (("convert", "a.raw", "a.raw"), "is the file that is read"),
    (("convert", "c.npy", "b.raw"), "add --size"),
    (("convert", "c.npy", "b.raw", "--size", "64"), "must be WIDTHxHEIGHT"),
    (("convert", "c.npy", "b.raw", "--size", "4096x48"), "at most 2048 pixels"),
])  # fmt: skip
def test_bad_input_is_exit_code_2(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    write("a.raw", 10)
    write("c.npy", 10)
    done = cli("events", *arguments)
    assert done.code == 2
    assert says in done.err
    assert not Path("b.raw").exists()


SLOW = """
import signal, sys, time
from neuroloop.cli import main
from neuroloop.sensors.files.writing import EventWriter
append = EventWriter.append
def wait(self, events):
    append(self, events)
    noting = signal.getsignal(signal.SIGINT)
    print("going", flush=True)
    while signal.getsignal(signal.SIGINT) is noting:  # the first signal puts the handler before back
        time.sleep(0.01)
EventWriter.append = wait
sys.argv = ["neuroloop", "events", "convert", "a.npy", "b.raw", "--size", "64x48"]
main()
"""


def test_ctrl_c_leaves_no_half_file(folder: Path) -> None:
    write("a.npy", 200_000)  # more than a block
    with subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == b"going\n"
            running.send_signal(signal.SIGINT)
            _, err = running.communicate(timeout=120)
        finally:
            running.kill()
    assert running.returncode == 130
    assert err.decode().splitlines()[-1] == "neuroloop: stopped; b.raw is not written"
    assert [path.name for path in folder.iterdir() if "b." in path.name] == []


def test_an_agent_runs_on_a_recording_and_goes_on(cli: Cli, folder: Path) -> None:
    write("a.raw")
    Path("eye.toml").write_text(AGENT)
    done = cli("run", "eye.toml", "--events", "a.raw", "--episodes", 2, "--save", "c.zip", "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["env"].endswith("EventPlayback-v0")
    assert report["episodes"] == 2
    assert "--events a.raw" in done.err
    learner = nl.Agent.load("c.zip")
    n_steps = -(-int(np.ptp(nl.read_events("a.raw")["t_us"]) + 1) // 10_000)  # at the agent's own period
    assert learner.progress.lengths == [n_steps] * 2
    assert learner.env.unwrapped.dt == 0.01  # type: ignore[attr-defined]
    assert learner.env.action_space.n == 2  # type: ignore[attr-defined]
    on = cli("run", "--resume", "c.zip", "--episodes", 3, "--save", "d.zip", "--json")
    assert json.loads(on.out)["episodes"] == 3
    more = cli(
        "run", "eye.toml", "--events", "a.raw", "--episodes", 1, "--set", "plant.arguments.actions=5", "--save", "e.zip"
    )
    assert more.code == 0, more.err
    assert nl.Agent.load("e.zip").env.action_space.n == 5  # type: ignore[attr-defined]


def test_events_and_another_environment_are_refused(cli: Cli) -> None:
    write("a.raw", 10)
    Path("eye.toml").write_text(AGENT)
    write("empty.raw", 0)
    for arguments, says in (
        (("run", "eye.toml", "--events", "empty.raw"), "empty.raw: holds no events; there is nothing to play"),
        (("run", "eye.toml", "--events", "a.raw", "--env", "CartPole-v1"), "leave --env out"),
        (("run", "--resume", "c.zip", "--events", "a.raw"), "leave --set, --env, --events and --seed out"),
        (("run", "eye.toml", "--events", "none.raw"), "none.raw: no such file"),
    ):
        done = cli(*arguments)
        assert done.code == 2
        assert says in done.err
