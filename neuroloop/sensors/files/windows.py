"""A stream of blocks cut anew: into chunks of a number of events, or into windows of time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .check import joined
from .facts import Tally, Window

MOST_EVENTS = 1 << 22  # of a window, so that damaged times cannot fill the memory
SILENCE_US, MOST_SILENT = 3_600_000_000, 1_000_000  # µs and windows: longer silences, by damaged times, are left out
LATE_US = 1_000_000  # an event so much earlier than the ones before it still counts with them
LAST_US = np.iinfo(np.int64).max


def chunks(blocks: Iterable[NDArray[Any]], n: int) -> Iterator[NDArray[Any]]:
    """Chunks of `n` events, the last one of fewer."""
    held: list[NDArray[Any]] = []
    n_held = 0
    for block in blocks:
        rest = block
        while n_held + rest.size >= n:
            yield joined([*held, rest[: n - n_held]])
            rest, held, n_held = rest[n - n_held :], [], 0
        if rest.size:
            held.append(rest)
            n_held += rest.size
    if n_held:
        yield joined(held)


class Windows:
    """Windows of `period_us` from `start_us` on, or from the first event; empty ones too."""

    def __init__(self, period_us: int, start_us: int | None, tally: Tally) -> None:
        self._period, self._start, self._tally = period_us, start_us, tally
        self._ahead = max(min(SILENCE_US, MOST_SILENT * period_us), period_us)
        self._held: list[NDArray[Any]] = []
        self._n_held = 0
        self._latest: int | None = None

    def of(self, blocks: Iterable[NDArray[Any]]) -> Iterator[Window]:
        """The windows of these blocks. Late events count to the window that is open."""
        for block in blocks:
            for jumped, piece in self._pieces(block):
                if jumped and self._latest is not None:
                    yield self._close()
                    self._start = int(piece["t_us"][0])
                yield from self._fill(piece, jumped)
        if self._start is not None and self._latest is not None:
            yield self._close()

    def _pieces(self, block: NDArray[Any]) -> Iterator[tuple[bool, NDArray[Any]]]:
        """A block cut where time jumps; whether each piece begins with a jump."""
        times = block["t_us"].astype(np.float64)
        before = times[0] if self._latest is None else float(self._latest)
        steps = np.diff(times, prepend=before)
        jumps = (steps > self._ahead) | (steps < -max(LATE_US, self._period))
        cuts = [0, *(np.flatnonzero(jumps[1:]) + 1).tolist(), block.size]
        for k, (begin, end) in enumerate(itertools.pairwise(cuts)):
            yield k > 0 or bool(jumps[0]), block[begin:end]

    def _fill(self, events: NDArray[Any], jumped: bool) -> Iterator[Window]:
        times = np.maximum.accumulate(events["t_us"])
        if self._latest is not None and not jumped:
            times = np.maximum(times, self._latest)
        if self._start is None:
            self._start = int(times[0])
        done = 0 if self._latest is not None else int(np.searchsorted(times, self._start))
        if self._latest is None and done < times.size and times[done] - self._start > self._ahead:
            self._start = int(times[done])
        while True:
            end = min(self._start + self._period, LAST_US)
            cut = int(np.searchsorted(times, end)) if end < LAST_US else times.size
            self._hold(events[done:cut])
            if cut == times.size:
                break
            self._latest = int(times[cut])
            yield self._close()
            self._start, done = end, cut
        if done < times.size:
            self._latest = int(times[-1])

    def _hold(self, events: NDArray[Any]) -> None:
        room = MOST_EVENTS - self._n_held
        if events.size > room:
            self._tally.note(f"a window of more than {MOST_EVENTS} events", n_events=events.size - max(room, 0))
            events = events[: max(room, 0)]
        if events.size:
            self._held.append(events)
            self._n_held += events.size

    def _close(self) -> Window:
        window = Window(self._start or 0, joined(self._held))
        self._held, self._n_held = [], 0
        return window
