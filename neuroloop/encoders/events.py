"""Event packets to input spikes: bins of pixels, a neuron for each and its polarity, regions of interest, a limit of rate.

Each event of a bin counts; at `events_per_spike` the bin's neuron fires and so many are taken off, at most one spike a step.
Above `max_rate` events are dropped evenly over the packet, as event-rate controllers of sensors do (Finateu et al. 2020):
which ones follows from their order alone. What a control step leaves of its budget of `max_rate` × `clock.period` events is
not saved up, only the fraction of an event is.

Packets are observed when they are over: packet k of an episode, from 0, covers the plant's time from (k − 1) to k periods,
and its events are spread over the steps of the network in proportion. Where time stamps tell another story (a gap, a
recording that begins anywhere, a plant of another period) the window ends at the last event, or grows to hold all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ..config import table
from ..errors import BadInput, CheckpointError, ConfigError, NeuroloopError, PlantError
from ..settings import ClockConfig, EventPooling
from ..types import EVENT, Spikes
from . import pooling
from .bins import bins_of, choose

MOST_SPIKES = 2**27  # of a control step
LONGEST_US = 2**44  # that a packet may span: half a year


class Pooled(NamedTuple):
    """What became of all events so far."""

    events: int
    outside: int  # of all regions, or of a polarity that is not wanted
    dropped: int  # above `max_rate`
    spikes: int


class EventEncoder:
    """Spikes from the event packets of an observation; see `EventPooling` for the settings, which stand at `path`."""

    def __init__(self, config: EventPooling | None = None, path: str = "encoder") -> None:
        if not isinstance(config, EventPooling | None):
            raise BadInput(f"EventEncoder: needs EventPooling(…), got {config!r}")
        self.config, self._at = table(msgspec.to_builtins(config or EventPooling()), EventPooling, path), path
        self.shapes: tuple[tuple[int, int, int], ...] = ()
        """Polarities, rows and columns of the bins of each region, once bound: neurons count along columns first."""

    def bind(self, space: Space[Any], clock: ClockConfig, seed: int) -> int:
        """Make ready for observations of `space`; returns the number of neurons. Nothing is drawn: `seed` is not used.

        Raises `UnsupportedSpace` where there are no event packets, `ConfigError` for regions outside the picture.
        """
        self._name, self._path, events = choose(space, self.config.on, self._at)
        self._space = events
        self._period_us = max(round(clock.period * 1e6), 1)
        self._share = (self.config.max_rate or 0.0) * clock.period  # events a control step
        self._bins, self.shapes = bins_of(self.config, events, self._at)
        n = sum(int(np.prod(shape)) for shape in self.shapes)
        if n * clock.n_steps > MOST_SPIKES:
            raise ConfigError(
                f"{self._at}.cell: makes {n} neurons, {n * clock.n_steps} possible spikes a control step, more than "
                f"{MOST_SPIKES}; use larger bins"
            )
        self._spikes = Spikes(np.empty(n * clock.n_steps, np.int32), np.zeros(clock.n_steps + 1, np.int32))
        self._counts, self._tally = np.zeros(n, np.int32), np.zeros(len(Pooled._fields), np.int64)
        self._inspect, self._pool = pooling.inspect.now, pooling.pool.now
        self.reset(0)
        return n

    def reset(self, episode: int) -> None:
        """Begin an episode: events that were not enough for a spike are forgotten."""
        self._must_be_bound()
        self._counts[:] = 0
        self._credit, self._end = 0.0, -self._period_us

    @property
    def counters(self) -> Pooled:
        """What became of all events since `bind`."""
        return Pooled(*self._tally.tolist())

    def encode(self, observation: Any, tick: int) -> Spikes:
        """Spikes of a control step, valid until the next call. Raises `PlantError` for what is no packet of the space."""
        self._must_be_bound()
        events = self._events(observation)
        columns, rows, across, first = self._bins
        verdict, k, taken = self._inspect(events, columns, rows, first)
        if verdict != pooling.INSIDE:
            raise PlantError(self._wrong(verdict, k, events))
        start, end = self._window(events)
        budget, credit = taken, 0.0
        if self._share:
            budget = int(self._share + self._credit)
            credit = self._share + self._credit - budget
        dropped = self._pool(
            events, columns, rows, across, first, taken, budget, start, end - start, self.config.events_per_spike,
            self._counts, *self._spikes,
        )  # fmt: skip
        self._end, self._credit = end, credit
        self._tally += (events.size, events.size - taken, dropped, self._spikes.n)
        return self._spikes

    def _must_be_bound(self) -> None:
        if not self.shapes:
            raise NeuroloopError("the encoder is not bound to an observation space; call bind first")

    def _events(self, observation: Any) -> NDArray[Any]:
        part = observation
        try:
            for key in self._path:
                part = part[key]
        except (KeyError, IndexError, TypeError):
            raise PlantError(f"{self._name}: is missing in the observation") from None
        if not isinstance(part, np.ndarray) or part.dtype != EVENT or part.ndim != 1:
            raise PlantError(f"{self._name}: must be a list of events of dtype neuroloop.types.EVENT, got {part!r}")
        if part.size > self._space.most_events:
            raise PlantError(f"{self._name}: holds {part.size} events, more than {self._space.most_events}")
        return np.ascontiguousarray(part)

    def _window(self, events: NDArray[Any]) -> tuple[int, int]:
        """The plant's time that a packet covers, in µs: after the first number, up to the second."""
        end = self._end + self._period_us
        if not events.size:
            return end - self._period_us, end
        first, last = int(events["t_us"][0]), int(events["t_us"][-1])
        if last - first > LONGEST_US or max(-first, last) > 2**62:
            raise PlantError(f"{self._name}: time stamps from {first} to {last} µs cannot be of one control step")
        if first < self._end or last > end:
            end = last
        return min(end - self._period_us, first), end

    def _wrong(self, verdict: int, k: int, events: NDArray[Any]) -> str:
        if verdict == pooling.UNSORTED:
            before, after = events["t_us"][k - 1 : k + 1]
            return f"{self._name}[{k}]: events must be sorted by time, got {after} µs after {before} µs"
        got = {name: int(events[name][k]) for name in ("x", "y", "p")}
        return f"{self._name}[{k}]: {got} lies outside {self._space}"

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that changes."""
        self._must_be_bound()
        return {
            "counts": self._counts.copy(), "tally": self._tally.copy(), "credit": np.array([self._credit]),
            "end_us": np.array([self._end], np.int64),
        }  # fmt: skip

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit."""
        for name, array in self.state().items():
            given = state.get(name)
            if not isinstance(given, np.ndarray) or given.shape != array.shape or given.dtype != array.dtype:
                raise CheckpointError(f"array {name!r} of the event encoder is missing or has the wrong shape or type")
        counts, tally, credit = state["counts"], state["tally"], float(state["credit"][0])
        fits = (counts >= 0).all() and (counts < self.config.events_per_spike).all() and (tally >= 0).all()
        if not fits or not 0.0 <= credit < 1.0 or abs(int(state["end_us"][0])) > 2**62 + LONGEST_US:
            raise CheckpointError("the event encoder's counts, tally, credit or end_us cannot be of this encoder")
        self._counts[:], self._tally[:], self._credit = counts, tally, credit
        self._end = int(state["end_us"][0])
