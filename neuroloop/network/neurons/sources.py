"""Neurons that fire by themselves: Poisson and regular generators, and given trains."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._numba import Kernel, i8_at, kernel, places
from ...errors import ConfigError
from ...graph import Arena, Graph
from ...rows import HEAD, draw, f32, i32, i64
from ..axon import Axon, close_line, open_line
from ..parameters import Model, Number, Rate, checked, numbers

PART = len(Axon._fields)  # where the rows of sources hold 1 + the number of their part
AGAIN, LONG = (
    -1.0,
    1024 - 0.25,
)  # steps left: draw anew; and how many are counted at most, so that the count ends below 0

LAST_STEP = 2.0**53  # up to which the clock counts


class Source(Model, frozen=True, kw_only=True):
    """Base of neurons that need no input."""

    def check(self, where: str, n: int, dt: float) -> None:
        """Raise `ConfigError` for what cannot be."""
        checked(self, where, n)

    def add(self, graph: Graph, axon: Axon, stream: int, name: str) -> tuple[tuple[int, ...], Kernel]:
        """State for `axon.n` neurons: the row, and the kernel that runs on it at every step."""
        raise NotImplementedError


class Poisson(Source, frozen=True, kw_only=True):
    """Independent Poisson trains: an interval of k steps has probability (1 − p)^(k − 1) p, p = 1 − e^(−rate dt).

    Only neurons that fire draw a number: that of steps to their next spike. What is not due within 1024 steps is drawn anew
    then, which changes nothing for trains without memory, and lets a rate that was 0 rise.
    """

    rate: Rate = 10.0  # Hz

    def add(self, graph: Graph, axon: Axon, stream: int, name: str) -> tuple[tuple[int, ...], Kernel]:
        n, rates = axon.n, np.asarray(self.rate, np.float64) * graph.clock.dt
        row = Countdown(*axon, graph.n_parts + 1, graph.f4(n, AGAIN), graph.f4(n, rates, Arena.LASTING), stream)
        graph.name(f"{name}.rate_dt", "f4", row.rates, (n,))
        graph.name(f"{name}.left", "f4", row.left, (n,))
        return row, count_down


class Countdown(NamedTuple):
    """Row of Poisson neurons: an axon, and"""

    n: int
    ring: int
    starts: int
    counts: int
    mask: int
    state: int
    capacity: int
    part: int  # 1 + the number of this part
    left: int  # f4[n]: steps until the next spike, or until a number is drawn anew
    rates: int  # f4[n]: spikes expected in a step
    stream: int


at = places(Countdown)


@kernel
def count_down(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Fire where no steps are left, and draw how many are left then."""
    where, n_spikes, left = open_line(i4, row), 0, row[at.left]
    for start in range(0, row[0], 256):
        stop = min(start + 256, row[0])
        some = i32(0)
        for i in range(start, stop):
            f4[left + i] -= f32(1.0)
            some |= i32(1) if f4[left + i] < f32(0.5) else i32(0)
        if some == i32(0):
            continue
        for i in range(start, stop):
            if f4[left + i] < f32(0.5):
                again, rate = f4[left + i] < f32(0.0), f4[row[at.rates] + i]
                steps = f32(LONG)
                if rate > f32(0.0):
                    steps = min(steps, f32(1.0 + np.floor(-math.log(1.0 - draw(f8, row[at.stream], i)) / rate)))
                if again and steps > f32(1.0):
                    f4[left + i] = steps - f32(1.0)
                else:
                    f4[left + i] = f32(AGAIN) if again else steps
                    i4[where + n_spikes] = i32(i)
                    n_spikes += 1
    close_line(i4, row, f8, where, n_spikes, row[PART])


class Regular(Source, frozen=True, kw_only=True):
    """Neurons that fire regularly: in step k if k rate dt + phase passes a whole number."""

    rate: Rate = 10.0  # Hz, at most one spike a step
    phase: Number = 0.0  # of a period, at the start

    def check(self, where: str, n: int, dt: float) -> None:
        p = checked(self, where, n)
        if np.any(np.asarray(p.rate) * dt > 1.0):
            raise ConfigError(f"{where}.rate: must be ≤ 1 / dt = {1.0 / dt:g} Hz, got {np.max(p.rate):g} Hz")

    def add(self, graph: Graph, axon: Axon, stream: int, name: str) -> tuple[tuple[int, ...], Kernel]:
        n = axon.n
        rates = graph.f8(n, np.asarray(self.rate, np.float64) * graph.clock.dt)
        return (*axon, graph.n_parts + 1, rates, graph.f8(n, np.asarray(self.phase, np.float64))), pass_whole_numbers


@kernel
def pass_whole_numbers(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Fire by what the clock says; nothing is accumulated, so nothing drifts."""
    where, n_spikes, now = open_line(i4, row), 0, f8[HEAD.clock]
    for i in range(row[0]):
        rate, phase = f8[row[8] + i], f8[row[9] + i]
        if math.floor((now + 1.0) * rate + phase + 1e-9) > math.floor(now * rate + phase + 1e-9):
            i4[where + n_spikes] = i32(i)
            n_spikes += 1
    close_line(i4, row, f8, where, n_spikes, row[PART])


class SpikeTrain(Source, frozen=True, kw_only=True):
    """Given spikes: neuron `ids[k]` fires in the step that holds `times[k]` (s, from the start of the simulation)."""

    times: Any
    ids: Any

    def check(self, where: str, n: int, dt: float) -> None:
        if np.ndim(self.times) != 1 or np.shape(self.times) != np.shape(self.ids):
            shapes = f"{np.shape(self.times)} and {np.shape(self.ids)}"
            raise ConfigError(f"{where}: times and ids must be lists of one length, got {shapes}")
        times, ids = numbers(self.times, f"{where}.times"), np.asarray(self.ids)
        if ids.size and (ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= n):
            raise ConfigError(f"{where}.ids: must be whole numbers from 0 to {n - 1}")
        if not np.isfinite(times).all() or (times < 0.0).any():
            raise ConfigError(f"{where}.times: must be ≥ 0 s and finite")
        if (times >= LAST_STEP * dt).any():
            raise ConfigError(f"{where}.times: must be < {LAST_STEP * dt:g} s, got {times.max():g} s")
        if len(np.unique(np.stack([self._steps(dt), ids]), axis=1).T) < ids.size:
            raise ConfigError(f"{where}.times: a neuron can fire only once within dt = {dt:g} s")

    def _steps(self, dt: float) -> NDArray[np.int64]:
        return np.floor(np.asarray(self.times, np.float64) / dt + 1e-6).astype(np.int64)

    def add(self, graph: Graph, axon: Axon, stream: int, name: str) -> tuple[tuple[int, ...], Kernel]:
        steps, ids = self._steps(graph.clock.dt), np.asarray(self.ids, np.int64)
        order = np.lexsort((ids, steps))
        train = graph.shared(np.concatenate([steps[order], ids[order]]).astype(np.int64))
        cursor = graph.i4(1)
        graph.index(cursor, 1, ids.size + 1)
        return (*axon, graph.n_parts + 1, train, ids.size, cursor), play_back


@kernel
def play_back(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Fire what is due."""
    train, size, cursor = i8_at(row[8]), row[9], i64(i4[row[10]])
    where, n_spikes, now = open_line(i4, row), 0, i64(f8[HEAD.clock])
    while cursor < size and train[cursor] <= now:
        if train[cursor] == now:
            i4[where + n_spikes] = i32(train[size + cursor])
            n_spikes += 1
        cursor += 1
    i4[row[10]] = i32(cursor)
    close_line(i4, row, f8, where, n_spikes, row[PART])
