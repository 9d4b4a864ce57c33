"""Homeostasis: what keeps a network in its working range, applied to whole populations or projections now and then.

- `Normalise`: the weights onto each neuron are scaled to a fixed sum (von der Malsburg 1973, Kybernetik 14).
- `Scaling`: w ← w (1 + rate (target − r)) with the neuron's mean rate r (van Rossum, Bi and Turrigiano 2000, eq. 4).
- `ThresholdAdaptation`: v_th ← v_th + rate (r − target) T for a control step of length T with the rate r in it (intrinsic
  plasticity; Triesch 2005; Diehl and Cook 2015).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .._numba import call_kernel, i4_at, i8_at, inline, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase, RowOf, Shared
from ..network.parameters import Model, Number, Positive, Rate, Time, checked, scalar, steps
from ..network.population import Built, Population
from ..network.projection import Projection
from ..rows import HEAD, f32, i64


class Normalise(Model, frozen=True, kw_only=True):
    """Scale the weights onto each neuron so that they add up to `total`; neurons whose sum is not positive are left alone."""

    total: Positive
    every: Time = 0.1  # s, a multiple of the control step

    def check_target(self, target: Any) -> None:
        """Raise `ConfigError` if it cannot be applied to this."""
        _check_projection(self, target)

    def add(self, graph: Graph, target: Projection, made: dict[str, Built]) -> None:
        """Add state and calls to the graph."""
        _add_scaling(graph, target, normalise, scalar(self.every), [scalar(self.total), 0.0, 0.0])


class Scaling(Model, frozen=True, kw_only=True):
    """Scale the weights onto each neuron by how far its mean rate is from the target."""

    target: Rate
    rate: Positive = 1e-3  # per Hz, each time
    tau: Time = 1.0  # s, of the mean
    every: Time = 0.1  # s, a multiple of the control step

    def check_target(self, target: Any) -> None:
        """Raise `ConfigError` if it cannot be applied to this."""
        _check_projection(self, target)

    def add(self, graph: Graph, target: Projection, made: dict[str, Built]) -> None:
        """Add state and calls to the graph."""
        tick = graph.clock.n_steps * graph.clock.dt
        numbers = [scalar(self.target), scalar(self.rate), math.exp(-tick / scalar(self.tau)), 1.0 / scalar(self.tau)]
        _add_scaling(graph, target, scale, scalar(self.every), numbers)


class ThresholdAdaptation(Model, frozen=True, kw_only=True):
    """Raise the threshold of neurons that fire more than they should, and lower that of the others."""

    target: Rate
    rate: Number = 0.01

    def check_target(self, target: Any) -> None:
        """Raise `ConfigError` if it cannot be applied to this."""
        if not isinstance(target, Population) or not hasattr(target.model, "v_th"):
            raise ConfigError(f"ThresholdAdaptation: needs a population with a threshold v_th, got {target!r}")
        checked(self, f"{target.name}.threshold_adaptation")

    def add(self, graph: Graph, target: Population, made: dict[str, Built]) -> None:
        """Add state and calls to the graph."""
        built = made[target.name]
        axon, tick = built.axon, graph.clock.n_steps * graph.clock.dt
        numbers = [scalar(self.rate), scalar(self.rate) * scalar(self.target) * tick]
        thresholds = built.factors["v_th"]
        row = (axon.n, axon.ring, axon.starts, axon.counts, axon.mask, thresholds, graph.f4(2, numbers, Arena.LASTING))
        graph.call(Phase.CHANGE, adapt, graph.part(row), Mode.ACT)


class Scaled(NamedTuple):
    """Row of a projection whose weights are scaled."""

    settle: int  # address of the kernel that brings weights up to date
    settled: int  # address of its row
    n_pre: int
    n_post: int
    pointers: int  # 0: dense
    targets: int
    weights: int
    factors: int  # f4[n_post]
    rates: int  # f4[n_post], Hz
    ring: int  # of the postsynaptic axon
    starts: int
    counts: int
    mask: int
    numbers: int  # f4[6]: bounds, then those of the rule
    every: int  # control steps


at = places(Scaled)


@inline
def apply(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Multiply every weight by the factor of its postsynaptic neuron, within the bounds."""
    n, factors, low, high = row[at.n_post], row[at.factors], f4[row[at.numbers]], f4[row[at.numbers] + 1]
    for i in range(row[at.n_pre]):
        if row[at.pointers] == 0:
            w = row[at.weights] + i * n
            for j in range(n):
                f4[w + j] = min(max(f4[w + j] * f4[factors + j], low), high)
        else:
            pointers, targets = i8_at(row[at.pointers]), i4_at(row[at.targets])
            for p in range(pointers[i], pointers[i + 1]):
                w = row[at.weights] + p
                f4[w] = min(max(f4[w] * f4[factors + targets[p]], low), high)


@kernel
def normalise(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Bring all sums to the total."""
    if (i64(f8[HEAD.tick]) + 1) % row[at.every] != 0:
        return
    call_kernel(row[at.settle], f4, i4, i8_at(row[at.settled]), f8)
    n, sums, total = row[at.n_post], row[at.factors], f4[row[at.numbers] + 2]
    for j in range(n):
        f4[sums + j] = f32(0.0)
    for i in range(row[at.n_pre]):
        if row[at.pointers] == 0:
            w = row[at.weights] + i * n
            for j in range(n):
                f4[sums + j] += f4[w + j]
        else:
            pointers, targets = i8_at(row[at.pointers]), i4_at(row[at.targets])
            for p in range(pointers[i], pointers[i + 1]):
                f4[sums + targets[p]] += f4[row[at.weights] + p]
    for j in range(n):
        f4[sums + j] = total / f4[sums + j] if f4[sums + j] > f32(0.0) else f32(1.0)
    apply(f4, i4, row, f8)


@kernel
def scale(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Follow the rates, and scale by how far they are off."""
    q, rates = row[at.numbers], row[at.rates]
    for j in range(row[at.n_post]):
        f4[rates + j] *= f4[q + 4]
    n_steps = i64(f8[HEAD.step]) + 1
    for s in range(n_steps):
        line = (i64(f8[HEAD.clock]) - 1 - s) & row[at.mask]
        first = row[at.ring] + i4[row[at.starts] + line]
        for k in range(i4[row[at.counts] + line]):
            f4[rates + i4[first + k]] += f4[q + 5]
    if (i64(f8[HEAD.tick]) + 1) % row[at.every] != 0:
        return
    call_kernel(row[at.settle], f4, i4, i8_at(row[at.settled]), f8)
    for j in range(row[at.n_post]):
        f4[row[at.factors] + j] = max(f32(1.0) + f4[q + 3] * (f4[q + 2] - f4[rates + j]), f32(0.0))
    apply(f4, i4, row, f8)


@kernel
def adapt(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Thresholds of an axon's neurons after a control step; the row goes on with thresholds and numbers."""
    up, down = f4[row[6]], f4[row[6] + 1]
    for j in range(row[0]):
        f4[row[5] + j] -= down
    for s in range(i64(f8[HEAD.step]) + 1):
        line = (i64(f8[HEAD.clock]) - 1 - s) & row[4]
        first = row[1] + i4[row[2] + line]
        for k in range(i4[row[3] + line]):
            f4[row[5] + i4[first + k]] += up


def _check_projection(rule: Model, target: Any) -> None:
    name = type(rule).__name__
    if not isinstance(target, Projection) or target.asked.plasticity is None:
        raise ConfigError(f"{name}: needs a projection with plasticity, got {target!r}")
    if target.asked.device is not None:
        raise ConfigError(f"{name}: scales float weights only, {target.name!r} has a device")
    where, tick = f"{target.name}.{name.lower()}", target.network.dt * target.network.n_steps
    every = checked(rule, where).every
    if steps(every, tick, f"{where}.every") < 1:
        raise ConfigError(f"{where}.every: must be ≥ the control step of {tick:g} s, got {every:g} s")


def _add_scaling(graph: Graph, target: Projection, kernel: Any, every: float, numbers: list[float]) -> None:
    """Run a kernel of this file on a projection after every control step."""
    wired, settler = target.wired, target.settler
    assert wired is not None
    assert settler is not None
    post, (settle, part) = wired.post.axon, settler
    row = Scaled(
        Shared(settle.address), RowOf(part), wired.pre.n, post.n, wired.pointers, wired.targets, wired.weights,
        graph.f4(post.n), graph.f4(post.n), post.ring, post.starts, post.counts, post.mask,
        graph.f4(6, [*wired.bounds, *numbers, 0.0, 0.0, 0.0][:6], Arena.LASTING),
        round(every / (graph.clock.n_steps * graph.clock.dt)),
    )  # fmt: skip
    graph.call(Phase.CHANGE, kernel, graph.part(row), Mode.ACT)
