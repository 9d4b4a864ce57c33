"""`neuroloop watch`, and the taps of `run` and `serve`: what one terminal does, another one sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroloop import load_agent
from neuroloop.cli.watch import plain
from neuroloop.link import keys
from neuroloop.link.telemetry.facts import ByeFacts, EpisodeFacts, RunFacts, TickFacts
from neuroloop.link.telemetry.listening import Listener
from neuroloop.link.telemetry.tap import Tap

ROOT = Path(__file__).parent.parent.parent
Cli = Callable[..., Any]
SLOW = ("default", "--env", "odd_world:Odd-v0", "--set", "warm_up.decisions=5", "--set", "plant.action_repeat=1")


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/tap.ipc"


@pytest.fixture
def watching(place: str) -> Iterator[Any]:
    """Starts `neuroloop watch`, and waits until it waits."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "neuroloop", "watch", place, *words]
        ours = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ours))
        return started[-1]

    def waits(process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        assert "silent for 2 s" in process.stderr.readline()

    yield start, waits
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_is_watched_by_lines_and_by_a_line(cli: Cli, place: str, watching: Any) -> None:
    start, waits = watching
    lines, line = start("--json"), start()
    waits(lines)
    waits(line)
    done = cli("run", *SLOW, "--steps", 3000, "--save", "a.zip", "--tap", place)
    assert done.code == 0
    assert f"tapped at {place}" in done.err
    assert "tap         3000 ticks told" in done.err
    out, err = lines.communicate(timeout=20)
    heard = [json.loads(text) for text in out.splitlines()]
    assert heard[0]["kind"] == "run"
    assert heard[0]["env"] == "odd_world:Odd-v0"
    assert heard[-1] | {"run": 0, "t_ns": 0} == {
        "kind": "bye", "protocol": 1, "run": 0, "seq": 1, "t_ns": 0, "ticks": 3000, "overflows": heard[-1]["overflows"],
    }  # fmt: skip
    ticks = [one for one in heard if one["kind"] == "tick"]
    assert all(len(one["observation"]) == 2 and one["action"] in (0, 1, 2) for one in ticks)
    assert err.splitlines()[-1].startswith(f"over: {len(heard)} messages heard")
    assert lines.returncode == 0
    out, err = line.communicate(timeout=20)
    assert "default on odd_world:Odd-v0" in err
    assert "episode" in out.splitlines()[-1]
    assert "spikes" in out.splitlines()[-1]
    assert line.returncode == 0


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_watching_ends_when_asked(watching: Any, which: int, code: int) -> None:
    start, waits = watching
    process = start()
    waits(process)
    os.kill(process.pid, which)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert err == "stopped: 0 messages heard\n"


def test_watching_gives_up_after_a_silence(cli: Cli, place: str) -> None:
    done = cli("watch", place, "--timeout", 0.1)
    assert done.code == 1
    assert "silent for 0.1 s" in done.err


def test_watching_says_why_it_hears_nothing(cli: Cli, tmp_path: Path) -> None:
    keys.new(tmp_path / "plant")
    keys.new(tmp_path / "friend")
    keys.allow(tmp_path / "plant", str(tmp_path / "friend" / "public.key"), "friend")
    agent = load_agent("random", "CartPole-v1")
    with Tap("tcp://127.0.0.1:*", agent, keys=tmp_path / "plant") as tap:
        done = cli("watch", tap.url, "--timeout", 2.5)
    assert done.code == 1
    first, *_, last = done.err.strip().splitlines()
    assert f"{tap.url}: silent for 2 s; no handshake: it may be locked" in first
    assert f"{tap.url}: silent for 2.5 s; no handshake: it may be locked" in last


def test_a_run_renders_for_those_who_ask_where_its_environment_can(cli: Cli, place: str) -> None:
    pytest.importorskip("pygame")
    done = cli(
        "run", "random", "--env", "CartPole-v1", "--steps", 5, "--save", "a.zip", "--tap", place, "--pictures", 5
    )
    assert done.code == 0, done.err


def test_a_run_that_breaks_off_says_bye(cli: Cli, place: str) -> None:
    heard: list[Any] = []
    with Listener(place, timeout=20.0) as listener:
        reader = threading.Thread(target=lambda: heard.extend(one.facts for one in listener))
        reader.start()
        done = cli(
            "run", *SLOW, "--set", "plant.arguments.what=gap", "--set", "plant.arguments.at=4000", "--steps", 5000,
            "--save", "a.zip", "--tap", place,
        )  # fmt: skip
        reader.join(20)
    assert done.code == 1
    assert isinstance(heard[-1], ByeFacts)
    kinds = {type(facts) for facts in heard}
    assert kinds == {RunFacts, TickFacts, EpisodeFacts, ByeFacts} or kinds == {ByeFacts, RunFacts, TickFacts}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", *SLOW, "--pictures", 5), "--pictures: are published by a tap"),
        (("run", *SLOW, "--tap", "tcp://0.0.0.0:5599"), "tap: tcp://0.0.0.0:5599"),
        (("run", *SLOW, "--tap", "nonsense"), "tap: must be ipc://PATH or tcp://HOST:PORT"),
        (("run", *SLOW, "--tap", "tcp://127.0.0.1:*", "--pictures", -1), "pictures"),
        (("serve", "CartPole-v1", "--bind", "tcp://127.0.0.1:*", "--tap", "tcp://127.0.0.1:*"), "add --realtime"),
        (("run", *SLOW, "--tap", "tcp://127.0.0.1:*", "--pictures", 5), "gives none here; give it a mode"),
        (("watch", "nonsense"), "endpoint: must be ipc://PATH"),
        (("watch", "tcp://127.0.0.1:5599", "--timeout", 0), "--timeout"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(cli: Cli, words: tuple[Any, ...], says: str) -> None:
    began = time.monotonic()
    done = cli(*words)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert time.monotonic() - began < 20.0


def test_values_are_shown_as_json_has_them() -> None:
    import numpy as np

    from neuroloop.types import EVENT

    value = {"a": np.arange(3), 1: (np.float32(0.5), "x", None), "long": np.zeros(65), "events": np.zeros(2, EVENT)}
    assert plain(value) == {"a": [0, 1, 2], "1": [0.5, "x", None], "long": None, "events": None}
