"""Rhythm: rings of neurons that fire one after the other in every cycle, as the clock of a central pattern generator.

rate_i = a × max_rate × exp((cos 2π(φ − i/n) − 1) / (2π w)²), φ the phase, which grows by frequency × period a control step: von
Mises tuning, for small w the Gaussian of standard deviation w cycles. A bare rhythm is one ring with a = 1, whatever is
observed. With dimensions of an observation it is a ring for each of their intensities a: gain fields (Andersen and
Mountcastle 1983), whose neurons say "this phase, and so much of that". Generators of two levels have the pattern shaped behind
such a clock (McCrea and Rybak 2008): here by projections onto motor neurons. An episode begins at phase 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32
from ..settings import Rhythm
from .firing import Firing
from .intensity import add_intensity
from .normaliser import Inputs
from .observation import Layout
from .rate import add_train, check_rate


class Rings(NamedTuple):
    """Row of `rings` rings of `n` neurons."""

    rings: int
    n: int
    intensity: int  # f4[rings], below 0 for silence
    rate: int  # f4[rings, n]: spikes a step
    level: int  # f4[rings, n]: the trace that this rate settles at
    ticks: int  # f8: control steps since the episode began
    cycles: int  # f8: cycles a control step
    sharpness: int  # f8: 1 / (2π w)²
    most: int  # f4: spikes a step at the centre
    tau: int  # f4: of the trace, in steps


at = places(Rings)


@kernel
def turn(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Rates at this phase; then the phase moves on."""
    n, rates, level, tau = row[at.n], row[at.rate], row[at.level], f4[row[at.tau]]
    if f8[HEAD.fresh] != 0.0:
        f8[row[at.ticks]] = 0.0
    phase = f8[row[at.ticks]] * f8[row[at.cycles]]
    for i in range(n):
        away = math.cos(2.0 * math.pi * (phase - i / n)) - 1.0
        tuned = f4[row[at.most]] * f32(math.exp(away * f8[row[at.sharpness]]))
        for ring in range(row[at.rings]):
            rate = f4[row[at.intensity] + ring] * tuned
            f4[rates + ring * n + i] = rate if rate > f32(1e-3) else f32(0.0)
            f4[level + ring * n + i] = f4[rates + ring * n + i] * tau
    f8[row[at.ticks]] += 1.0


def add_rhythm(
    graph: Graph, config: Rhythm, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph. `layout` is empty for a bare rhythm."""
    cycles = config.frequency * graph.clock.period
    if cycles > 0.5:
        highest = 0.5 / graph.clock.period
        raise ConfigError(
            f"{path}.frequency: must be at most 1 / (2 clock.period) = {highest:g} Hz, got {config.frequency:g}"
        )
    most, tau = check_rate(graph, config.max_rate, path), graph.steps(config.tau_trace)
    rings, intensity, active = 1, 0, 1.0
    if layout.size:
        rings, intensity, active = add_intensity(graph, config.normalise, config.channels, layout, inputs, path)
    else:
        intensity = graph.f4(1, 1.0, Arena.LASTING)
    n, sharpness = config.neurons, 1.0 / (2.0 * math.pi * config.width) ** 2
    row = Rings(
        rings=rings, n=n, intensity=intensity, rate=graph.f4(rings * n), level=graph.f4(rings * n),
        ticks=graph.f8(1, arena=Arena.TRANSIENT), cycles=graph.f8(1, cycles), sharpness=graph.f8(1, sharpness),
        most=graph.f4(1, most, Arena.LASTING), tau=graph.f4(1, tau, Arena.LASTING),
    )  # fmt: skip
    graph.call(Phase.ENCODE, turn, graph.part(row), Mode.ACT | Mode.LOOK)
    fired = add_train(graph, rings * n, row.rate, config.spikes, path)
    around = float(np.exp((np.cos(2.0 * np.pi * np.arange(n) / n) - 1.0) * sharpness).sum())
    return Firing(rings * n, fired, row.level, most * tau, active * around, config.tau_trace)
