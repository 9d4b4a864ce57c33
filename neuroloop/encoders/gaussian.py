"""Gaussian population code: each dimension drives neurons with bell-shaped tuning curves.

a_di = exp(−(u_d − c_i)² / 2 w²) with centres c_i evenly over [0, 1] (Georgopoulos et al. 1986); neurons fire at a × max_rate,
regularly or at random (`rate.py`). As an actor's input: Tang et al. 2021, PopSAN, whose soft-reset neurons are the regular
ones here, and whose curves over ±3 σ have w = 0.065.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.source import Source
from ..rows import f32
from ..settings import Gaussian
from .firing import Firing, as_source
from .normaliser import Inputs, add_normaliser
from .observation import Layout
from .rate import add_train, check_rate


class Tuning(NamedTuple):
    """Row of a Gaussian population: `n_dims` × `neurons` cells."""

    n_dims: int
    neurons: int
    scaled: int  # f4[n_dims]
    rate: int  # f4[n_dims, neurons]: spikes a step
    level: int  # f4[n_dims, neurons]: the trace that this rate settles at
    width: int  # f4
    most: int  # f4: spikes a step at the centre
    tau: int  # f4: of the trace, in steps


at = places(Tuning)


@kernel
def tune(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Rates for this observation."""
    neurons, scaled, rates, level = row[at.neurons], row[at.scaled], row[at.rate], row[at.level]
    width, most, tau, last = f4[row[at.width]], f4[row[at.most]], f4[row[at.tau]], f32(max(row[at.neurons] - 1, 1))
    for d in range(row[at.n_dims]):
        for i in range(neurons):
            distance = (f4[scaled + d] - f32(i) / last) / width
            rate = most * f32(math.exp(-0.5 * distance * distance))
            k = d * neurons + i
            f4[rates + k] = rate if rate > f32(1e-3) else f32(0.0)
            f4[level + k] = f4[rates + k] * tau


def add_tuned(
    graph: Graph, config: Gaussian, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    most = check_rate(graph, config.max_rate, path)
    scaled = add_normaliser(graph, config.normalise, layout, inputs, path).scaled
    n = layout.size * config.neurons
    tau = graph.steps(config.tau_trace)
    tuning = Tuning(
        n_dims=layout.size, neurons=config.neurons, scaled=scaled, rate=graph.f4(n), level=graph.f4(n),
        width=graph.f4(1, config.width, Arena.LASTING),
        most=graph.f4(1, most, Arena.LASTING), tau=graph.f4(1, tau, Arena.LASTING),
    )  # fmt: skip
    graph.call(Phase.ENCODE, tune, graph.part(tuning), Mode.ACT | Mode.LOOK)
    fired = add_train(graph, n, tuning.rate, config.spikes, path)
    centres = np.linspace(0.0, 1.0, config.neurons)
    activity = float(np.exp(-0.5 * ((0.5 - centres) / config.width) ** 2).sum())
    return Firing(n, fired, tuning.level, most * tau, layout.size * max(activity, 1.0), config.tau_trace)


def add_gaussian(graph: Graph, config: Gaussian, layout: Layout) -> Source:
    """Add the encoder to the graph as presynaptic neurons."""
    return as_source(graph, add_tuned(graph, config, layout), "encoder")
