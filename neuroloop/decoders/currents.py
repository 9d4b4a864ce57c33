"""Exploration by currents, and the credit that goes with it: node perturbation (Williams 1992; Fiete and Seung 2006).

Neurons that no selection reads explore together along a few directions: neuron i of group k gets the current
ξ_k = σ Σ_s B_ks z_s, z standard normal, for a whole control step, kept for the next one with probability persistence ×
novelty, and cooled by success (`learning/success.py`). The drive of a group is then Gaussian around what the weights
predict, and the score of that policy for a weight from input j is the input's trace times ξ: plasticity pairs

    C_ji = Σ_t x_j(t) ξ_i / σ

in place of spikes, whatever the neuron fired, so neurons that are silent can be woken. σ is not cooled here: what is
explored less is learned less. Rows of B have unit length. What lies outside B's span is not explored and not learned:
neighbours learn together, antagonists learn opposite things.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..rows import HEAD, f32, normal, uniform
from ..settings import Exploring


class Currents(NamedTuple):
    """Row of the exploration of `groups` groups of `per_group` neurons."""

    groups: int
    per_group: int
    sources: int
    input: int  # f4[n]
    basis: int  # f4[groups, sources]: B
    noise: int  # f4[groups]: ξ
    factor: int  # f4[n]: ξ / σ, what plasticity pairs
    sigma: int  # f4
    persistence: int  # f4
    cooling: int  # f4
    novelty: int  # f8
    success: int  # f8
    stream: int
    redraw_stream: int  # the same for all: dimensions explore and persist together


at = places(Currents)


@kernel
def explore(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Draw exploration currents, or keep those of the decision before."""
    keep = f4[row[at.persistence]] * f8[row[at.novelty]]
    if f8[HEAD.fresh] == 0.0 and uniform(f8, row[at.redraw_stream], 0) < keep:
        return
    sigma, heat = f4[row[at.sigma]], f32(1.0) - f4[row[at.cooling]] * f32(f8[row[at.success]])
    for k in range(row[at.groups]):
        f4[row[at.noise] + k] = f32(0.0)
    for s in range(row[at.sources]):
        z = heat * normal(f8, row[at.stream], s)
        for k in range(row[at.groups]):
            f4[row[at.noise] + k] += sigma * f4[row[at.basis] + k * row[at.sources] + s] * z
    for k in range(row[at.groups]):
        for i in range(k * row[at.per_group], (k + 1) * row[at.per_group]):
            f4[row[at.factor] + i] = f4[row[at.noise] + k] / sigma


@kernel
def push(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The currents of this step."""
    for k in range(row[at.groups]):
        for i in range(k * row[at.per_group], (k + 1) * row[at.per_group]):
            f4[row[at.input] + i] += f4[row[at.noise] + k]


def add_currents(
    graph: Graph, name: str, config: Exploring, population: Population, basis: NDArray[np.float64]
) -> Currents:
    """Add exploration along the columns of `basis`, shape (groups, sources)."""
    groups, sources = basis.shape
    rows = basis / np.linalg.norm(basis, axis=1, keepdims=True)
    currents = Currents(
        groups=groups, per_group=population.n // groups, sources=sources, input=population.input,
        basis=graph.f4(basis.size, rows, Arena.LASTING), noise=graph.f4(groups), factor=graph.f4(population.n),
        sigma=graph.f4(1, config.noise or 1.0, Arena.LASTING), persistence=graph.f4(1, config.persistence, Arena.LASTING),
        cooling=graph.f4(1, config.cooling, Arena.LASTING), novelty=graph.signal("novelty", 1.0),
        success=graph.signal("success"), stream=graph.stream(f"{name}.noise"), redraw_stream=graph.stream("redraw"),
    )  # fmt: skip
    graph.name(f"exploration.{name}.noise", "f4", currents.noise, (groups,))
    graph.constant("f4", currents.basis, basis.size)
    part = graph.part(currents)
    if config.noise > 0.0:
        graph.call(Phase.COMPETE, explore, part, Mode.ACT)
        graph.call(Phase.SELECT, push, part, Mode.ACT)
    return currents
