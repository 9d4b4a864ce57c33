"""On-line normalisation of observations to [0, 1).

The range of a dimension is [max(min, mean − w σ), min(max, mean + w σ)] of everything seen, each observation weighing 1/n
(Welford 1962). Once learning began it only grows, since cells whose meaning drifts must learn anew. Freezing it hurt
learning, and so did plain minimum and maximum; where it is wanted all the same, `freeze_after` says after how many.

A sensor that errs once must not blind an agent whose ranges never narrow. So statistics take the observation winsorised
(Tukey 1962): clipped to the bounds of its space, where it has any, and, after a hundred observations or once learning began,
to the range in use widened by ten of its spans on either side: an outlier counts, but no more than that. A dimension that
never moved has no span to measure by, and its first movement counts in full.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import f8_at, inline, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import f32
from ..settings import Adaptive, Fixed
from .observation import Layout

SPANS = 10.0  # of the range in use, beyond it: what is farther out counts as if it were there
KNOWN = 100.0  # observations after which a range is known well enough for that
OBSERVATION = "observation"  # the name of the array that takes the raw observation


class Normaliser(NamedTuple):
    """Row of a normaliser of `n` dimensions."""

    n: int
    raw: int  # f8: the observation
    seen: int  # f8: observations so far
    mean: int  # f8, and so on, one a dimension
    variance: int
    least: int
    most: int
    low: int  # the range in use
    high: int
    adapts: int  # i4: whether a dimension's range adapts
    width: int  # f8
    awake: int  # f8: 1 once learning began
    scaled: int  # f4: the observation in [0, 1)
    freeze_after: int  # observations; 0: never
    floor: int  # shared f8: bounds of the observation space, infinite where there are none
    ceiling: int


class Inputs(NamedTuple):
    """Symbols of f8 arrays, one number for each dimension of the whole observation."""

    raw: int
    low: int  # ranges in use
    high: int

    def after(self, n: int) -> Inputs:
        """Those from dimension `n` on."""
        return Inputs(self.raw + n, self.low + n, self.high + n)


class Ranges(NamedTuple):
    """Symbols of what a normaliser makes of its dimensions."""

    inputs: Inputs
    scaled: int  # f4: in [0, 1)


at = places(Normaliser)


@inline
def _credible(f8, row, d):  # type: ignore[no-untyped-def]
    """The observation as statistics take it."""
    x = min(max(f8[row[at.raw] + d], f8_at(row[at.floor])[d]), f8_at(row[at.ceiling])[d])
    low, high = f8[row[at.low] + d], f8[row[at.high] + d]
    seen, awake = f8[row[at.seen]], f8[row[at.awake]] != 0.0
    if seen <= 1.0 or not (awake or seen > KNOWN) or not high > low:
        return x
    reach = SPANS * (high - low)
    return min(max(x, low - reach), high + reach)


@kernel
def adapt(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Take the observation into the statistics."""
    if row[at.freeze_after] > 0 and f8[row[at.seen]] >= row[at.freeze_after]:
        return
    f8[row[at.seen]] += 1.0
    count, width = f8[row[at.seen]], f8[row[at.width]]
    for d in range(row[at.n]):
        if i4[row[at.adapts] + d] == 0:
            continue
        x = _credible(f8, row, d)
        mean, variance, least, most = row[at.mean] + d, row[at.variance] + d, row[at.least] + d, row[at.most] + d
        if count == 1.0:
            f8[mean] = f8[least] = f8[most] = x
        error = x - f8[mean]
        f8[mean] += error / count
        f8[variance] += (error * (x - f8[mean]) - f8[variance]) / count
        f8[least], f8[most] = min(f8[least], x), max(f8[most], x)
        reach = width * (math.sqrt(f8[variance]) + 1e-8)
        low, high = max(f8[least], f8[mean] - reach), min(f8[most], f8[mean] + reach)
        if f8[row[at.awake]] != 0.0 and count > 1.0:
            low, high = min(low, f8[row[at.low] + d]), max(high, f8[row[at.high] + d])
        f8[row[at.low] + d], f8[row[at.high] + d] = low, high


@kernel
def scale(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Bring the observation to [0, 1) by the range in use."""
    for d in range(row[at.n]):
        low, high = f8[row[at.low] + d], f8[row[at.high] + d]
        share = (f8[row[at.raw] + d] - low) / (high - low + 1e-8)  # NaN where ranges overflow: becomes 0
        f4[row[at.scaled] + d] = f32(min(share, 0.999999)) if share > 0.0 else f32(0.0)


def add_inputs(graph: Graph, n: int) -> Inputs:
    """Add the arrays that all normalisers of a network share; they are named, so that others find them."""
    inputs = Inputs(graph.f8(n, arena=Arena.TRANSIENT), graph.f8(n), graph.f8(n))
    for name, symbol in (
        (OBSERVATION, inputs.raw),
        (f"{OBSERVATION}.low", inputs.low),
        (f"{OBSERVATION}.high", inputs.high),
    ):
        graph.name(name, "f8", symbol, (n,))
    return inputs


def add_normaliser(
    graph: Graph, config: Adaptive | Fixed, layout: Layout, inputs: Inputs | None = None, path: str = "encoder"
) -> Ranges:
    """Add a normaliser for an observation of `layout`, which lies at `inputs`, or is the only one.

    Discrete dimensions keep the range of their levels. Raises `ConfigError` if fixed ranges do not fit.
    """
    n = layout.size
    low, high = np.full(n, -0.5), np.where(layout.levels > 0, layout.levels - 0.5, 0.5)
    if isinstance(config, Fixed):
        _check_fixed(config, n, f"{path}.normalise")
        low, high = np.where(layout.levels > 0, low, config.low), np.where(layout.levels > 0, high, config.high)
    inputs, scaled = add_inputs(graph, n) if inputs is None else inputs, graph.f4(n)
    for symbol, ends in ((inputs.low, low), (inputs.high, high)):
        graph.fill("f8", symbol, ends)
    mean, variance, least, most = (graph.f8(n) for _ in range(4))
    part = graph.part(
        Normaliser(
            n=n, raw=inputs.raw, seen=graph.f8(1), mean=mean, variance=variance, least=least, most=most,
            low=inputs.low, high=inputs.high, adapts=graph.i4(n, layout.levels == 0, Arena.LASTING),
            width=graph.f8(1, config.width if isinstance(config, Adaptive) else 0.0), scaled=scaled,
            awake=graph.signal("awake"), freeze_after=(config.freeze_after or 0) if isinstance(config, Adaptive) else 0,
            floor=graph.shared(layout.low), ceiling=graph.shared(layout.high),
        )
    )  # fmt: skip
    if isinstance(config, Adaptive):
        graph.call(Phase.SENSE, adapt, part, Mode.ACT | Mode.WARM_UP)
    graph.call(Phase.SENSE, scale, part, Mode.ACT | Mode.LOOK)
    return Ranges(inputs, scaled)


def _check_fixed(config: Fixed, n: int, path: str) -> None:
    for name, values in (("low", config.low), ("high", config.high)):
        if len(values) != n:
            raise ConfigError(
                f"{path}.{name}: the observation has {n} dimensions, got {len(values)} values; "
                "the default agent finds ranges by itself"
            )
    if not all(a < b for a, b in zip(config.low, config.high, strict=True)):
        raise ConfigError(f"{path}.low: must be below {path}.high in every dimension")
