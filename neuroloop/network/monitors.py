"""What is written down while a network runs: spikes of a population, or state variables of chosen neurons."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import i4_at, kernel, places
from ..errors import BadInput, ConfigError, unknown
from ..graph import Graph, Mode, Phase
from ..rows import HEAD, i32, i64
from .axon import Axon
from .neurons.base import Neuron
from .population import Population

if TYPE_CHECKING:
    from .network import Network
    from .running import Running

ROOM = 1 << 18  # numbers that a monitor holds at least before it is emptied


class Log(NamedTuple):
    """Row of a spike monitor."""

    ring: int
    starts: int
    counts: int
    mask: int
    ids: int  # i4[capacity]
    steps: int  # i4[capacity]: since the monitor was last emptied
    used: int  # i4[2]: entries, and steps
    capacity: int
    reserve: int  # entries that a control step may need


class Probe(NamedTuple):
    """Row of a state monitor."""

    source: int  # f4[n]
    neurons: int  # address of int32[k]
    k: int
    values: int  # f4[capacity × k]
    used: int  # i4[2]: lines, and lines
    capacity: int  # lines
    reserve: int


at, of = places(Log), places(Probe)


@kernel
def note(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Write down who fired."""
    line = i64(f8[HEAD.clock]) & row[at.mask]
    first, size, used = row[at.ring] + i4[row[at.starts] + line], i4[row[at.counts] + line], i64(i4[row[at.used]])
    now = i4[row[at.used] + 1]
    for k in range(size):
        i4[row[at.ids] + used + k], i4[row[at.steps] + used + k] = i4[first + k], now
    i4[row[at.used]], i4[row[at.used] + 1] = i32(used + size), now + i32(1)
    if used + size + row[at.reserve] > row[at.capacity]:
        f8[HEAD.full] = 1.0


@kernel
def probe(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Write down what some neurons' state is, after reset and arrivals."""
    used, k, neurons = i64(i4[row[of.used]]), row[of.k], i4_at(row[of.neurons])
    for m in range(k):
        f4[row[of.values] + used * k + m] = f4[row[of.source] + neurons[m]]
    i4[row[of.used]] = i4[row[of.used] + 1] = i32(used + 1)
    if used + 1 + row[of.reserve] > row[of.capacity]:
        f8[HEAD.full] = 1.0


class SpikeMonitor:
    """All spikes of a population since recording began: with the first run, or anew with the latest `Network.restore`."""

    def __init__(self, network: Network, population: Population) -> None:
        if not population.fires:
            raise ConfigError(f"{population.name}: never fires; name a variable to record")
        self.network, self.population = network, population
        self._ids: list[NDArray[np.int32]] = []
        self._steps: list[NDArray[np.int64]] = []
        self._begin = 0

    @property
    def ids(self) -> NDArray[np.int32]:
        """Neurons that fired, by step and then by number, shape (n_spikes,)."""
        self.network.empty_monitors()
        return np.concatenate([np.empty(0, np.int32), *self._ids])

    @property
    def steps(self) -> NDArray[np.int64]:
        """Steps in which they fired, counted from the start of the simulation."""
        self.network.empty_monitors()
        return np.concatenate([np.empty(0, np.int64), *self._steps])

    @property
    def times(self) -> NDArray[np.float64]:
        """When they fired, s: the beginning of the step."""
        return np.asarray(self.steps * self.network.dt)

    def counts(self) -> NDArray[np.int64]:
        """Spikes of each neuron, shape (n,)."""
        return np.bincount(self.ids, minlength=self.population.n)

    def build(self, graph: Graph, axon: Axon) -> None:
        """Add it to the graph."""
        reserve = self.population.n * graph.clock.n_steps
        capacity = max(ROOM, 2 * reserve)
        self._row = Log(
            axon.ring, axon.starts, axon.counts, axon.mask, graph.i4(capacity), graph.i4(capacity), graph.i4(2), capacity,
            reserve + self.population.n,
        )  # fmt: skip
        graph.index(self._row.used, 1, capacity)
        graph.call(Phase.RECORD, note, graph.part(self._row), Mode.ACT)

    def empty(self, running: Running) -> None:
        """Take out what was recorded."""
        i4, place = running.engine.pools["i4"], running.graph.place
        used, n_steps = (int(x) for x in i4[place(self._row.used) :][:2])
        self._ids.append(i4[place(self._row.ids) :][:used].copy())
        self._steps.append(self._begin + i4[place(self._row.steps) :][:used].astype(np.int64))
        self._begin += n_steps
        i4[place(self._row.used) :][:2] = 0

    def restart(self, running: Running, clock: int) -> None:
        """Forget what was recorded; `clock`: steps since the start of the simulation."""
        running.engine.pools["i4"][running.graph.place(self._row.used) :][:2] = 0
        self._ids, self._steps, self._begin = [], [], clock


class StateMonitor:
    """A state variable of some neurons at every step since recording began, as with spikes."""

    def __init__(self, network: Network, population: Population, variable: Any, neurons: Any) -> None:
        state = population.model.STATE if isinstance(population.model, Neuron) else {}
        if not isinstance(variable, str) or variable not in state:
            raise ConfigError(f"{population.name}: {unknown('variable', str(variable), state)}")
        self.network, self.population, self.variable = network, population, variable
        self.neurons = neurons_of(population, neurons)
        self._values: list[NDArray[np.float32]] = []
        self._begin = 0

    @property
    def values(self) -> NDArray[np.float32]:
        """Shape (n_steps, n_neurons); a line is the state at the end of its step."""
        self.network.empty_monitors()
        return np.concatenate([np.empty((0, self.neurons.size), np.float32), *self._values])

    @property
    def times(self) -> NDArray[np.float64]:
        """The ends of the steps, s."""
        return np.asarray((self._begin + 1 + np.arange(len(self.values))) * self.network.dt)

    def build(self, graph: Graph, source: int) -> None:
        """Add it to the graph."""
        k, n_steps = self.neurons.size, graph.clock.n_steps
        capacity = max(ROOM // k, 2 * n_steps)
        self._row = Probe(source, graph.shared(self.neurons), k, graph.f4(capacity * k), graph.i4(2), capacity, n_steps)
        graph.index(self._row.used, 1, capacity)
        graph.call(Phase.RECORD, probe, graph.part(self._row), Mode.ACT)

    def empty(self, running: Running) -> None:
        """Take out what was recorded."""
        pools, place = running.engine.pools, running.graph.place
        used = int(pools["i4"][place(self._row.used)])
        values = pools["f4"][place(self._row.values) :][: used * self.neurons.size]
        self._values.append(values.reshape(used, self.neurons.size).copy())
        pools["i4"][place(self._row.used) :][:2] = 0

    def restart(self, running: Running, clock: int) -> None:
        """Forget what was recorded; `clock`: steps since the start of the simulation."""
        running.engine.pools["i4"][running.graph.place(self._row.used) :][:2] = 0
        self._values, self._begin = [], clock


def neurons_of(population: Population, neurons: Any) -> NDArray[np.int32]:
    """Chosen neurons as ids. Raises `BadInput`."""
    try:
        ids = np.arange(population.n) if neurons is None else np.atleast_1d(np.asarray(neurons))
    except (TypeError, ValueError):
        ids = np.empty(0, object)
    if ids.ndim != 1 or ids.size == 0 or ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= population.n:
        raise BadInput(
            f"{population.name}: neurons must be whole numbers from 0 to {population.n - 1}, got {reprlib.repr(neurons)}"
        )
    return ids.astype(np.int32)
