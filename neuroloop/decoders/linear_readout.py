"""Linear read-out: every dimension of the action reads all neurons, x_d = Σ_i W_di r_i / full_rate with mean rates in Hz.

W is given, or drawn: each neuron has a preferred direction e_i, evenly over the unit sphere and each with its opposite, and
W_di = D e_di / n, with D so that for one dimension it is the pair of `rate.py` (Salinas and Abbott 1994; Eliasmith and
Anderson 2003). x is cut to [−1, 1]; a lies between rest and the end of the range that x points to.

Credit: node perturbation (`currents.py`) with one number a dimension of the action, handed down W itself: ξ_i = σ Σ_d W_di z_d
over the length of W_i. W does not learn: projections onto the population do, and reach whatever another W would. Where
a target is known instead of a reward, `neuroloop.PES` learns decoders by the delta rule (`docs/network.md`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Graph, Mode, Phase
from ..network.decision.lif import Population
from ..settings import LinearReadout
from .currents import Currents, add_currents
from .limits import Stage, value_of
from .rate import unit_of


class Weighted(NamedTuple):
    """Row of the read-out of `n` neurons by `dims` dimensions."""

    n: int
    dims: int
    counts: int  # i4[n]
    weights: int  # f8[dims, n]
    unit: int  # f8: a neuron's rate over `full_rate`, for one spike
    command: int  # f8[dims], and so on
    low: int
    rest: int
    high: int


at = places(Weighted)


@kernel
def read(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Weighted sums of rates."""
    for d in range(row[at.dims]):
        x, w = 0.0, row[at.weights] + d * row[at.n]
        for i in range(row[at.n]):
            x += f8[w + i] * i4[row[at.counts] + i]
        f8[row[at.command] + d] = value_of(
            f8[row[at.unit]] * x, f8[row[at.low] + d], f8[row[at.rest] + d], f8[row[at.high] + d]
        )


def directions(dims: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weights of `n` neurons with random preferred directions, shape (dims, n); each direction and its opposite."""
    half = rng.standard_normal((dims, (n + 1) // 2)) if dims > 1 else np.ones((1, (n + 1) // 2))
    half /= np.linalg.norm(half, axis=0)
    return np.asarray(2.0 * dims / n * np.concatenate([half, -half], axis=1)[:, :n])


def _weights(config: LinearReadout, dims: int, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if config.weights is None:
        if n < 2 * dims:
            raise ConfigError(
                f"population.n_per_action: {dims} dimensions of an action need at least {2 * dims} neurons"
            )
        return directions(dims, n, rng)
    lengths = {len(row) for row in config.weights}
    if len(config.weights) != dims or lengths != {n}:
        came = f"{len(config.weights)} of {sorted(lengths)}"
        raise ConfigError(f"decoder.weights: must be {dims} rows of {n} numbers, got {came}")
    weights = np.array(config.weights, np.float64)
    if not np.any(weights, axis=0).all():
        raise ConfigError("decoder.weights: a neuron that no dimension reads, all of its weights are 0")
    return weights


def add_linear_readout(graph: Graph, config: LinearReadout, population: Population, stage: Stage) -> Currents:
    """Add the read-out of all dimensions by the whole population."""
    n, dims = population.n, stage.n
    weights = _weights(config, dims, n, graph.rng)
    row = Weighted(
        n=n, dims=dims, counts=population.counts, weights=graph.f8(weights.size, weights),
        unit=unit_of(graph, 1, config.full_rate), command=stage.command, low=stage.low, rest=stage.rest, high=stage.high,
    )  # fmt: skip
    graph.name("decoder.weights", "f8", row.weights, (dims, n))
    graph.constant("f8", row.weights, weights.size)
    graph.call(Phase.DECODE, read, graph.part(row), Mode.ACT | Mode.LOOK)
    return add_currents(graph, "all", config, population, weights.T)
