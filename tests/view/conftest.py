"""Runs whose files figures are drawn of, made once, short, and real; and a browser without a screen, spoken to over two pipes:
Chromium's DevTools protocol, messages of JSON that end with NUL."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import pytest

import neuroloop
from neuroloop.loop.paced import Paced

AGENT, SEED = "cartpole", 3


class Files(NamedTuple):
    """What a run left."""

    folder: Path
    recording: Path
    early: Path  # checkpoint in the middle
    late: Path  # and at the end


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """400 control steps of CartPole, recorded."""
    folder = tmp_path_factory.mktemp("run")
    files = Files(folder, folder / "run.mcap", folder / "early.zip", folder / "checkpoint.zip")
    agent = neuroloop.load_agent(AGENT, seed=SEED)
    with neuroloop.Recorder(files.recording, agent) as recorder, agent.watched(by=recorder):
        agent.learn(200)
        agent.save(files.early)
        agent.learn(200)
    agent.save(files.late)
    return files


@pytest.fixture(scope="session")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of 60 control steps in real time."""
    path = tmp_path_factory.mktemp("paced") / "paced.mcap"
    agent = neuroloop.load_agent("random", Paced(gymnasium.make("CartPole-v1"), period=0.004), seed=SEED)
    with neuroloop.Recorder(path, agent) as recorder, agent.watched(by=recorder):
        agent.learn(60)
    return path


NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist", "--remote-debugging-pipe", "--window-size=1600,900", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


class Browser:
    """One page."""

    def __init__(self, program: str, folder: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def own_pipes() -> None:  # it reads from 3 and writes to 4
            spare = [os.dup(to_browser), os.dup(from_browser)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=own_pipes, close_fds=False,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._left, self._n, self._session = b"", 0, ""
        self.asked: dict[str, str] = {}  # addresses that the page asked for, by number
        self.refused: set[str] = set()  # numbers of those that its policy refused
        page = next(one for one in self.do("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self.do("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Its answer."""
        self._n += 1
        session = {"sessionId": self._session} if self._session else {}
        os.write(
            self._write, json.dumps({"id": self._n, "method": method, "params": arguments, **session}).encode() + b"\0"
        )
        while True:
            message = self._next()
            if message.get("id") == self._n:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def look(self) -> bytes:
        """What the page looks like, as PNG."""
        return base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"])

    @property
    def went_out(self) -> list[str]:
        """Addresses of other machines that were asked and not refused."""
        return [
            url for number, url in self.asked.items()
            if number not in self.refused and not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:"))
        ]  # fmt: skip

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._read)
        os.close(self._write)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser is gone"
            self._left += more
        message, self._left = self._left.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, message: dict[str, Any]) -> None:
        facts = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.asked[facts["requestId"]] = facts["request"]["url"]
        elif message.get("method") == "Network.loadingFailed" and facts.get("blockedReason") == "csp":
            self.refused.add(facts["requestId"])


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium to look at the page with")
    made = Browser(program, tmp_path / "profile")
    try:
        yield made
    finally:
        made.close()
        time.sleep(0.1)
