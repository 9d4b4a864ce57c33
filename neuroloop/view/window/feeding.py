"""From a tap, or from a recording, to a window."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import LinkError
from ...link.telemetry.facts import (
    ByeFacts,
    EpisodeFacts,
    PictureFacts,
    RunFacts,
    SightFacts,
    TickFacts,
    WeightsFacts,
)  # fmt: skip
from ...link.telemetry.hearing import Heard
from ...link.telemetry.listening import Listener
from .scene import about_run, scene_heard
from .sheet import Sheet
from .shown import Shown

if TYPE_CHECKING:
    from .window import Window

TOPICS = ("tick", "episode", "picture", "sight", "weights")
PAUSE = 0.02  # s between two looks: what comes in between waits, and beyond the queue it is lost, which costs nobody
BETWEEN = 0.15  # s between two pictures
BETWEEN_WORDS = 1.0
REST = 0.5  # share of the time that showing may take: the run needs the machine more


class Follower:
    """Shows what is heard, run after run."""

    def __init__(self, window: Window, listener: Listener) -> None:
        self._window, self._listener = window, listener
        self._shown: Shown | None = None
        self.over = False  # whether the latest run said bye
        self._due = self._said = 0.0
        self._latest = (0, 0)  # tick and time of the newest control step
        self._first_tick: int | None = None

    def follow(self, go_on: Callable[[], bool]) -> None:
        """Until `go_on()` is False."""
        while go_on():
            self._drain()
            if self._shown is not None and time.monotonic() >= self._due:
                began = time.monotonic()
                self._shown.flush(self._words(began))
                self._due = time.monotonic() + max(BETWEEN, (time.monotonic() - began) / REST)
            time.sleep(PAUSE)
        if self._shown is not None:
            self._said = 0.0
            self._shown.flush(self._words(time.monotonic()))

    def _drain(self) -> None:
        """All that waits."""
        end = time.monotonic() + BETWEEN
        while time.monotonic() < end:
            try:
                heard = self._listener.next(0.0)
            except LinkError:
                continue  # of another version, or damaged: the next may be better
            if heard is None:
                return
            self._take(heard)

    def _take(self, heard: Heard) -> None:
        facts, shown = heard.facts, self._shown
        if isinstance(facts, RunFacts):
            about = about_run(facts)
            self._shown = Shown(Sheet(self._window.stream(about.title), live=True), about, facts.t_ns)
            self.over, self._first_tick = False, None
        elif shown is not None:
            self._show(shown, heard)

    def _show(self, shown: Shown, heard: Heard) -> None:
        match heard.facts:
            case TickFacts() as facts:
                self._latest = facts.tick, facts.t_ns
                self._first_tick = facts.tick if self._first_tick is None else self._first_tick
                shown.tick(scene_heard(heard, facts))
            case EpisodeFacts() as facts:
                shown.episode(facts.episode_return, facts.mean_return, *self._latest)
            case PictureFacts() as facts if heard.picture is not None:
                shown.picture("picture", heard.picture, facts.tick, facts.t_ns)
            case SightFacts() as facts:
                if heard.picture is not None:
                    shown.picture("camera", heard.picture, facts.tick, facts.t_ns)
                if heard.events is not None and heard.events.size:
                    shown.events("events", heard.events, facts.width, facts.height)
            case WeightsFacts() as facts:
                shown.weights(heard.weights, facts.whole, facts.tick, facts.t_ns)
            case ByeFacts():
                self.over = True

    def _words(self, now: float) -> str:
        """How far the run is, and how much of it is shown."""
        if self._shown is None or now - self._said < BETWEEN_WORDS:
            return ""
        self._said = now
        tick, first = self._latest[0], self._first_tick or 0
        share = 100.0 * min(1.0, self._shown.ticks / max(tick + 1 - first, 1))
        state = "over" if self.over else f"at tick {tick}"
        return f"{state}; {share:.0f} % of its ticks reached this view"
