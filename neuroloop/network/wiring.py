"""Projections in the graph: their weights, and the kernels that let spikes travel, with or without plasticity."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Arena, Graph, Mode, Phase
from . import wires
from .axon import Axon, room_for
from .layouts import AllToAll, AllToOthers, Convolution, OneToOne, Rows, Sparse
from .population import Built
from .projection import Asked, Normal, Projection, Uniform, Wired

ROOMY = 1 << 20  # spikes that a wheel may always hold; see `axon.py`


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
    delay = projection.reach
    gains = -1 if asked.short_term is None else asked.short_term.add(graph, name, pre.axon, delay)
    if isinstance(asked.layout, Convolution):
        return _build_convolution(graph, asked, pre, arrivals, delay, gains)
    if projection.delays_differ:
        return _build_wheel(graph, projection, pre, arrivals, gains)
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
        rows = asked.layout.rows(asked.pre.n, asked.post.n, asked.pre is asked.post, seed)
        rows.check(f"{projection.name}.layout", asked.pre.n, asked.post.n)
        return rows
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
    n_slots = 1 << int(delays.max()).bit_length()
    capacity = room_for(asked.pre.n, int(delays.max()) + 1, graph.clock.dt, ROOMY)
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
    graph.consistent(functools.partial(_chains_end, slots, n_slots, free, chain))
    graph.call(Phase.TRAVEL, wires.wheel, graph.part(row), Mode.ACT)
    graph.name(f"{projection.name}.weights", "f4", weights, () if uniform else delays.shape)


def _chains_end(slots: int, n_slots: int, free: int, chain: int, read: Any) -> bool:
    """Whether every entry that was ever used stands in one list, of a slot or of free ones, so that lists do end."""
    first_free, used = (int(number) for number in read(free, 2))
    links = np.concatenate([read(slots, n_slots), [first_free], read(chain, used)])
    return np.array_equal(np.sort(links[links > 0]), np.arange(1, used + 1))
