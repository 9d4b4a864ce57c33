"""Phase code: each neuron fires once in every cycle of an oscillation, the earlier in the cycle the stronger.

A neuron of intensity a fires when the oscillation's phase passes share × (1 − a) of a cycle (Hopfield 1995; O'Keefe and Recce
1993). The oscillation goes on over control steps; an episode begins at phase 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32
from ..settings import PhaseCode
from .firing import Firing
from .intensity import add_intensity
from .normaliser import Inputs
from .observation import Layout


class Phases(NamedTuple):
    """Row of neurons that fire at phases."""

    n: int
    intensity: int  # f4[n]
    fired: int  # f4[n]
    level: int  # f4[n]: the mean trace
    steps: int  # f8: steps since the episode began
    cycles: int  # f8: cycles a step
    share: int  # f8
    usual: int  # f4: the mean trace of a neuron that fires


at = places(Phases)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode begins at phase 0."""
    if f8[HEAD.fresh] != 0.0:
        f8[row[at.steps]] = 0.0
    for k in range(row[at.n]):
        fires = f4[row[at.intensity] + k] >= f32(0.0)
        f4[row[at.level] + k] = f4[row[at.usual]] if fires else f32(0.0)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Whoever's phase lies in this step fires."""
    n, intensity, fired, share = row[at.n], row[at.intensity], row[at.fired], f8[row[at.share]]
    steps, cycles = f8[row[at.steps]], f8[row[at.cycles]]
    now, then = steps * cycles - 1e-9, (steps + 1.0) * cycles - 1e-9
    for k in range(n):
        a = f4[intensity + k]
        phase = share * (1.0 - a)
        hit = a >= f32(0.0) and math.ceil(then - phase) > math.ceil(now - phase)
        f4[fired + k] = f32(1.0) if hit else f32(0.0)
    f8[row[at.steps]] = steps + 1.0


def add_phase(
    graph: Graph, config: PhaseCode, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    cycles = config.frequency * graph.clock.dt
    if cycles > 0.5:
        highest = 0.5 / graph.clock.dt
        raise ConfigError(
            f"{path}.frequency: must be at most 1 / (2 clock.dt) = {highest:g} Hz, got {config.frequency:g}"
        )
    felt = add_intensity(graph, config.normalise, config.channels, layout, inputs, path)
    n, usual = felt.n, cycles * graph.steps(config.tau_trace)
    phases = Phases(
        n=n, intensity=felt.intensity, fired=graph.f4(n), level=graph.f4(n), steps=graph.f8(1, arena=Arena.TRANSIENT),
        cycles=graph.f8(1, cycles), share=graph.f8(1, config.share), usual=graph.f4(1, usual, Arena.LASTING),
    )  # fmt: skip
    part = graph.part(phases)
    graph.call(Phase.ENCODE, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    return Firing(n, phases.fired, phases.level, usual, float(n), config.tau_trace)
