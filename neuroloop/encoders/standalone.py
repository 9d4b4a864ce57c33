"""Encoders by themselves: the same compiled parts as in an agent, for `neuroloop.Network` or anything else.

encoder = make({"kind": "spindle", "velocity": ["speeds"], "on": ["angles"]}, space, n_steps=20)
spikes = encoder.encode(observation)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .. import arguments, config
from .._numba import kernel, places
from ..errors import BadInput, CheckpointError, NeuroloopError
from ..graph import Graph, Mode, Phase
from ..network.decision.cells import CELL, CLASS, ROW_FIELDS, CellSource
from ..network.engine import Engine
from ..rows import HEAD, f32, i32, i64
from ..settings import AnyEncoder, ClockConfig
from ..types import Spikes
from ..walk import OK, encode
from .kinds import Part, add_parts
from .monotone import monotone_of
from .normaliser import OBSERVATION
from .senses import Senses

BLOCK = 32
FIRST = "first"  # the name in its state of whether an episode begins


class Gathered(NamedTuple):
    """Row of what gathers the spikes of one part."""

    n: int
    first_id: int  # of its neurons
    fired: int  # f4[n]
    ids: int  # i4
    offsets: int  # i4[n_steps + 1]


class GatheredCells(NamedTuple):
    """Row of what gathers the spikes of cells."""

    n_active: int
    first_id: int
    active: int  # i4[n_active]: rows of cells
    records: int  # i4[rows, ROW_FIELDS]
    fires: int  # i4: the class that fires
    ids: int
    offsets: int


at, of = places(Gathered), places(GatheredCells)


@kernel
def gather(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Note who fires at this step."""
    step = i64(f8[HEAD.step])
    count = i64(i4[row[at.offsets] + step + 1]) if row[at.first_id] > 0 else i64(i4[row[at.offsets] + step])
    fired, ids = row[at.fired], row[at.ids]
    for start in range(0, row[at.n], BLOCK):  # most neurons are silent: look at many at once
        stop, some = min(start + BLOCK, row[at.n]), i32(0)
        for k in range(start, stop):
            some |= i32(1) if f4[fired + k] != f32(0.0) else i32(0)
        if some == i32(0):
            continue
        for k in range(start, stop):
            i4[ids + count] = i32(row[at.first_id] + k)  # overwritten by the next, if this one is silent
            count += i64(1) if f4[fired + k] != f32(0.0) else i64(0)
    i4[row[at.offsets] + step + 1] = i32(count)


@kernel
def gather_cells(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Note which cells fire at this step."""
    step = i64(f8[HEAD.step])
    count = i64(i4[row[of.offsets] + step + 1]) if row[of.first_id] > 0 else i64(i4[row[of.offsets] + step])
    for k in range(row[of.n_active]):
        record = row[of.records] + ROW_FIELDS * i64(i4[row[of.active] + k])
        if i4[record + CLASS] == i4[row[of.fires]]:
            i4[row[of.ids] + count] = i32(row[of.first_id] + i4[record + CELL])
            count += 1
    i4[row[of.offsets] + step + 1] = i32(count)


def _add_gatherers(graph: Graph, parts: Mapping[str, Part]) -> int:
    """Gather the spikes of all parts, numbered one part after the other; returns how many neurons there are."""
    n_steps, n = graph.clock.n_steps, 0
    most = sum(part.cells.n_active if isinstance(part, CellSource) else part.n for part in parts.values()) * n_steps
    ids, offsets = graph.i4(most + 1), graph.i4(n_steps + 1)  # one more, for who is silent
    graph.name("ids", "i4", ids, (most,))
    graph.name("offsets", "i4", offsets, (n_steps + 1,))
    for part in parts.values():
        if isinstance(part, CellSource):
            cells = part.cells
            row = graph.part(GatheredCells(cells.n_active, n, cells.active, cells.records, cells.fires, ids, offsets))
            graph.call(Phase.RECORD, gather_cells, row, Mode.ACT)
        else:
            graph.call(Phase.RECORD, gather, graph.part(Gathered(part.n, n, part.fired, ids, offsets)), Mode.ACT)
        n += part.n
    return n


class Encoder:
    """An encoder by itself; see `SpikeEncoder` for its methods. `make` makes one that is bound."""

    def __init__(self, settings: AnyEncoder | Mapping[str, Any]) -> None:
        table = settings if isinstance(settings, Mapping) else msgspec.to_builtins(settings)
        self.settings = config.encoder(table)
        self.n = 0  # neurons, once it is bound

    def bind(self, space: Space[Any], clock: ClockConfig, seed: int) -> int:
        """Make ready for observations of `space`; returns the number of neurons."""
        seed = arguments.seed("seed", seed)
        graph = Graph(clock, seed)
        graph.signal("awake", 1.0)
        self.space, self.clock = space, clock
        self._senses = Senses(self.settings, space, clock, seed)
        parts = add_parts(graph, self._senses, memory=1)
        self.n = _add_gatherers(graph, parts)
        self._engine = Engine(graph)
        self._senses.hosts.attach(self._engine)
        self._spikes = Spikes(self._engine.view("ids"), self._engine.view("offsets"))
        self._plan, self._place = self._engine.plan(Mode.ACT), self._engine.place(OBSERVATION)
        self._encode, self._first, self._hosted = encode.now, True, len(self._senses.hosts) > 0
        self.monotone = monotone_of(self._senses)
        return self.n

    def reset(self, episode: int = 0) -> None:
        """Begin an episode: forget the one before. Ranges stay as they are."""
        self._must_be_bound()
        self._engine.begin_anew(self._engine.pools)
        self._first = True

    def encode(self, observation: Any, tick: int | None = None) -> Spikes:
        """Spikes of a control step; views, overwritten by the next call. Without `tick` control steps are counted here.

        Raises `PlantError` for what is no observation of the space, and is then as if it had not been called.
        """
        if not self.n:
            self._must_be_bound()
        senses = self._senses
        flat = senses.flat(observation)
        if self._hosted:
            senses.check_finite(flat)
            senses.hosts.encode(observation, self._engine.tick if tick is None else tick, first=self._first)
        if self._encode(self._plan, self._place, flat, self._first, -1 if tick is None else tick) != OK:
            senses.check_finite(flat)
        self._first = False
        return self._spikes

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that changes."""
        self._must_be_bound()
        return self._engine.state() | self._senses.hosts.state() | {FIRST: np.array([self._first])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. If it does not fit, raises `CheckpointError` and changes nothing."""
        self._must_be_bound()
        first = state.get(FIRST) if isinstance(state, Mapping) else None
        if not isinstance(first, np.ndarray) or first.shape != (1,) or first.dtype.kind != "b":
            raise CheckpointError(f"encoder: array {FIRST!r} should be bool[1]")
        with self._senses.hosts.restoring(state):
            self._engine.restore(state)
        self._first = bool(first[0])

    def _must_be_bound(self) -> None:
        if not self.n:
            raise NeuroloopError("the encoder is not bound to an observation space; call bind, or use make")


def make(
    settings: AnyEncoder | Mapping[str, Any],
    space: Space[Any],
    *,
    dt: float = 1e-3,
    n_steps: int = 20,
    period: float | None = None,
    seed: int = 0,
) -> Encoder:
    """An encoder for observations of `space`, by itself.

    `settings`: a table as in an agent's file, such as `{"kind": "rate", "max_rate": 100.0}`, or its struct. A control step has
    `n_steps` of `dt` (s); `period` (s) is what it lasts for the plant, n_steps × dt unless given.
    """
    clock = config.table(
        {"dt": dt, "n_steps": n_steps, "period": dt * n_steps if period is None else period}, ClockConfig
    )
    if not isinstance(space, Space):
        raise BadInput(f"make: space must be a Gymnasium space, got {space!r}")
    encoder = Encoder(settings)
    encoder.bind(space, clock, seed)
    return encoder
