"""A recording as a plant: `EventPlayback` plays the events of a file into the loop, whatever the agent does."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ... import arguments
from ...errors import BadInput
from ..space import MOST, EventSpace, packet
from ..thinning import thinned
from .facts import LostEvents, Window
from .reading import EventReader, open_events

ENV_ID = "neuroloop.sensors.files.playback:EventPlayback-v0"
Info = dict[str, Any]


class EventPlayback(gymnasium.Env[NDArray[Any], Any]):
    """An episode is the file, a step `period` seconds of it, the observation the events of that step.

    Time stamps are µs since the episode's reset, as an `EventCameraWrapper` has them: step k is over at k periods, its
    packet holds what came after step k − 1, and a reset gives an empty packet. The reset lies 1 µs before the first event.
    An event that is late gets the time of the one before it; silences of more than an hour or a million steps are left out.

    `actions`: a number of actions, the shape of a Box from −1 to 1, or a space; actions do nothing, and the reward is 0. The
    last step truncates the episode. `width` and `height` are needed where the file does not say them (.npy). `most_events` of
    a packet, above which events are dropped evenly. `info["events"]` holds `start_us` and `end_us`, between which the
    events lie, `file_us`, where the packet begins in the file's own time, and how many events were `dropped`. Raises
    `BadInput` for a file of no events.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # as Gymnasium types it

    def __init__(
        self,
        path: str | Path,
        period: float = 0.02,
        actions: int | Sequence[int] | spaces.Space[Any] = 2,
        width: int | None = None,
        height: int | None = None,
        most_events: int = MOST,
    ) -> None:
        self._reader = open_events(path, width=width, height=height)
        facts = self._reader.facts
        if facts.width is None or facts.height is None:
            raise BadInput(f"{path}: does not say how large the sensor was; give width and height")
        self.dt = period  # what a step lasts, by the name that others use
        self._period_us = _period_us(period)
        self.observation_space = EventSpace(facts.width, facts.height, most_events)
        self.action_space = _space_of(actions)
        _check_some(self._reader)
        self._most, self._step = self.observation_space.most_events, 0
        self._windows: Iterator[Window] = iter(())
        self._next: Window | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[NDArray[Any], Info]:
        """Begin the file anew."""
        super().reset(seed=seed)
        self._windows = self._reader.windows(self._period_us)
        self._next, self._step = next(self._windows, None), 0
        start = 0 if self._next is None else self._next.start_us
        return packet([]), self._info(start, 0, 0)

    def step(self, action: Any) -> tuple[NDArray[Any], float, bool, bool, Info]:
        """The events of the next `period`."""
        window, self._next = self._next, next(self._windows, None)
        self._step += 1
        if window is None:
            return packet([]), 0.0, False, True, self._info(0, self._step * self._period_us, 0)
        begin = (self._step - 1) * self._period_us
        events = thinned(window.events, self._most)
        shown = packet(events)
        times = np.maximum.accumulate(events["t_us"]) - (window.start_us - begin - 1)
        shown["t_us"] = np.clip(times, begin + 1, begin + self._period_us)
        dropped = window.events.size - events.size
        return shown, 0.0, False, self._next is None, self._info(window.start_us, begin + self._period_us, dropped)

    def close(self) -> None:
        """Let go of the file."""
        self._windows = iter(())

    def _info(self, file_us: int, end_us: int, dropped: int) -> Info:
        start_us = max(end_us - self._period_us, 0)
        return {"events": {"start_us": start_us, "end_us": end_us, "file_us": file_us, "dropped": dropped}}


def _check_some(reader: EventReader) -> None:
    """Raises `BadInput` for a file without events."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=LostEvents)  # the error says it
        if next(reader.blocks(), None) is not None:
            return
    lost = f"; lost: {reader.loss}" if reader.loss else ""
    raise BadInput(f"{reader.path}: holds no events{lost}; there is nothing to play")


def _period_us(period: Any) -> int:
    if isinstance(period, bool) or not isinstance(period, int | float) or not math.isfinite(period) or period < 1e-6:
        raise BadInput(f"period: must be a time of at least 1e-6 s, got {period!r}")
    return round(period * 1e6)


def _space_of(actions: Any) -> spaces.Space[Any]:
    if isinstance(actions, spaces.Space):
        return actions
    if isinstance(actions, Sequence) and not isinstance(actions, str):
        return spaces.Box(-1.0, 1.0, tuple(arguments.whole("actions", side, 1) for side in actions))
    return spaces.Discrete(arguments.whole("actions", actions, 1))


gymnasium.register(id=ENV_ID.partition(":")[2], entry_point=f"{__name__}:EventPlayback")
