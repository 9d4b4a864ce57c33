"""Rate code: neurons that fire regularly or at random, at rates linear in the value.

rate = min_rate + a (max_rate − min_rate) of intensity a (Adrian and Zotterman 1926). Regular: a phase grows by rate × dt a
step; at 1 the neuron fires and 1 is taken off, so counts are exact to one spike. Poisson: a spike in each step with
probability rate × dt (Dayan and Abbott 2001, chapter 1.4), so that counts scatter by their square root.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, counter, f32, uniform, uniform_at
from ..settings import RateCode
from ..settings.encoders import Trains
from .firing import Firing
from .intensity import add_intensity
from .normaliser import Inputs
from .observation import Layout


class Rates(NamedTuple):
    """Row of rates that follow intensities."""

    n: int
    intensity: int  # f4[n], below 0 for silence
    rate: int  # f4[n]: spikes a step
    level: int  # f4[n]: the trace that this rate settles at
    least: int  # f4: spikes a step at intensity 0
    most: int  # f4: and at 1
    tau: int  # f4: of the trace, in steps


class Train(NamedTuple):
    """Row of neurons that fire at given rates."""

    n: int
    rate: int  # f4[n]: spikes a step, at most 1
    phase: int  # f4[n]
    fired: int  # f4[n]
    stream: int


at, on = places(Rates), places(Train)


@kernel
def tune(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Rates for this observation."""
    n, intensity, rates, level, tau = row[at.n], row[at.intensity], row[at.rate], row[at.level], f4[row[at.tau]]
    least, span = f4[row[at.least]], f4[row[at.most]] - f4[row[at.least]]
    for k in range(n):
        a = f4[intensity + k]
        rate = least + a * span if a >= f32(0.0) else f32(0.0)
        f4[rates + k] = rate
        f4[level + k] = rate * tau


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode begins with phases of its own."""
    if f8[HEAD.fresh] != 0.0:
        for k in range(row[on.n]):
            f4[row[on.phase] + k] = uniform(f8, row[on.stream], k)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Accumulate phases; whoever reaches 1 fires. What is constant is read before the loop, so that it vectorises."""
    n, rates, phases, fired = row[on.n], row[on.rate], row[on.phase], row[on.fired]
    for k in range(n):
        phase = f4[phases + k] + f4[rates + k]
        spike = f32(1.0) if phase >= f32(1.0) else f32(0.0)
        f4[fired + k] = spike
        f4[phases + k] = phase - spike


@kernel
def fire_at_random(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Each neuron fires with a probability of its own."""
    n, rates, fired, h = row[on.n], row[on.rate], row[on.fired], counter(f8, row[on.stream])
    for k in range(n):
        f4[fired + k] = f32(1.0) if uniform_at(h, k) < f4[rates + k] else f32(0.0)


def add_train(graph: Graph, n: int, rate: int, spikes: Trains, path: str) -> int:
    """Have `n` neurons fire at `rate` (f4, spikes a step); returns the symbol of who fires (f4)."""
    train = Train(n=n, rate=rate, phase=graph.f4(n), fired=graph.f4(n), stream=graph.stream(f"{path}.phase"))
    part = graph.part(train)
    if spikes == "regular":
        graph.call(Phase.ENCODE, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire if spikes == "regular" else fire_at_random, part, Mode.ACT | Mode.LOOK)
    return train.fired


def check_rate(graph: Graph, max_rate: float, path: str) -> float:
    """A rate in spikes a step. Raises `ConfigError` if there would be more than one."""
    most = max_rate * graph.clock.dt
    if most > 1.0:
        raise ConfigError(
            f"{path}.max_rate: must be at most 1 / clock.dt = {1 / graph.clock.dt:g} Hz, got {max_rate:g}"
        )
    return most


def add_rate(
    graph: Graph, config: RateCode, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    most, least = check_rate(graph, config.max_rate, path), config.min_rate * graph.clock.dt
    if least > most:
        raise ConfigError(f"{path}.min_rate: must be at most max_rate = {config.max_rate:g}, got {config.min_rate:g}")
    felt = add_intensity(graph, config.normalise, config.channels, layout, inputs, path)
    n, tau = felt.n, graph.steps(config.tau_trace)
    rates = Rates(
        n=n, intensity=felt.intensity, rate=graph.f4(n), level=graph.f4(n), least=graph.f4(1, least, Arena.LASTING),
        most=graph.f4(1, most, Arena.LASTING), tau=graph.f4(1, tau, Arena.LASTING),
    )  # fmt: skip
    graph.call(Phase.ENCODE, tune, graph.part(rates), Mode.ACT | Mode.LOOK)
    fired = add_train(graph, n, rates.rate, config.spikes, path)
    return Firing(n, fired, rates.level, most * tau, felt.active, config.tau_trace)
