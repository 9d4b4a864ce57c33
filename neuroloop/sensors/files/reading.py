"""Reading event files, in one piece or as a stream of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import arguments
from ...errors import BadInput
from .check import joined, sound
from .facts import Facts, Loss, Tally, Window
from .formats import open_source
from .windows import Windows, chunks

CHUNK = 100_000  # events, where nobody says how many


class EventReader:
    """An event file to go through as often as wanted, by chunks of events or windows of time.

    `width` and `height` are needed by no format; given, they must agree with what the file says, and events outside are
    left out. What cannot be read is left out too: once a pass is over, a `LostEvents` warning and `loss` say what it was.
    Raises `BadInput` for what is no event file, `MissingExtra` where its format needs one.
    """

    def __init__(self, path: str | Path, *, width: int | None = None, height: int | None = None) -> None:
        self.path = _path(path)
        source = open_source(self.path)
        source.close()
        self.facts: Facts = _sized(source.facts, width, height)
        self.loss: Loss | None = None

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return self.chunks()

    def chunks(self, n: int = CHUNK) -> Iterator[NDArray[Any]]:
        """Arrays of `n` events, the last one of fewer."""
        return chunks(self.blocks(), arguments.whole("n", n, 1))

    def windows(self, period_us: int, *, start_us: int | None = None) -> Iterator[Window]:
        """Windows of `period_us` from `start_us` on, or from the first event: `(start_us, events)`, empty ones too.

        An event that is late by up to a second counts to the window that is open. Where time jumps back further, or ahead
        by more than an hour or a million windows, a window begins at the jump. A window holds at most 2²² events.
        """
        period = arguments.whole("period_us", period_us, 1)
        return self._windows(Windows(period, start_us, tally := Tally()), tally)

    def _windows(self, windows: Windows, tally: Tally) -> Iterator[Window]:
        yield from windows.of(self._blocks(tally))
        self.loss = tally.warn(self.path)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Arrays as they come from the file, without copies: at most a few hundred thousand events each."""
        tally = Tally()
        yield from self._blocks(tally)
        self.loss = tally.warn(self.path)

    def _blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        self.loss = None
        source = open_source(self.path)
        try:
            for block in source.blocks(tally):
                events = sound(block, self.facts, tally)
                if events.size:
                    tally.saw(int(events["t_us"][-1]))
                    yield events
        except OSError as error:
            tally.note(f"cannot be read any further: {error.strerror or error}")
        finally:
            source.close()


def open_events(path: str | Path, *, width: int | None = None, height: int | None = None) -> EventReader:
    """A reader of an event file; see `EventReader`."""
    return EventReader(path, width=width, height=height)


def read_events(path: str | Path, *, width: int | None = None, height: int | None = None) -> NDArray[Any]:
    """All events of a file, in its order; dtype `neuroloop.types.EVENT`. See `EventReader` for what can go wrong."""
    return joined(list(EventReader(path, width=width, height=height).blocks()))


class Summary(NamedTuple):
    """What all events of a file have in common."""

    facts: Facts  # nothing unknown but the size of the sensor
    on: int  # events of polarity 1
    right: int  # greatest column; −1: no events
    bottom: int  # greatest row
    in_order: bool  # of time
    loss: Loss | None


def summary(reader: EventReader, callback: Callable[[int], object] | None = None) -> Summary:
    """Read a file to its end; `callback(events)` is told how many there were so far."""
    n, on, right, bottom, in_order = 0, 0, -1, -1, True
    first_us: int | None = None
    last_us: int | None = None
    for events in reader.blocks():
        times = events["t_us"]
        in_order &= bool((times[1:] >= times[:-1]).all()) and (last_us is None or int(times[0]) >= last_us)
        first_us, last_us = int(times[0]) if first_us is None else first_us, int(times[-1])
        n, on = n + events.size, on + int(np.count_nonzero(events["p"]))
        right, bottom = max(right, int(events["x"].max())), max(bottom, int(events["y"].max()))
        if callback is not None:
            callback(n)
    facts = reader.facts._replace(n_events=n, first_us=first_us, last_us=last_us)
    return Summary(facts, on, right, bottom, in_order, reader.loss)


def _path(path: Any) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise BadInput(f"path: must be a path, got {path!r}") from None


def _sized(facts: Facts, width: int | None, height: int | None) -> Facts:
    """Facts with the size that the caller knows. Raises `BadInput` where the file says otherwise."""
    if width is None and height is None:
        return facts
    if width is None or height is None:
        raise BadInput(f"width, height: give both or neither, got {width} and {height}")
    size = arguments.whole("width", width, 1), arguments.whole("height", height, 1)
    says = facts.width, facts.height
    if None not in says and says != size:
        raise BadInput(f"{facts.path}: is of {says[0]} × {says[1]} pixels, not of {width} × {height}")
    return facts._replace(width=size[0], height=size[1])
