"""Latency code: each neuron fires once a control step, the sooner the stronger (Thorpe 1990; VanRullen et al. 2005).

Of intensity a above the threshold θ, linear: t = T (1 − a) / (1 − θ) with the control step's length T. Logarithmic: the time in
which a membrane of time constant τ charges to θ by a constant current a, t = τ ln(a / (a − θ)) (Gerstner and Kistler 2002,
section 4.1); spikes later than T are left out. Intensities up to θ are silent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32, i32
from ..settings import LatencyCode
from .firing import Firing
from .intensity import add_intensity
from .normaliser import Inputs
from .observation import Layout


class Latencies(NamedTuple):
    """Row of neurons that fire once a control step."""

    n: int
    n_steps: int
    intensity: int  # f4[n]
    due: int  # i4[n]: the step of the spike; n_steps for none
    fired: int  # f4[n]
    level: int  # f4[n]: the mean trace
    threshold: int  # f4
    tau: int  # f4: steps, of the logarithmic law; 0: linear
    usual: int  # f4: the mean trace of a neuron that fires


at = places(Latencies)


@kernel
def plan(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """When each neuron fires in this control step."""
    n_steps, threshold, tau = row[at.n_steps], f4[row[at.threshold]], f4[row[at.tau]]
    for k in range(row[at.n]):
        a, due = f4[row[at.intensity] + k], i32(n_steps)
        if a > threshold:
            if tau > f32(0.0):
                late = tau * math.log(a / (a - threshold))
            else:
                late = f32(n_steps) * (f32(1.0) - a) / (f32(1.0) - threshold)
            due = i32(min(late, f32(n_steps)))
        i4[row[at.due] + k] = due
        f4[row[at.level] + k] = f4[row[at.usual]] if due < n_steps else f32(0.0)


@kernel
def fire(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Whoever is due fires."""
    n, step, due, fired = row[at.n], i32(f8[HEAD.step]), row[at.due], row[at.fired]
    for k in range(n):
        f4[fired + k] = f32(1.0) if i4[due + k] == step else f32(0.0)


def add_latency(
    graph: Graph, config: LatencyCode, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Firing:
    """Add the encoder to the graph."""
    felt = add_intensity(graph, config.normalise, config.channels, layout, inputs, path)
    n, n_steps = felt.n, graph.clock.n_steps
    usual = graph.steps(config.tau_trace) / n_steps
    tau = graph.steps(config.tau) if config.law == "logarithmic" else 0.0
    latencies = Latencies(
        n=n, n_steps=n_steps, intensity=felt.intensity, due=graph.i4(n), fired=graph.f4(n), level=graph.f4(n),
        threshold=graph.f4(1, config.threshold, Arena.LASTING), tau=graph.f4(1, tau, Arena.LASTING),
        usual=graph.f4(1, usual, Arena.LASTING),
    )  # fmt: skip
    part = graph.part(latencies)
    graph.call(Phase.ENCODE, plan, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.FIRE, fire, part, Mode.ACT | Mode.LOOK)
    return Firing(n, latencies.fired, latencies.level, usual, (1.0 - config.threshold) * n, config.tau_trace)
