"""`neuroloop view`: a run, or the recording of one, in a window or in the browser."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .stopping import stop_on_signals

if TYPE_CHECKING:
    from ..recording.reader import Recording
    from ..view.window.window import Window
    from .stopping import Stop

What = Annotated[
    str,
    typer.Argument(
        metavar="FILE|ENDPOINT", help="A recording (.mcap), or where a run is tapped (`run --tap ENDPOINT`)."
    ),
]
Web = Annotated[bool, typer.Option("--web", help="In the browser; the default where there is no screen.")]
Port = Annotated[int | None, typer.Option("--port", help="Where the page for the browser is served. Default: any.")]
Keys = Annotated[
    Path | None, typer.Option("--keys", metavar="DIR", help="Our own keys, where the tap is locked (`neuroloop keys`).")
]
ServerKey = Annotated[
    str | None, typer.Option("--server-key", metavar="KEY", help="The tap's public key, where it is locked.")
]
OwnerPid = Annotated[int | None, typer.Option("--owner", hidden=True)]
PAUSE = 0.2  # s between looks at whether it is still wanted
NICE = 10  # the run needs the machine more


def view(
    what: What,
    web: Web = False,
    port: Port = None,
    keys: Keys = None,
    server_key: ServerKey = None,
    owner: OwnerPid = None,
) -> None:
    """Show a run while it goes, or the recording of one. Only this machine can see it. Ends by Ctrl-C, or with its window."""
    from ..errors import BadInput
    from ..view.window.window import Window, check_installed, has_screen

    check_installed()
    live = "://" in what
    web = web or not has_screen()
    if port is not None and not web:
        raise BadInput("--port: is for the browser; add --web")
    recording = None if live else _recording(what)
    with stop_on_signals() as stop, Window(web=web, port=port) as window:
        if recording is None:
            _follow(what, window, stop, owner, keys, server_key)
        else:
            _show(recording, window, stop)
    if stop.signal and owner is None:
        raise SystemExit(128 + stop.signal)


def _recording(what: str) -> Recording:
    from ..errors import BadInput
    from ..recording.reader import Recording

    if not Path(what).is_file():
        raise BadInput(f"{what}: no such file, and no endpoint such as ipc:///tmp/tap.ipc either")
    recording = Recording(what)
    if next(recording.ticks(), None) is None:
        raise BadInput(f"{what}: holds no control step, so there is nothing to show")
    return recording


def _follow(
    endpoint: str, window: Window, stop: Stop, owner_pid: int | None, keys: Path | None, server_key: str | None
) -> None:
    from ..link.telemetry.listening import Listener
    from ..view.window.feeding import TOPICS, Follower
    from ..view.window.owned import Owner

    os.nice(NICE)
    owner = Owner(owner_pid)
    with Listener(endpoint, TOPICS, keys=keys, server_key=server_key) as listener:
        _say_where(window)
        follower = Follower(window, listener)
        done = window.web and owner_pid is not None  # a page has nobody to serve it once the run is over
        follower.follow(
            lambda: window.open and not stop.signal and (follower.over or owner.there) and not (done and follower.over)
        )
    if not owner.there and not follower.over:
        _clear_up(endpoint)


def _clear_up(endpoint: str) -> None:
    """Remove the socket, and its folder, of a run that was killed."""
    place = Path(endpoint.removeprefix("ipc://"))
    with contextlib.suppress(OSError):
        place.unlink(missing_ok=True)
        place.parent.rmdir()


def _show(recording: Recording, window: Window, stop: Stop) -> None:
    from ..view.window.reading import show_recording

    _say_where(window)

    def go_on() -> bool:
        return window.open and not stop.signal

    damage = show_recording(recording, window, go_on)
    if damage:
        print(f"neuroloop: {damage}", file=sys.stderr)
    while go_on():
        time.sleep(PAUSE)


def _say_where(window: Window) -> None:
    print(window.url or "a window", flush=True)
