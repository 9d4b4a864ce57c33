"""On-line normalisation of observations to [0, 1).

The range of a dimension is [max(min, mean − w σ), min(max, mean + w σ)] of everything seen, each observation weighing 1/n
(Welford 1962). Once learning began it only grows, since cells whose meaning drifts must learn anew. Freezing it hurt
learning, and so did plain minimum and maximum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import f32
from ..settings import Adaptive, Fixed
from .observation import Layout

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


at = places(Normaliser)


@kernel
def adapt(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Take the observation into the statistics."""
    f8[row[at.seen]] += 1.0
    count, width = f8[row[at.seen]], f8[row[at.width]]
    for d in range(row[at.n]):
        if i4[row[at.adapts] + d] == 0:
            continue
        x = f8[row[at.raw] + d]
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


def add_normaliser(graph: Graph, config: Adaptive | Fixed, layout: Layout) -> int:
    """Add a normaliser for an observation of `layout`; returns the symbol of the scaled observation (f4).

    Discrete dimensions keep the range of their levels. Raises `ConfigError` if fixed ranges do not fit.
    """
    n = layout.size
    low, high = np.full(n, -0.5), np.where(layout.levels > 0, layout.levels - 0.5, 0.5)
    if isinstance(config, Fixed):
        for name, values in (("low", config.low), ("high", config.high)):
            if len(values) != n:
                raise ConfigError(
                    f"encoder.normalise.{name}: the observation has {n} dimensions, got {len(values)} values; "
                    "the default agent finds ranges by itself"
                )
        if not all(a < b for a, b in zip(config.low, config.high, strict=True)):
            raise ConfigError("encoder.normalise.low: must be below encoder.normalise.high in every dimension")
        low, high = np.where(layout.levels > 0, low, config.low), np.where(layout.levels > 0, high, config.high)
    raw, scaled = graph.f8(n, arena=Arena.TRANSIENT), graph.f4(n)
    graph.name(OBSERVATION, "f8", raw, (n,))
    mean, variance, least, most = (graph.f8(n) for _ in range(4))
    in_use_low, in_use_high = graph.f8(n, low), graph.f8(n, high)
    graph.name(f"{OBSERVATION}.low", "f8", in_use_low, (n,))
    graph.name(f"{OBSERVATION}.high", "f8", in_use_high, (n,))
    part = graph.part(
        Normaliser(
            n=n, raw=raw, seen=graph.f8(1), mean=mean, variance=variance, least=least, most=most,
            low=in_use_low, high=in_use_high, adapts=graph.i4(n, layout.levels == 0, Arena.LASTING),
            width=graph.f8(1, config.width if isinstance(config, Adaptive) else 0.0), scaled=scaled,
            awake=graph.signal("awake"),
        )
    )  # fmt: skip
    if isinstance(config, Adaptive):
        graph.call(Phase.SENSE, adapt, part, Mode.ACT | Mode.WARM_UP)
    graph.call(Phase.SENSE, scale, part, Mode.ACT | Mode.LOOK)
    return scaled
