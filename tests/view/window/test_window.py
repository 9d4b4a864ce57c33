"""The live view, opened and looked at: needs Rerun; the page itself also a browser."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop.agent import load_agent
from neuroloop.errors import BadInput, MissingExtra
from neuroloop.view.window import window as windows
from neuroloop.view.window.beside import viewed
from neuroloop.view.window.served_page import Page
from neuroloop.view.window.window import Window, free_port, has_screen

pytest.importorskip("rerun", reason="the live view needs rerun-sdk")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SETTLED = 60.0  # s that a page may take where the machine is busy and draws by software
COLOURS = 24  # of a picture with plots, spikes and weights there are hundreds; of a blank page or the welcome page few


def children(pid: int) -> list[int]:
    """Processes that a process started, and those that they started."""
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [deeper for one in found for deeper in children(one)]


def listening(pid: int) -> set[str]:
    """Addresses that a process listens at, as /proc writes them: IPv4 little-endian hexadecimal."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").rstrip("]"))
        except OSError:
            continue
    rows = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


def colours_of(png: bytes) -> tuple[int, Any]:
    """How many colours a picture has that cover 20 pixels or more, and its pixels."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    flat = pixels.reshape(-1, 3).astype(np.int64) @ np.array([65536, 256, 1])
    return int((np.unique(flat, return_counts=True)[1] >= 20).sum()), pixels


@ON_LINUX
def test_only_this_machine_can_see_it_and_nobody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with Window(web=True) as window:
        places = listening(window._process.pid)
        own = listening(os.getpid())
        assert window.open
    assert places == {"0100007F"}
    assert own <= {"0100007F"}
    assert [path for path in tmp_path.rglob("*") if "analytics" in path.name] == []


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=rf"--port: {port} cannot be used: Address already in use"):
            Window(web=True, port=port)


def test_pages_of_others_cannot_reach_it() -> None:
    page = Page(0, free_port(), free_port())
    try:
        with socket.create_connection(("127.0.0.1", page.port)) as line:
            line.sendall(b"GET / HTTP/1.0\r\nHost: elsewhere.example\r\n\r\n")
            assert line.recv(4096).startswith(b"HTTP/1.0 403")
    finally:
        page.shutdown()
        page.server_close()


def test_a_run_in_the_browser_shows_plots_and_pictures(browser: Any, tmp_path: Path) -> None:
    agent = load_agent("cartpole")
    with viewed(agent, web=True, pictures=None) as where:
        browser.do("Page.navigate", url=where)
        end, found = time.monotonic() + SETTLED, 0
        while found < COLOURS and time.monotonic() < end:
            stop = time.monotonic() + 3.0
            agent.learn(10**6, callback=lambda _, stop=stop: time.monotonic() < stop)
            png = browser.look()
            found, pixels = colours_of(png)
        (tmp_path / "page.png").write_bytes(png)
    assert found >= COLOURS, f"{found} colours, see {tmp_path / 'page.png'}"
    bright = pixels.max(axis=2) > 180
    assert bright[:200].any(axis=0).sum() > 300, "there are no titles and numbers"
    assert browser.went_out == []


@ON_LINUX
def test_a_run_goes_on_when_its_view_is_killed() -> None:
    agent = load_agent("cartpole")
    with viewed(agent, web=True, pictures=None) as where:
        assert where.startswith("http://127.0.0.1:")
        agent.learn(500)
        viewer, *deeper = children(os.getpid())
        os.kill(viewer, signal.SIGKILL)
        agent.learn(500)
        end = time.monotonic() + 5.0
        while any(Path(f"/proc/{pid}").exists() for pid in deeper) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in deeper)
    assert agent.progress.steps == 1000


@ON_LINUX
def test_the_view_ends_when_its_window_does() -> None:
    agent = load_agent("cartpole")
    with viewed(agent, web=True, pictures=None):
        agent.learn(200)
        viewer, *deeper = children(os.getpid())
        for pid in deeper:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 40.0
        while "Z" not in Path(f"/proc/{viewer}/stat").read_text().rpartition(")")[2] and time.monotonic() < end:
            agent.learn(100)
            time.sleep(0.02)
        assert "Z" in Path(f"/proc/{viewer}/stat").read_text().rpartition(")")[2]


@ON_LINUX
def test_the_view_ends_and_clears_up_when_the_run_is_killed(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "neuroloop",
        "run",
        "cartpole",
        "--view",
        "--web",
        "--steps",
        "100000000",
        "--keep-on",
    ]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith(b"view "):
            break
    time.sleep(0.5)
    viewers = children(run.pid)
    assert viewers
    run.kill()
    run.wait()
    end = time.monotonic() + 30.0
    while any(Path(f"/proc/{pid}").exists() for pid in viewers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in viewers)
    assert list(tmp_path.glob("neuroloop-*")) == []


def test_without_rerun_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[view\]"'):
        Window(web=True)


def test_a_screen_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_screen()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_screen()
