"""A recording in a window: as much of every second of the run as a window can show."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...errors import RecordingError
from ...loop.lockstep import WINDOW
from .scene import About, Scene, scene_recorded
from .sheet import Sheet
from .shown import Shown

if TYPE_CHECKING:
    from ...recording.reader import Recording
    from .window import Window

AT_ONCE = 1000  # control steps whose series are passed on together
POINTS = 20_000  # of a series, over the whole run
PICTURES = 200  # of a kind, over the whole run
FEWEST = 5  # control steps between two pictures
LONG = 50_000  # control steps, where nobody knows how many there are


def show_recording(recording: Recording, window: Window, go_on: Callable[[], bool]) -> str:
    """Show a recording until `go_on()` is False; returns what was wrong with it, if anything was."""
    about, n = about_recording(recording), _length(recording)
    between, points = max(FEWEST, n // PICTURES), max(1, AT_ONCE * POINTS // max(n, POINTS))
    shown: Shown | None = None
    damage = ""
    returns, noted = deque[float](maxlen=WINDOW), _returns(recording)
    try:
        for scene in scenes_of(recording):
            if not go_on():
                break
            if shown is None:
                shown = Shown(Sheet(window.stream(about.title), live=False), about, scene.t_ns)
            shown.tick(scene)
            if scene.ended:
                returns.append(noted.get(scene.episode, scene.episode_return))
                shown.episode(returns[-1], float(np.mean(returns)), scene.tick, scene.t_ns)
            if shown.ticks % between == 0:
                shown.paint()
            if shown.ticks % AT_ONCE == 0:
                shown.draw(points)
    except RecordingError as error:
        damage = str(error)
    if shown is not None:
        state = "whole" if recording.complete else "cut off"
        shown.paint()
        shown.draw(points)
        shown.flush(f"recording of {shown.ticks} ticks, {state}" + (f"; {damage}" if damage else ""))
    return damage


def _returns(recording: Recording) -> dict[int, float]:
    """Of episodes that ended, by number, as the run noted them; not all of their control steps need be recorded."""
    try:
        episodes = recording.episodes()
    except RecordingError:
        return {}
    return dict(zip(episodes["episode"].tolist(), episodes["return"].tolist(), strict=True))


def scenes_of(recording: Recording) -> Iterator[Scene]:
    """Its control steps, with the return of the episode up to each."""
    total = 0.0
    for recorded in recording.ticks():
        tick = recorded.tick
        total = (0.0 if tick.first else total) + (0.0 if tick.outcome is None else tick.outcome.reward)
        yield scene_recorded(recorded, total)


def about_recording(recording: Recording) -> About:
    """What a recording says of its run."""
    meta = recording.meta
    title = f"{meta['agent']} on {meta['env']}, seed {meta['seed']}"
    facts = (f"**{title}**", f"recorded {meta['started']}, neuroloop {meta['neuroloop']}", meta["command"])
    first = next(recording.ticks(), None)
    populations = (
        {} if first is None else {name: raster.shape[1] for name, raster in first.spikes.items() if raster.ndim == 2}
    )
    return About(
        title, meta["env"], facts, recording.observation_space, recording.action_space, populations, recording.numbers
    )


def _length(recording: Recording) -> int:
    """Control steps that it holds."""
    ticks = recording.end.get("ticks", "")
    return int(ticks) if ticks.isdigit() else LONG
