"""A projection of a network: what was asked for, checked at once; after building, live views of its weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, ConfigError
from ..graph import Arena, Graph, Mode, Phase
from . import wires
from .axon import Axon
from .layouts import AllToAll, AllToOthers, Convolution, Layout, OneToOne, Pairs, Rows, Sparse
from .parameters import Model, NonNegative, Number, Range, checked, number, steps
from .population import Built, Population
from .synapses import Synapse, check_synapse

if TYPE_CHECKING:
    from .._numba import Kernel
    from ..plasticity.rule import Rule
    from ..plasticity.short_term import ShortTerm
    from .devices import Device
    from .network import Network


class Uniform(Model, frozen=True, kw_only=True):
    """Weights drawn evenly from [low, high)."""

    low: Number = 0.0
    high: Number = 1.0


class Normal(Model, frozen=True, kw_only=True):
    """Weights drawn from a normal distribution."""

    mean: Number = 0.0
    sd: NonNegative = 1.0


Sign = Literal["excitatory", "inhibitory"]


class Asked(NamedTuple):
    """What `Network.connect` was asked for."""

    pre: Population
    post: Population
    weights: Any
    delay: Any
    layout: Layout
    synapse: Synapse
    plasticity: Rule | None
    short_term: ShortTerm | None
    device: Device | None
    bounds: tuple[float, float]
    sign: Sign | None


class Projection:
    """Synapses from one population to another."""

    def __init__(self, network: Network, name: str, asked: Asked) -> None:
        self.network, self.name = network, name
        asked.layout.check(f"{name}.layout", asked.pre.n, asked.post.n)
        check_synapse(asked.synapse, f"{name}.synapse", network.dt)
        if not asked.pre.fires:
            raise ConfigError(f"{name}.pre: {asked.pre.name!r} never fires")
        if asked.post.model is None or not hasattr(asked.post.model, "update"):
            raise ConfigError(f"{name}.post: {asked.post.name!r} takes no input")
        self.asked = asked._replace(bounds=_bounds(name, asked))
        self.delay_steps = steps(_delays(name, asked), network.dt, f"{name}.delay")
        _check_weights(name, self.asked)
        self._check_parts()
        self.rows: Rows | None = None
        self.wired: Wired | None = None
        self.settler: tuple[Kernel, int] | None = None

    def _check_parts(self) -> None:
        name, asked = self.name, self.asked
        plastic = [part for part in (asked.plasticity, asked.device) if part is not None]
        if plastic and isinstance(asked.layout, Convolution | AllToOthers):
            kind = type(asked.layout).__name__
            raise ConfigError(f"{name}: {kind} shares weights among synapses, so they cannot change one by one")
        if plastic and self.delay_steps.ndim:
            raise ConfigError(f"{name}.delay: plasticity needs one delay for all synapses, got an array")
        if asked.plasticity is not None:
            asked.plasticity.check(name, asked, self.network.dt)
        elif asked.device is not None:
            raise ConfigError(f"{name}.device: does nothing without plasticity; leave it out")
        if asked.short_term is not None:
            if asked.plasticity is not None:
                raise ConfigError(f"{name}: short-term and long-term plasticity do not go together on one projection")
            checked(asked.short_term, f"{name}.short_term")
        if asked.device is not None:
            asked.device.check(f"{name}.device", asked.bounds)

    def __repr__(self) -> str:
        return f"Projection({self.name!r}, {self.asked.pre.name!r} -> {self.asked.post.name!r})"

    @property
    def weights(self) -> NDArray[np.float32]:
        """A live view of the weights, brought up to date: (n_pre, n_post), (n,) or (n_synapses,) as `pairs` lists them."""
        return self.network._settled(f"{self.name}.weights")

    @weights.setter
    def weights(self, value: Any) -> None:
        view, array = self.weights, np.asarray(value, np.float64)
        if array.shape not in ((), view.shape):
            raise BadInput(f"{self.name}.weights: expected shape {view.shape}, got {array.shape}")
        _check_values(f"{self.name}.weights", array, self.asked.bounds)
        view[...] = array

    @property
    def eligibility(self) -> NDArray[np.float32]:
        """A live view of the eligibility traces at the end of the latest control step, shaped as the weights."""
        return self.network._settled(f"{self.name}.eligibility")

    @property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Presynaptic and postsynaptic neurons of all synapses, in the order of `weights.ravel()`."""
        self.network._build()
        asked = self.asked
        if self.rows is not None:
            return np.repeat(np.arange(asked.pre.n), np.diff(self.rows.pointers)), self.rows.targets.astype(np.int64)
        if isinstance(asked.layout, OneToOne):
            return np.arange(asked.pre.n), np.arange(asked.pre.n)
        pre, post = np.divmod(np.arange(asked.pre.n * asked.post.n), asked.post.n)
        return pre, post


def _bounds(name: str, asked: Asked) -> tuple[float, float]:
    if len(asked.bounds) != 2:
        raise ConfigError(f"{name}.bounds: must be two numbers, got {asked.bounds}")
    low, high = (float(np.float32(bound)) for bound in asked.bounds)
    if asked.sign not in (None, "excitatory", "inhibitory"):
        raise ConfigError(f"{name}.sign: must be 'excitatory' or 'inhibitory', got {asked.sign!r}")
    low, high = (
        max(low, 0.0) if asked.sign == "excitatory" else low,
        min(high, 0.0) if asked.sign == "inhibitory" else high,
    )
    if not low < high:
        raise ConfigError(f"{name}.bounds: the lower must be below the upper, got {low:g} and {high:g}")
    return low, high


def _delays(name: str, asked: Asked) -> Any:
    """One delay, or one for each of the given synapses."""
    delay = number(asked.delay, Range(0.0, unit="s"), f"{name}.delay", _n_given(asked.layout))
    if np.ndim(delay) and not isinstance(asked.layout, Pairs):
        raise ConfigError(f"{name}.delay: one for each synapse needs layout = Pairs(pre=…, post=…)")
    return delay


def _n_given(layout: Layout) -> int | None:
    return len(np.asarray(layout.pre)) if isinstance(layout, Pairs) else None


def _check_weights(name: str, asked: Asked) -> None:
    where, weights, layout = f"{name}.weights", asked.weights, asked.layout
    if isinstance(weights, Uniform | Normal):
        checked(weights, where)
        if isinstance(weights, Uniform):
            _check_values(where, np.array([weights.low, weights.high], np.float64), asked.bounds)
        return
    if isinstance(layout, Convolution):
        _check_values(where, np.asarray(weights, np.float64) * np.asarray(layout.kernel, np.float64), asked.bounds)
    array = np.asarray(weights, np.float64)
    shapes: list[tuple[int, ...]] = [()]
    if isinstance(layout, AllToAll):
        shapes.append((asked.pre.n, asked.post.n))
    elif isinstance(layout, OneToOne):
        shapes.append((asked.pre.n,))
    elif isinstance(layout, Pairs):
        shapes.append((_n_given(layout) or 0,))
    if array.shape not in shapes:
        expected = " or ".join("one number" if not shape else f"an array of shape {shape}" for shape in shapes)
        raise ConfigError(f"{where}: must be {expected}, got shape {array.shape}")
    _check_values(where, array, asked.bounds)


def _check_values(where: str, array: NDArray[np.float64], bounds: tuple[float, float]) -> None:
    if not np.isfinite(array).all():
        raise ConfigError(f"{where}: must be finite")
    low, high = bounds
    outside = (array.astype(np.float32) < low) | (array.astype(np.float32) > high)
    if outside.any():
        raise ConfigError(f"{where}: must lie within {low:g} and {high:g}, got {array[outside].ravel()[0]:g}")


class Wired(NamedTuple):
    """A projection in the graph: what plasticity needs to know. Symbols and numbers."""

    name: str
    pre: Axon
    post: Built
    delay: int  # steps
    n_synapses: int
    dense: bool
    pointers: int  # address of int64[n_pre + 1]
    targets: int  # address of int32[n_synapses]; unused if dense
    weights: int
    arrivals: int
    bounds: tuple[float, float]
    shape: tuple[int, ...]


def build(graph: Graph, projection: Projection, pre: Built, post: Built) -> None:
    """Add a projection: its weights, and the kernel that lets spikes travel, with or without plasticity."""
    asked, name = projection.asked, projection.name
    arrivals = post.receptors[asked.synapse].arrivals
    projection.rows = _rows(graph, projection)
    if asked.plasticity is not None:
        projection.wired = _wire_plastic(graph, projection, pre, post, arrivals)
        projection.settler = asked.plasticity.add(graph, projection.wired, asked)
        if asked.device is not None:
            asked.device.age(graph, projection.wired, projection.settler)
        return
    gains = -1 if asked.short_term is None else asked.short_term.add(graph, name, pre.axon, int(projection.delay_steps))
    if isinstance(asked.layout, Convolution):
        return _build_convolution(graph, asked, pre, arrivals, int(projection.delay_steps), gains)
    if projection.delay_steps.ndim and np.ptp(projection.delay_steps):
        return _build_wheel(graph, projection, pre, arrivals, gains)
    delay = int(np.max(projection.delay_steps, initial=0))
    uniform = np.ndim(asked.weights) == 0 and not isinstance(asked.weights, Uniform | Normal)
    shape = _shape(projection)
    weights = graph.f4(1 if uniform else math.prod(shape), _values(graph, projection), Arena.LASTING)
    pointers, targets = _addresses(graph, projection.rows)
    row = wires.Wire(*_from(pre.axon), delay, asked.post.n, arrivals, weights, int(uniform), gains, pointers, targets)
    kernel = wires.sparse
    if isinstance(asked.layout, AllToAll):
        kernel = wires.dense
    elif isinstance(asked.layout, OneToOne):
        kernel = wires.one_to_one
    elif isinstance(asked.layout, AllToOthers):
        kernel = wires.all_to_others
    graph.call(Phase.TRAVEL, kernel, graph.part(row), Mode.ACT)
    graph.name(f"{name}.weights", "f4", weights, () if uniform else shape)


def _from(axon: Axon) -> tuple[int, int, int, int]:
    return axon.ring, axon.starts, axon.counts, axon.mask


def _rows(graph: Graph, projection: Projection) -> Rows | None:
    asked = projection.asked
    if isinstance(asked.layout, Sparse):
        seed = int(graph.rng.integers(2**63))
        return asked.layout.rows(asked.pre.n, asked.post.n, asked.pre is asked.post, seed)
    if asked.plasticity is not None and isinstance(asked.layout, OneToOne):
        return Rows(np.arange(asked.pre.n + 1, dtype=np.int64), np.arange(asked.pre.n, dtype=np.int32))
    return None


def _shape(projection: Projection) -> tuple[int, ...]:
    asked = projection.asked
    if isinstance(asked.layout, AllToAll):
        return asked.pre.n, asked.post.n
    return (asked.pre.n,) if projection.rows is None else (projection.rows.targets.size,)


def _addresses(graph: Graph, rows: Rows | None) -> tuple[int, int]:
    return (0, 0) if rows is None else (graph.shared(rows.pointers), graph.shared(rows.targets))


def _values(graph: Graph, projection: Projection) -> Any:
    """The weights, or a function that draws them where they will lie."""
    asked, (low, high) = projection.asked, projection.asked.bounds
    weights = asked.weights
    if not isinstance(weights, Uniform | Normal):
        array = np.asarray(weights, np.float64)
        order = None if projection.rows is None else projection.rows.order
        return array.ravel() if order is None or array.ndim == 0 else array[order]
    seed = int(graph.rng.integers(2**63))

    def draw(view: NDArray[Any]) -> None:
        rng = np.random.default_rng(seed)
        if isinstance(weights, Uniform):
            rng.random(out=view, dtype=np.float32)
            view *= float(weights.high) - float(weights.low)
            view += float(weights.low)
        else:
            rng.standard_normal(out=view, dtype=np.float32)
            view *= float(weights.sd)
            view += float(weights.mean)
        np.clip(view, low, high, out=view)

    return draw


def _wire_plastic(graph: Graph, projection: Projection, pre: Built, post: Built, arrivals: int) -> Wired:
    asked, shape = projection.asked, _shape(projection)
    size, values = math.prod(shape), _values(graph, projection)

    def fill(view: NDArray[Any]) -> None:
        if callable(values):
            values(view)
        else:
            view[:] = values
        if asked.device is not None:
            asked.device.prepare(view, asked.bounds)

    weights = graph.f4(size, fill, Arena.LASTING)
    graph.name(f"{projection.name}.weights", "f4", weights, shape)
    return Wired(
        projection.name, pre.axon, post, int(projection.delay_steps), size, projection.rows is None,
        *_addresses(graph, projection.rows), weights, arrivals, asked.bounds, shape,
    )  # fmt: skip


def _build_convolution(graph: Graph, asked: Asked, pre: Built, arrivals: int, delay: int, gains: int) -> None:
    layout = asked.layout
    assert isinstance(layout, Convolution)
    kernel = np.asarray(layout.kernel, np.float64) * np.asarray(asked.weights, np.float64)
    filters, _, high, wide = kernel.shape
    weights = graph.f4(kernel.size, kernel.transpose(1, 2, 3, 0), Arena.LASTING)
    row = wires.Window(
        *_from(pre.axon), delay, asked.post.n, arrivals, weights, 0, gains, *layout.shape[1:], filters, high, wide,
        layout.stride, layout.padding, *layout.output_shape[1:],
    )  # fmt: skip
    graph.call(Phase.TRAVEL, wires.convolution, graph.part(row), Mode.ACT)


def _build_wheel(graph: Graph, projection: Projection, pre: Built, arrivals: int, gains: int) -> None:
    """Sort each row by delay and cut it into segments."""
    asked, rows = projection.asked, projection.rows
    assert rows is not None
    delays = np.broadcast_to(projection.delay_steps, rows.targets.shape)
    delays = delays if rows.order is None else delays[rows.order]
    sources = np.repeat(np.arange(asked.pre.n), np.diff(rows.pointers))
    by_delay = np.lexsort((np.arange(delays.size), delays, sources))
    order = by_delay if rows.order is None else rows.order[by_delay]
    projection.rows = rows = Rows(rows.pointers, rows.targets[by_delay], order)
    delays = delays[by_delay]
    begins = np.flatnonzero(np.diff(sources, prepend=-1) | np.diff(delays, prepend=-1)).astype(np.int64)
    pointers = np.searchsorted(begins, rows.pointers).astype(np.int64)
    uniform = np.ndim(asked.weights) == 0 and not isinstance(asked.weights, Uniform | Normal)
    n_slots, capacity = 1 << int(delays.max()).bit_length(), max(4 * asked.pre.n, 1 << 16)
    weights = graph.f4(1 if uniform else delays.size, _values(graph, projection), Arena.LASTING)
    cursor, last, chain, free = graph.i4(capacity), graph.i4(capacity), graph.i4(capacity), graph.i4(2)
    slots = graph.i4(n_slots)
    row = wires.Wheel(
        *_from(pre.axon), 0, asked.post.n, arrivals, weights, int(uniform), gains, graph.shared(pointers),
        graph.shared(rows.targets), graph.shared(np.append(begins, delays.size)),
        graph.shared(delays[begins].astype(np.int32)), slots, n_slots - 1, cursor, last, chain, graph.f4(capacity), free,
        capacity, graph.n_parts + 1,
    )  # fmt: skip
    graph.index(slots, n_slots, capacity + 1)
    graph.index(chain, capacity, capacity + 1)
    graph.index(free, 2, capacity + 1)
    graph.index(cursor, capacity, max(1, begins.size))
    graph.index(last, capacity, begins.size + 1)
    graph.call(Phase.TRAVEL, wires.wheel, graph.part(row), Mode.ACT)
    graph.name(f"{projection.name}.weights", "f4", weights, () if uniform else delays.shape)
