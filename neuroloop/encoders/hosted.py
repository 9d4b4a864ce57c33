"""Encoders in Python inside an agent: what they return for a control step is played into the network.

The spikes are copied into arrays of the network's own before the control step, so that the step itself stays one compiled
call and copies of the network hold all that it needs.
"""

from __future__ import annotations

import contextlib
import importlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from .._numba import compiled, kernel, places
from ..errors import BadInput, CheckpointError, ConfigError, unknown
from ..graph import Graph, Mode, Phase
from ..network.engine import Engine, State
from ..rows import HEAD, f32, i32, i64
from ..settings import ClockConfig, PythonEncoder
from ..types import Spikes
from .firing import Firing
from .protocol import SpikeEncoder
from .selection import find

EPISODES = "encoder.episodes"
MOST_NEURONS = 1_000_000
MOST_SPIKES = 1 << 26  # in a control step
METHODS = ("bind", "reset", "encode", "state", "restore")
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
        spikes = self.encoder.encode(self._take(observation), tick)
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


class Hosts:
    """The encoders in Python of one network: their episodes and their state."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts, self._episodes = hosts, 0

    def __len__(self) -> int:
        return len(self._hosts)

    def attach(self, network: Engine) -> None:
        """Note where in the network spikes go."""
        for host in self._hosts:
            host.attach(network)

    def encode(self, observation: Any, tick: int, *, first: bool) -> None:
        """Hand the spikes of all for an observation to the network; `first`: an episode begins."""
        for host in self._hosts:
            if first:
                host.encoder.reset(self._episodes)
            host.encode(observation, tick)
        self._episodes += first

    def state(self) -> State:
        """A copy of the state of all."""
        if not self._hosts:
            return {}
        state = {
            f"{host.path}/{name}": np.array(array)
            for host in self._hosts
            for name, array in host.encoder.state().items()
        }
        return state | {EPISODES: np.array([self._episodes], np.int64)}

    @contextlib.contextmanager
    def restoring(self, state: Mapping[str, NDArray[Any]]) -> Iterator[None]:
        """Put back what `state` returned, for good if what is done meanwhile succeeds. Raises `CheckpointError`."""
        before = self.state()
        try:
            self.restore(state)
            yield
        except Exception:
            self.restore(before)
            raise

    @contextlib.contextmanager
    def visiting(self, state: State | None) -> Iterator[None]:
        """Work from `state` (None: an episode begins) for a while; afterwards all is as it was before."""
        before = self.state()
        try:
            if state is None:
                self._episodes = 0
            else:
                self.restore(state)
            yield
        finally:
            self.restore(before)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit; then it is as if half was restored."""
        if not self._hosts:
            return
        episodes = state.get(EPISODES, np.zeros(0))
        if episodes.shape != (1,) or episodes.dtype.kind != "i" or episodes[0] < 0:
            raise CheckpointError(f"encoder: array {EPISODES!r} should be one whole number")
        for host in self._hosts:
            start = f"{host.path}/"
            own = {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
            try:
                host.encoder.restore(own)
            except CheckpointError:
                raise
            except Exception as error:
                raise CheckpointError(f"{host.path}: its state cannot be restored: {error!r}") from error
        self._episodes = int(episodes[0])


def load(config: PythonEncoder, path: str) -> SpikeEncoder:
    """The encoder that a table names. Only a class with the methods of an encoder is called."""
    module, colon, name = config.of.partition(":")
    if not colon:
        raise ConfigError(f"{path}.of: must be module:Class, got {config.of!r}")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{path}.of: {module!r} cannot be imported: {error}") from None
    if not hasattr(found, name):
        raise ConfigError(f"{path}.of: " + unknown(f"class of {module}", name, vars(found)))
    made_of = getattr(found, name)
    missing = [method for method in METHODS if not callable(getattr(made_of, method, None))]
    if not isinstance(made_of, type) or missing:
        what = f"has no method {missing[0]!r}" if missing else "is no class"
        raise ConfigError(f"{path}.of: {config.of} {what}; see neuroloop.encoders.SpikeEncoder")
    try:
        encoder: SpikeEncoder = made_of(**config.arguments)
    except TypeError as error:
        raise ConfigError(f"{path}.arguments: {config.of}: {error}") from None
    return encoder


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
