"""A window of Rerun, on this machine only: its own viewer where there is a screen, else one for the browser.

Rerun's program runs as our child: it serves the picture, and takes what we log over gRPC. It would listen to the whole network
and report what is used to its makers, unless it is told not to.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from ...errors import BadInput, MissingExtra, NeuroloopError
from .owned import ends_with_parent
from .served_page import LOOPBACK, Page

PATIENCE = 30.0  # s that it may take to begin
QUIET = {"CI": "1", "RUST_LOG": "error"}  # Rerun counts and reports nothing where it believes to be tested
MEMORY = "1GiB"  # beyond which it forgets what is oldest


def check_installed() -> None:
    """Raise `MissingExtra` if Rerun is not there."""
    if find_spec("rerun") is None or find_spec("rerun_cli") is None:
        raise MissingExtra("the live view", "view")


def has_screen() -> bool:
    """Whether a window can be opened here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Window:
    """An open window. `web`: for the browser, at `url`; `port`: where, or any. Raises `BadInput`, `NeuroloopError`."""

    def __init__(self, *, web: bool, port: int | None = None) -> None:
        check_installed()
        os.environ.update(QUIET)
        os.environ.pop("FORCE_RERUN_ANALYTICS", None)
        self.web, grpc, behind = web, free_port(), free_port() if web else 0
        self._page = _page(port, behind, grpc) if web else None
        self._address = f"rerun+http://{LOOPBACK}:{grpc}/proxy"
        command = [str(program()), "--bind", LOOPBACK, "--port", str(grpc)]
        if web:
            command += ["--serve-web", "--web-viewer-port", str(behind), "--server-memory-limit", MEMORY]
        else:
            command += ["--expect-data-soon", "--hide-welcome-screen", "--memory-limit", MEMORY]
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the window)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, preexec_fn=ends_with_parent()
        )
        try:
            import rerun  # noqa: F401 (takes seconds on a busy machine, meanwhile it begins)

            for place in (grpc, behind) if web else (grpc,):
                self._wait_for(place)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str | None:
        """Where a browser finds it."""
        if self._page is None:
            return None
        return f"http://{LOOPBACK}:{self._page.port}/?theme=dark&url={quote(self._address, safe='')}"

    @property
    def open(self) -> bool:
        """Whether nobody closed it."""
        return self._process.poll() is None

    def stream(self, name: str) -> Any:
        """Where a run is logged to."""
        import rerun as rr

        stream = rr.RecordingStream(f"neuroloop: {name}", send_properties=False)
        stream.set_log_time_enabled(False)
        stream.set_log_tick_enabled(False)
        stream.connect_grpc(self._address)
        return stream

    def close(self) -> None:
        """Close it. A second call does nothing."""
        if self.open:
            self._process.terminate()
            try:
                self._process.wait(3.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._said.close()
        if self._page is not None:
            self._page.shutdown()
            self._page.server_close()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_for(self, port: int) -> None:
        """Until somebody listens there."""
        end = time.monotonic() + PATIENCE
        while self.open and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1.0):
                return
            time.sleep(0.05)
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        raise NeuroloopError(
            f"the live view did not open: {said[-1] if said else 'Rerun said nothing'}; leave --view out"
        )


def program() -> Path:
    """Rerun's program, which is in its wheel."""
    spec = find_spec("rerun_cli")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("the live view", "view")
    folder = Path(next(iter(spec.submodule_search_locations)))
    names = ("rerun", "rerun.exe", "Rerun.app/Contents/MacOS/Rerun")
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise NeuroloopError(f"{folder}: has no program of Rerun; install rerun-sdk anew")
    return found


def free_port() -> int:
    """A port of the loopback interface that nobody has."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def _page(port: int | None, behind: int, grpc: int) -> Page:
    if port is not None and not 1 <= port <= 65535:
        raise BadInput(f"--port: must be from 1 to 65535, got {port}")
    try:
        return Page(port or 0, behind, grpc)
    except OSError as error:
        raise BadInput(f"--port: {port} cannot be used: {error.strerror}; name another one, or leave it out") from None
