"""Encoders in Python inside an agent: what they return for a control step is played into the network.

The spikes are copied into arrays of the network's own before the control step, so that the step itself stays one compiled
call and copies of the network hold all that it needs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces

from .._numba import compiled, kernel, places
from ..errors import BadInput, ConfigError, PlantError
from ..graph import Graph, Mode, Phase
from ..network.engine import Engine
from ..rows import HEAD, f32, i32, i64
from ..settings import ClockConfig
from ..types import Spikes
from .firing import Firing
from .protocol import METHODS, SpikeEncoder
from .selection import find

MOST_NEURONS = 1_000_000
MOST_SPIKES = 1 << 26  # in a control step
FINE, BAD_OFFSETS, OUT_OF_RANGE, UNSORTED = range(4)
SAID = {
    BAD_OFFSETS: "offsets must be n_steps + 1 numbers from 0 on that never fall, and ids at least as many as the last",
    OUT_OF_RANGE: "an id is not among its neurons",
    UNSORTED: "the ids of a step must rise",
}


class Played(NamedTuple):
    """Row of neurons that play spikes back."""

    n: int
    ids: int  # i4[n × n_steps]: spikes of this control step
    offsets: int  # i4[n_steps + 1]
    fired: int  # f4[n]


at = places(Played)


@kernel
def play(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Fire what is due at this step, and nothing of the step before."""
    step, fired, ids = i64(f8[HEAD.step]), row[at.fired], row[at.ids]
    if step == 0:
        for k in range(row[at.n]):
            f4[fired + k] = f32(0.0)
    else:
        for k in range(i4[row[at.offsets] + step - 1], i4[row[at.offsets] + step]):
            f4[fired + i4[ids + k]] = f32(0.0)
    for k in range(i4[row[at.offsets] + step], i4[row[at.offsets] + step + 1]):
        f4[fired + i4[ids + k]] = f32(1.0)


@compiled
def _take_over(from_ids: Any, from_offsets: Any, n: Any, ids: Any, offsets: Any) -> Any:
    """Copy spikes that can be; returns what is wrong with others, and then copies nothing."""
    steps, total = offsets.size - 1, i64(from_offsets[-1]) if from_offsets.size else i64(0)
    if from_offsets.size != steps + 1 or from_offsets[0] != 0 or total > from_ids.size:
        return BAD_OFFSETS
    for step in range(steps):
        start, stop, before = i64(from_offsets[step]), i64(from_offsets[step + 1]), i64(-1)
        if not start <= stop <= total:
            return BAD_OFFSETS
        for k in range(start, stop):
            j = i64(from_ids[k])
            if j < 0 or j >= n:
                return OUT_OF_RANGE
            if j <= before:
                return UNSORTED
            before = j
    for k in range(total):
        ids[k] = i32(from_ids[k])
    for step in range(steps + 1):
        offsets[step] = i32(from_offsets[step])
    return FINE


class Host:
    """An encoder in Python, bound to what it encodes. Raises `BadInput` where it does not keep to the protocol."""

    def __init__(
        self, path: str, encoder: SpikeEncoder, keys: Sequence[str], space: Space[Any], clock: ClockConfig, seed: int
    ) -> None:
        missing = [name for name in METHODS if not callable(getattr(encoder, name, None))]
        if missing:
            raise BadInput(f"{path}: {type(encoder).__name__} has no method {missing[0]!r}; see SpikeEncoder")
        self._keys = keys
        part, self._take = _what(keys, space, path)
        own_seed = int(np.random.SeedSequence([seed, zlib.crc32(path.encode())]).generate_state(1)[0])
        n = encoder.bind(part, clock, own_seed)
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= MOST_NEURONS:
            raise BadInput(f"{path}: bind must return the number of neurons, from 1 to {MOST_NEURONS}, got {n!r}")
        if n * clock.n_steps > MOST_SPIKES:
            raise BadInput(f"{path}: {n} neurons over {clock.n_steps} steps are more than {MOST_SPIKES} spikes")
        self.path, self.encoder, self.n = path, encoder, int(n)
        self._ids, self._offsets = np.zeros(0, np.int32), np.zeros(0, np.int32)

    def attach(self, network: Engine) -> None:
        """Note where in the network spikes go."""
        self._ids, self._offsets = network.view(f"{self.path}.ids"), network.view(f"{self.path}.offsets")

    def encode(self, observation: Any, tick: int) -> None:
        """Hand the spikes for an observation to the network."""
        try:
            given = self._take(observation)
        except (KeyError, IndexError, TypeError) as error:
            raise PlantError(f"{self.path}: the observation has no {' and '.join(self._keys)}: {error!r}") from None
        spikes = self.encoder.encode(given, tick)
        said = "must be Spikes of whole numbers"
        if isinstance(spikes, Spikes) and all(
            isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "iu" for array in spikes
        ):
            whole = [np.ascontiguousarray(array, np.int32) for array in spikes]
            verdict = _take_over(*whole, self.n, self._ids, self._offsets)
            if verdict == FINE:
                return
            said = SAID[verdict]
        raise BadInput(f"{self.path}: what {type(self.encoder).__name__}.encode returned cannot be played: {said}")


def add_played(graph: Graph, host: Host, tau_trace: float) -> Firing:
    """Add the neurons of an encoder in Python to the graph."""
    n, n_steps = host.n, graph.clock.n_steps
    played = Played(n=n, ids=graph.i4(n * n_steps), offsets=graph.i4(n_steps + 1), fired=graph.f4(n))
    graph.name(f"{host.path}.ids", "i4", played.ids, (n * n_steps,))
    graph.name(f"{host.path}.offsets", "i4", played.offsets, (n_steps + 1,))
    graph.index(played.ids, n * n_steps, n)
    graph.index(played.offsets, n_steps + 1, n * n_steps + 1)
    graph.consistent(lambda read: bool((np.diff(read(played.offsets, n_steps + 1)) >= 0).all()))
    graph.call(Phase.FIRE, play, graph.part(played), Mode.ACT | Mode.LOOK)
    return Firing(n, played.fired, None, graph.steps(tau_trace) / n_steps, 0.5 * n, tau_trace)


def _what(keys: Sequence[str], space: Space[Any], path: str) -> tuple[Space[Any], Callable[[Any], Any]]:
    """The space of what an encoder in Python is given, and how it is taken out of the observation."""
    found = [find(space, key, f"{path}.on") for key in keys]
    for one in found:
        if one.within:
            raise ConfigError(f"{path}.on: an encoder in Python is given whole keys, not {one.key!r}")
    if not found:
        return space, lambda observation: observation
    if len(found) == 1:
        return found[0].space, found[0].take
    together = spaces.Dict({one.key: one.space for one in found})
    return together, lambda observation: {one.key: one.take(observation) for one in found}
