"""All-to-all projections with exponential synaptic currents, one dense row of weights for each presynaptic neuron.

I_i ← I_i e^(−dt/τ) + Σ_j w_ji over the spikes of this step; the postsynaptic input is gain × I.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..._numba import kernel, places
from ...graph import Arena, Graph, Mode, Phase
from ...rows import HEAD, f32
from ...settings import ProjectionConfig
from .lif import Population
from .source import Source


class Dense(NamedTuple):
    """Row of a dense projection."""

    n_pre: int
    n_post: int
    fired: int  # f4[n_pre]
    level: int  # f4[n_pre]
    weights: int  # f4[n_pre, n_post]
    current: int  # f4[n_post]
    input: int  # f4[n_post]
    expected: int  # f4[n_post]
    decay: int  # f4: of the current, a step
    gain: int  # f4
    ratio: int  # f4: of the current's time constant to the trace's
    scale: int  # f8: a signal that multiplies all weights


at = places(Dense)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """What the weights alone predict; an episode begins with currents in their steady state."""
    current, expected = row[at.current], row[at.expected]
    n, gain, fresh = row[at.n_post], f4[row[at.gain]] * f32(f8[row[at.scale]]), f8[HEAD.fresh] != 0.0
    if fresh:
        for i in range(n):
            f4[current + i] = f32(0.0)
    for j in range(row[at.n_pre]):
        level = f4[row[at.level] + j] * f4[row[at.ratio]]
        if level == f32(0.0):
            continue
        w = row[at.weights] + j * n
        for i in range(n):
            f4[expected + i] += gain * level * f4[w + i]
        if fresh:
            for i in range(n):
                f4[current + i] += level * f4[w + i]


@kernel
def step(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Deliver the spikes of this step."""
    n, current, arrived, decay = row[at.n_post], row[at.current], row[at.input], f4[row[at.decay]]
    for i in range(n):
        f4[current + i] *= decay
    for j in range(row[at.n_pre]):
        if f4[row[at.fired] + j] != f32(0.0):
            w = row[at.weights] + j * n
            for i in range(n):
                f4[current + i] += f4[w + i]
    gain = f4[row[at.gain]] * f32(f8[row[at.scale]])
    for i in range(n):
        f4[arrived + i] += gain * f4[current + i]


def add_dense(graph: Graph, name: str, config: ProjectionConfig, pre: Source, post: Population, scale: int) -> int:
    """Add the projection; returns the symbol of its weights, shape (n_pre, n_post)."""
    size, ratio = pre.n * post.n, config.tau_syn / pre.tau_trace
    drawn = np.ravel(config.weights) + config.weights_spread * graph.rng.standard_normal(size)
    weights = graph.f4(size, drawn.clip(*config.bounds), Arena.LASTING)
    graph.name(f"projection.{name}.weights", "f4", weights, (pre.n, post.n))
    part = graph.part(
        Dense(
            n_pre=pre.n, n_post=post.n, fired=pre.fired, level=pre.level, weights=weights, current=graph.f4(post.n),
            input=post.input, expected=post.expected,
            decay=graph.f4(1, math.exp(-1.0 / graph.steps(config.tau_syn)), Arena.LASTING),
            ratio=graph.f4(1, ratio, Arena.LASTING),
            gain=graph.f4(1, config.gain / (pre.usual_drive * ratio), Arena.LASTING), scale=scale,
        )
    )  # fmt: skip
    graph.call(Phase.EXPECT, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.DELIVER, step, part, Mode.ACT | Mode.LOOK)
    return weights
