"""Gaussian population code: each dimension drives neurons with bell-shaped tuning curves that fire regularly.

a_di = exp(−(u_d − c_i)² / 2 w²) with centres c_i evenly over [0, 1] (Georgopoulos et al. 1986; as deterministic encoder:
Tang et al. 2021, PopSAN). A neuron's phase grows by a × max_rate × dt a step; at 1 it fires and 1 is taken off, so rates
are exact without noise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.source import Source, add_source
from ..rows import HEAD, f32, uniform
from ..settings import Gaussian
from .normaliser import add_normaliser
from .observation import Layout


class Tuning(NamedTuple):
    """Row of a Gaussian population: `n_dims` × `neurons` cells."""

    n_dims: int
    neurons: int
    scaled: int  # f4[n_dims]
    rate: int  # f4[n_dims, neurons]: spikes a step
    level: int  # f4[n_dims, neurons]: the trace that this rate settles at
    phase: int  # f4[n_dims, neurons]
    fired: int  # f4[n_dims, neurons]
    width: int  # f4
    most: int  # f4: spikes a step at the centre
    tau: int  # f4: of the trace, in steps
    stream: int
    spikes: int  # f8: spikes fired so far, of the whole network


at = places(Tuning)


@kernel
def tune(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Rates for this observation; an episode begins with phases of its own."""
    n, fresh = row[at.n_dims] * row[at.neurons], f8[HEAD.fresh] != 0.0
    for k in range(n if fresh else 0):
        f4[row[at.phase] + k] = uniform(f8, row[at.stream], k)
    for d in range(row[at.n_dims]):
        for i in range(row[at.neurons]):
            distance = (f4[row[at.scaled] + d] - f32(i) / f32(max(row[at.neurons] - 1, 1))) / f4[row[at.width]]
            rate = f4[row[at.most]] * f32(math.exp(-0.5 * distance * distance))
            k = d * row[at.neurons] + i
            f4[row[at.rate] + k] = rate if rate > f32(1e-3) else f32(0.0)
            f4[row[at.level] + k] = f4[row[at.rate] + k] * f4[row[at.tau]]


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Accumulate phases; whoever reaches 1 fires."""
    for k in range(row[at.n_dims] * row[at.neurons]):
        phase = f4[row[at.phase] + k] + f4[row[at.rate] + k]
        spike = f32(1.0) if phase >= f32(1.0) else f32(0.0)
        f4[row[at.fired] + k] = spike
        f4[row[at.phase] + k] = phase - spike


@kernel
def tally(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Count the spikes of this step."""
    for k in range(row[at.n_dims] * row[at.neurons]):
        f8[row[at.spikes]] += f4[row[at.fired] + k]


def add_gaussian(graph: Graph, config: Gaussian, layout: Layout) -> Source:
    """Add the encoder to the graph."""
    most = config.max_rate * graph.clock.dt
    if most > 1.0:
        raise ConfigError(
            f"encoder.max_rate: must be at most 1 / clock.dt = {1 / graph.clock.dt:g} Hz, got {config.max_rate:g}"
        )
    scaled = add_normaliser(graph, config.normalise, layout)
    n = layout.size * config.neurons
    tau = graph.steps(config.tau_trace)
    tuning = Tuning(
        n_dims=layout.size, neurons=config.neurons, scaled=scaled, rate=graph.f4(n), level=graph.f4(n),
        phase=graph.f4(n), stream=graph.stream("encoder.phase"), fired=graph.f4(n),
        width=graph.f4(1, config.width, Arena.LASTING),
        most=graph.f4(1, most, Arena.LASTING), tau=graph.f4(1, tau, Arena.LASTING), spikes=graph.signal("spikes"),
    )  # fmt: skip
    part = graph.part(tuning)
    graph.call(Phase.ENCODE, tune, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, tally, part, Mode.ACT)
    centres = np.linspace(0.0, 1.0, config.neurons)
    activity = float(np.exp(-0.5 * ((0.5 - centres) / config.width) ** 2).sum())
    return add_source(
        graph, tuning.fired, n, config.tau_trace, tuning.level, most * tau, layout.size * max(activity, 1.0)
    )
