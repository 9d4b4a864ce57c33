"""`neuroloop view` and `run --view`: what is refused before anything begins, and how."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from neuroloop import Recorder, load_agent
from neuroloop.view.window import window

Cli = Callable[..., Any]
INSTALLED = pytest.mark.skipif(find_spec("rerun") is None, reason="the live view needs rerun-sdk")


def test_without_rerun_a_run_does_not_begin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "find_spec", lambda name: None)
    for words in (("run", "cartpole", "--view", "--steps", 100), ("view", "run.mcap")):
        done = cli(*words)
        assert done.code == 2
        assert done.err == 'neuroloop: the live view needs the "view" extra: pip install "neuroloop[view]"\n'
    assert not Path("recordings").exists()


def test_web_says_where_a_view_goes(cli: Cli) -> None:
    done = cli("run", "cartpole", "--web", "--steps", 100)
    assert done.code == 2
    assert "--web: is where the run is shown; add --view" in done.err


def test_pictures_need_somebody_to_show_them_to(cli: Cli) -> None:
    done = cli("run", "cartpole", "--pictures", 2, "--steps", 100)
    assert done.code == 2
    assert "add --tap ENDPOINT or --view" in done.err


@INSTALLED
def test_what_is_neither_a_file_nor_an_endpoint_is_refused(cli: Cli) -> None:
    done = cli("view", "nothing.mcap", "--web")
    assert done.code == 2
    assert "nothing.mcap: no such file, and no endpoint such as ipc:///tmp/tap.ipc either" in done.err


@INSTALLED
def test_what_is_no_recording_is_refused_before_a_window_opens(cli: Cli) -> None:
    Path("text.mcap").write_text("hello")
    done = cli("view", "text.mcap", "--web")
    assert done.code == 2
    assert done.err == "neuroloop: text.mcap: is not an MCAP file\n"
    assert done.out == ""


def test_a_recording_of_nothing_is_said_before_a_window_opens(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "find_spec", lambda name: name)  # it comes to no window
    with Recorder("empty.mcap", load_agent("random", "CartPole-v1")):
        pass
    done = cli("view", "empty.mcap", "--web")
    assert (done.code, done.out) == (2, "")
    assert done.err == "neuroloop: empty.mcap: holds no control step, so there is nothing to show\n"


@INSTALLED
def test_a_port_that_is_taken_is_refused(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("view", "ipc:///tmp/nobody-is-there.ipc", "--web", "--port", taken.getsockname()[1])
    assert done.code == 2
    assert "cannot be used: Address already in use" in done.err
