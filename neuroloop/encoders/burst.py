"""Burst code: each neuron fires a burst a control step; the stronger, the more spikes and the shorter the intervals.

Of intensity a: ⌈a × spikes⌉ spikes, ⌈longest − a (longest − shortest)⌉ steps apart, the first at the step's start (Guo, Fouda,
Eltawil and Salama 2021; Izhikevich et al. 2003 on what bursts are good for). Intensity 0 is silent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32, i32
from ..settings import BurstCode
from .firing import Firing
from .intensity import add_intensity
from .normaliser import Inputs
from .observation import Layout


class Bursts(NamedTuple):
    """Row of neurons that fire in bursts."""

    n: int
    intensity: int  # f4[n]
    apart: int  # i4[n]: steps from spike to spike
    last: int  # i4[n]: step of the last spike; -1: none
    fired: int  # f4[n]
    level: int  # f4[n]: the mean trace
    spikes: int  # f4: at intensity 1
    shortest: int  # f4: steps, and so on
    longest: int
    each: int  # f4: the mean trace of one spike a control step


at = places(Bursts)


@kernel
def plan(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The bursts of this control step."""
    most, shortest, longest = f4[row[at.spikes]], f4[row[at.shortest]], f4[row[at.longest]]
    for k in range(row[at.n]):
        a = max(f4[row[at.intensity] + k], f32(0.0))
        spikes, apart = i32(math.ceil(a * most)), i32(math.ceil(longest - a * (longest - shortest)))
        i4[row[at.apart] + k], i4[row[at.last] + k] = apart, (spikes - 1) * apart if spikes > 0 else -1
        f4[row[at.level] + k] = f4[row[at.each]] * f32(spikes)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Whoever is at a spike of its burst fires."""
    step = i32(f8[HEAD.step])
    for k in range(row[at.n]):
        hit = step <= i4[row[at.last] + k] and step % i4[row[at.apart] + k] == 0
        f4[row[at.fired] + k] = f32(1.0) if hit else f32(0.0)


def add_burst(
    graph: Graph, config: BurstCode, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    n_steps, shortest, longest = graph.clock.n_steps, *(graph.steps(t) for t in (config.shortest, config.longest))
    if shortest < 1.0:
        raise ConfigError(f"{path}.shortest: must be at least clock.dt = {graph.clock.dt:g} s, got {config.shortest:g}")
    begins = (
        np.arange(config.spikes) / config.spikes
    )  # intensities above which there is one spike more: the longest bursts
    steps = np.arange(config.spikes) * np.ceil(longest - begins * (longest - shortest))
    if steps.max() >= n_steps:
        raise ConfigError(
            f"{path}.longest: bursts last up to {steps.max() + 1:g} steps, more than clock.n_steps = {n_steps}; "
            "fewer spikes, or shorter intervals"
        )
    felt = add_intensity(graph, config.normalise, config.channels, layout, inputs, path)
    n, lasting = felt.n, Arena.LASTING
    each = graph.steps(config.tau_trace) / n_steps
    bursts = Bursts(
        n=n, intensity=felt.intensity, apart=graph.i4(n, 1), last=graph.i4(n), fired=graph.f4(n), level=graph.f4(n),
        spikes=graph.f4(1, config.spikes, lasting), shortest=graph.f4(1, shortest, lasting),
        longest=graph.f4(1, longest, lasting), each=graph.f4(1, each, lasting),
    )  # fmt: skip
    graph.index(bursts.apart, n, 2**31, least=1)
    part = graph.part(bursts)
    graph.call(Phase.ENCODE, plan, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    return Firing(n, bursts.fired, bursts.level, each * config.spikes, felt.active, config.tau_trace)
