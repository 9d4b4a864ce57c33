"""Turns of the ring as columns: what a figure needs of a recording, for a window of control steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from .runs import Episodes

Part = Literal["spikes", "numbers", "timing", "observation", "outcome"]
BITS = 32  # of a word of a raster
NONE: Mapping[str, Any] = MappingProxyType({})


class Clock(NamedTuple):
    """What a control step lasts."""

    period: float | None = None  # s; None: not known, figures count control steps
    n_steps: int = 1  # of the network


class Turns(NamedTuple):
    """Columns over control steps; those that were not asked for are empty."""

    tick: NDArray[np.int64]
    first: NDArray[np.bool_]  # whether an episode begins
    reward: NDArray[np.float64]  # the answer to the action of this control step; 0 where the plant failed
    ended: NDArray[np.bool_]  # whether the episode ended with it
    lengths: NDArray[np.int64]  # environment steps
    clock: Clock = Clock()
    env: str = ""
    agent: str = "run"
    spikes: Mapping[str, Sequence[NDArray[np.int64]]] = NONE  # (n, 2) a control step: step of the network, neuron
    numbers: Mapping[str, NDArray[np.float64]] = NONE
    timed: Mapping[str, NDArray[np.float64]] = NONE  # ns; NaN where it was not timed
    observations: Sequence[Any] = ()

    @property
    def at(self) -> NDArray[np.float64]:
        """When control steps began: s of the plant, or their number."""
        return self.tick.astype(np.float64) * (self.clock.period or 1.0)

    @property
    def time_label(self) -> str:
        """Of an axis of `at`."""
        return "time (s)" if self.clock.period else "control step"

    @property
    def begins(self) -> NDArray[np.float64]:
        """Where episodes begin, as `at`."""
        return self.at[self.first]

    def within(self, first: int, last: int | None) -> Turns:
        """Those of the control steps from `first` until before `last`."""
        low = int(np.searchsorted(self.tick, first))
        high = self.tick.size if last is None else int(np.searchsorted(self.tick, last))
        part = slice(low, high)
        return self._replace(
            tick=self.tick[part], first=self.first[part], reward=self.reward[part], observations=self.observations[part],
            spikes={name: rows[part] for name, rows in self.spikes.items()},
            numbers={name: column[part] for name, column in self.numbers.items()},
            timed={name: column[part] for name, column in self.timed.items()},
            lengths=self.lengths[part], ended=self.ended[part],
        )  # fmt: skip

    def trains(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """When each input and population fired (as `at`), and who."""
        begin, lasts = self.at, self.clock.period or 1.0
        found = {}
        for name, rows in self.spikes.items():
            n = [len(row) for row in rows]
            steps, ids = np.concatenate([np.zeros((0, 2), np.int64), *rows]).T
            found[name] = np.repeat(begin, n) + steps * (lasts / self.clock.n_steps), ids.astype(np.int64)
        return found

    def timing(self) -> dict[str, NDArray[np.float64]]:
        """ns of every control step that has them; the first has no period."""
        columns = {name: column[~np.isnan(column)] for name, column in self.timed.items() if name != "left_out"}
        if "period" in columns:
            columns["period"] = columns["period"][columns["period"] > 0.0]
        return columns

    def observed(self) -> tuple[NDArray[np.float64], list[str]]:
        """Observations as a table (control steps, dimensions), and where each dimension stands. Raises `BadInput`."""
        if not self.observations:
            return np.zeros((0, 0)), []
        keys = [key for key, _ in _flat("", self.observations[0])]
        rows = [[value for _, value in _flat("", observation)] for observation in self.observations]
        if any(len(row) != len(keys) for row in rows):
            raise BadInput("a trajectory needs observations of one size, and these change theirs")
        return np.array(rows, np.float64), [key.lstrip(".") or "observation" for key in keys]

    def episodes(self) -> Episodes:
        """Episodes that ended within the window and began in it."""
        returns, lengths = [], []
        begins = np.flatnonzero(self.first)
        for begin, end in zip(begins, [*begins[1:], self.tick.size], strict=True):
            if self.ended[end - 1]:
                returns.append(float(self.reward[begin:end].sum()))
                lengths.append(int(self.lengths[begin:end].sum()))
        return Episodes(returns, lengths, self.agent)


def fired_of(array: NDArray[Any]) -> NDArray[np.int64]:
    """Step of the network and neuron of each spike, shape (n, 2).

    A recording holds bits, (words, neurons), of who fired in which step; or, of cells that fire regularly, who is active.
    """
    if array.ndim == 1:
        cells = array[array >= 0].astype(np.int64)
        return np.stack([np.zeros_like(cells), cells], axis=1)
    bits = (array[:, None, :] >> np.arange(BITS, dtype=array.dtype)[None, :, None]) & 1
    return np.argwhere(bits.reshape(-1, array.shape[1]))


def _flat(key: str, value: Any) -> Iterator[tuple[str, float]]:
    """The numbers of an observation, and where each stands."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(f"{key}.{name}", part)
    elif isinstance(value, tuple):
        for n, part in enumerate(value):
            yield from _flat(f"{key}.{n}", part)
    else:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise BadInput("a trajectory needs observations of numbers, and these are events or text")
        for place in np.ndindex(array.shape):
            where = f"[{','.join(map(str, place))}]" if place else ""
            yield f"{key or 'observation'}{where}", float(array[place])
