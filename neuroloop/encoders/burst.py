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
    left: int  # i4[n]: spikes left of the burst
    waits: int  # i4[n]: for the step of the next spike
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
    most, shortest, longest, each = f4[row[at.spikes]], f4[row[at.shortest]], f4[row[at.longest]], f4[row[at.each]]
    intensity, apart, left, waits, level = row[at.intensity], row[at.apart], row[at.left], row[at.waits], row[at.level]
    for k in range(row[at.n]):
        a = max(f4[intensity + k], f32(0.0))
        spikes = i32(math.ceil(a * most))
        i4[left + k], i4[waits + k] = spikes, 0
        i4[apart + k] = i32(math.ceil(longest - a * (longest - shortest)))
        f4[level + k] = each * f32(spikes)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Whoever is at a spike of its burst fires."""
    n, step, fired, left, apart = row[at.n], i32(f8[HEAD.step]), row[at.fired], row[at.left], row[at.apart]
    waits = row[at.waits]
    for k in range(n):
        hit = i4[waits + k] == step and i4[left + k] > 0
        f4[fired + k] = f32(1.0) if hit else f32(0.0)
        i4[waits + k] += i4[apart + k] if hit else i32(0)
        i4[left + k] -= i32(1) if hit else i32(0)


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
        n=n, intensity=felt.intensity, apart=graph.i4(n), left=graph.i4(n), waits=graph.i4(n), fired=graph.f4(n),
        level=graph.f4(n), spikes=graph.f4(1, config.spikes, lasting), shortest=graph.f4(1, shortest, lasting),
        longest=graph.f4(1, longest, lasting), each=graph.f4(1, each, lasting),
    )  # fmt: skip
    part = graph.part(bursts)
    graph.call(Phase.ENCODE, plan, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    return Firing(n, bursts.fired, bursts.level, each * config.spikes, felt.active, config.tau_trace)
