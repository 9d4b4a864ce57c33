"""A live view beside a run: a tap in a folder of our own, and a process that shows what it publishes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium

from ...errors import BadInput, NeuroloopError
from ...loop.eyes import PICTURES as PICTURES_MODE
from .window import check_installed

if TYPE_CHECKING:
    from ...agent import Agent
    from ...link.telemetry.tap import Tap
    from ...types import Tick

PICTURES = 2.0  # a second, of what the environment renders: each costs the loop a rendering
BETWEEN_TICKS = 3_000_000  # ns: as many ticks a second as plots draw points
PARTING = 3.0  # s that a view for the browser has to end


class Sparing:
    """Tells a tap of so many ticks a second as a view can draw: others cost the loop nothing."""

    def __init__(self, tap: Tap) -> None:
        self._tap, self._told = tap, 0

    def put(self, tick: Tick) -> bool:
        """Tell of a turn of the ring, if it is not too soon."""
        now = time.monotonic_ns()
        if now - self._told < BETWEEN_TICKS:
            return True
        self._told = now
        return self._tap.put(tick)

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        """Tell of an episode's end."""
        self._tap.close_episode(episode, episode_return, n_steps)


@contextlib.contextmanager
def viewed(
    agent: Agent, *, web: bool = False, port: int | None = None, pictures: float | None = PICTURES
) -> Iterator[str]:
    """Show what `agent` does for a while; gives where: an address for the browser, or "a window".

    `pictures`: the most a second that the environment renders; None: none. If the view is closed or dies, the run goes on.
    Raises `MissingExtra`, `BadInput`, or `NeuroloopError` where the view does not open.
    """
    from ...link.telemetry.tap import Tap

    check_installed()
    with tempfile.TemporaryDirectory(prefix="neuroloop-") as folder:  # of mode 0700
        place = f"ipc://{Path(folder) / 'tap'}"
        with rendering(agent.env, pictures is not None), Tap(place, agent, pictures=pictures) as tap:
            viewer, where = _started(place, web, port)
            try:
                with agent.watched(Sparing(tap)):
                    yield where
            finally:
                tap.close()
                _part_from(viewer, where)


@contextlib.contextmanager
def rendering(env: gymnasium.Env[Any, Any], wanted: bool) -> Iterator[None]:
    """Let an environment render for a while, if it can and was made without a picture."""
    inner = env.unwrapped
    able = env.render_mode is None and PICTURES_MODE in (env.metadata or {}).get("render_modes", ())
    if not wanted or not able or "render_mode" not in vars(inner):
        yield
        return
    inner.render_mode = PICTURES_MODE
    try:
        yield
    finally:
        inner.render_mode = None


def _started(place: str, web: bool, port: int | None) -> tuple[subprocess.Popen[bytes], str]:
    """The process that shows it, once it can."""
    command = [sys.executable, "-m", "neuroloop", "view", place, "--owner", str(os.getpid())]
    command += ["--web"] if web else []
    command += [] if port is None else ["--port", str(port)]
    viewer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    assert viewer.stdout is not None
    with viewer.stdout as said:
        where = said.readline().decode().strip()
    if not where:
        code = viewer.wait()
        raise (BadInput if code == 2 else NeuroloopError)("--view: the view did not open, as said above")
    return viewer, where


def _part_from(viewer: subprocess.Popen[bytes], where: str) -> None:
    """A page for the browser ends with the run; a window stays until it is closed."""
    if not where.startswith("http"):
        return
    try:
        viewer.wait(PARTING)
    except subprocess.TimeoutExpired:
        viewer.kill()
        viewer.wait()
