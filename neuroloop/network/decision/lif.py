"""Leaky integrate-and-fire neurons, exact between steps (Lapicque 1907; Rotter and Diesmann 1999).

v ← v + (1 − e^(−dt/τ)) (u − v), u = bias + input, constant over a step. At v ≥ 1 a spike, v ← min(v − 1, ½): reset by
subtraction, so that the rate stays linear in u. Membranes and inputs are dimensionless and bounded below by −1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..._numba import inline, kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32, i32, uniform
from ...settings import Lif
from .raster import add_raster, note

MOST_SETTLING = 1000  # steps


class Population(NamedTuple):
    """Row of a population, which also is what others need to know of it. Arrays have shape (n,)."""

    n: int
    v: int  # f4: membranes
    input: int  # f4: what arrived for this step
    bias: int  # f4
    spread: int  # f4: what a neuron's bias differs from the mean
    rest: int  # f4: steps of refractoriness left
    fired: int  # f4: 1 where a spike was fired at this step
    counts: int  # i4: spikes in this control step
    raster: int  # i4[words, n]: which steps of it they were fired at, see `raster.py`
    expected: int  # f4: input to be expected from the weights alone, in the steady state
    gate: int  # f4: 1 where spikes may be paired by plasticity
    decay: int  # f4: of the membrane, a step
    t_ref: int  # f4: steps
    each_decision: int  # whether membranes are drawn anew in every control step
    settling: int  # steps to settle at an episode's start
    stream: int
    spikes: int  # f8: spikes fired so far, of the whole network


at = places(Population)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Nothing was counted yet in this control step."""
    counts, fired, arrived, expected = row[at.counts], row[at.fired], row[at.input], row[at.expected]
    for i in range(row[at.n]):
        i4[counts + i] = 0
        f4[arrived + i] = f4[expected + i] = f32(0.0)
    if f8[HEAD.fresh] != 0.0:  # else the spikes of the step before are still on their way
        for i in range(row[at.n]):
            f4[fired + i] = f32(0.0)
    if row[at.each_decision] != 0:
        for i in range(row[at.n]):
            f4[row[at.v] + i] = f32(0.5) * uniform(f8, row[at.stream], i)
            f4[row[at.rest] + i] = f32(0.0)


@inline
def _advance(f4, row, arrived):  # type: ignore[no-untyped-def]
    """Integrate the input at `arrived`, fire, reset. Free of branches, so that it vectorises."""
    n, v, rest, fired, bias = row[at.n], row[at.v], row[at.rest], row[at.fired], row[at.bias]
    gain, t_ref = f32(1.0) - f4[row[at.decay]], f4[row[at.t_ref]]
    for i in range(n):
        u = max(f4[bias + i] + f4[arrived + i], f32(-1.0))
        f4[v + i] += (f32(1.0) - min(f4[rest + i], f32(1.0))) * gain * (u - f4[v + i])
    for i in range(n):
        x = f4[v + i]
        spike = f32(1.0) if x >= f32(1.0) else f32(0.0)
        f4[fired + i] = spike
        f4[v + i] = max(min(x - spike, f32(1.0) - f32(0.5) * spike), f32(-1.0))
        f4[rest + i] = max(f4[rest + i] - f32(1.0), f32(0.0)) * (f32(1.0) - spike) + spike * t_ref


@kernel
def settle(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode begins with membranes as if its first observation had long been there, at random phases."""
    if f8[HEAD.fresh] == 0.0:
        return
    fired = row[at.fired]
    for i in range(row[at.n]):
        f4[row[at.v] + i] = uniform(f8, row[at.stream], i)
        f4[row[at.rest] + i] = f32(0.0)
    for _ in range(row[at.settling]):
        _advance(f4, row, row[at.expected])
    for i in range(row[at.n]):
        f4[fired + i] = f32(0.0)


@kernel
def step(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """One step of the network."""
    counts, fired, arrived = row[at.counts], row[at.fired], row[at.input]
    _advance(f4, row, arrived)
    for i in range(row[at.n]):
        f4[arrived + i] = f32(0.0)
        i4[counts + i] += i32(f4[fired + i])
    note(f4, i4, f8, fired, row[at.n], row[at.raster])


@kernel
def tally(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Count the spikes of this control step."""
    total, counts = 0, row[at.counts]
    for i in range(row[at.n]):
        total += i4[counts + i]
    f8[row[at.spikes]] += total


def spikes_of(drive: float, tau_mem: float, t_ref: float, duration: float) -> float:
    """Spikes that a constant `drive` > 1 makes in `duration`; all times in one unit.

    The f-I curve for reset to zero, which reset by subtraction follows closely for small steps.
    """
    return duration / (t_ref - tau_mem * math.log1p(-1.0 / drive))


def add_lif(graph: Graph, name: str, config: Lif, n: int, bias: float) -> Population:
    """Add `n` neurons with a mean `bias` to the graph."""
    spread = config.bias_spread * (graph.rng.permutation(np.linspace(-1.0, 1.0, n)) if n > 1 else np.zeros(1))
    lasting = Arena.LASTING
    population = Population(
        n=n, v=graph.f4(n), input=graph.f4(n), bias=graph.f4(n, bias + spread, lasting), spread=graph.f4(n, spread, lasting),
        rest=graph.f4(n), fired=graph.f4(n), counts=graph.i4(n), expected=graph.f4(n), gate=graph.f4(n, 1.0),
        raster=add_raster(graph, f"population.{name}", n),
        decay=graph.f4(1, math.exp(-1.0 / graph.steps(config.tau_mem)), lasting),
        t_ref=graph.f4(1, round(graph.steps(config.t_ref)), lasting), each_decision=int(config.reset == "decision"),
        settling=min(2 * round(graph.steps(config.tau_mem)), MOST_SETTLING),
        stream=graph.stream(f"{name}.v"), spikes=graph.signal("spikes"),
    )  # fmt: skip
    graph.name(f"population.{name}.v", "f4", population.v, (n,))
    graph.name(f"population.{name}.counts", "i4", population.counts, (n,))
    part = graph.part(population)
    graph.call(Phase.RESET, begin, part, Mode.ACT | Mode.LOOK)
    if config.reset == "episode":
        graph.call(Phase.COMPETE, settle, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.INTEGRATE, step, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FORGET, tally, part, Mode.ACT)
    return population
