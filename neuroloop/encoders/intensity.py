"""Intensities in [0, 1] of channels, which rates, latencies, bursts and phases follow.

A continuous dimension u has a channel for much, u, and one for little, 1 − u (as ON and OFF cells: Kuffler 1953), or only
the first. A discrete one has a channel for each level, of which one is 1 and the others are silent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..rows import f32, i32
from ..settings import Adaptive, Fixed
from ..settings.encoders import Channels
from .normaliser import Inputs, add_normaliser
from .observation import Layout

MOST_APART = 64  # levels that have a channel each; more are taken for a continuous value
SILENT = -1.0  # the intensity of who must not fire


class Channel(NamedTuple):
    """Row of `n` channels."""

    n: int
    scaled: int  # f4: the observation in [0, 1)
    dims: int  # i4[n]: the dimension of a channel
    level: int  # i4[n]: the level that it stands for; -1: none
    levels: int  # f4[n]: of how many
    offset: int  # f4[n]: intensity at 0
    slope: int  # f4[n]
    intensity: int  # f4[n]


class Felt(NamedTuple):
    """Channels as encoders see them."""

    n: int
    intensity: int  # symbol of f4[n]; below 0 for silence
    active: float  # sum of intensities, usually


at = places(Channel)


@kernel
def feel(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Intensities for this observation."""
    scaled, dims, level, levels = row[at.scaled], row[at.dims], row[at.level], row[at.levels]
    offset, slope, intensity = row[at.offset], row[at.slope], row[at.intensity]
    for k in range(row[at.n]):
        u = f4[scaled + i4[dims + k]]
        a = f4[offset + k] + f4[slope + k] * u
        if i4[level + k] >= 0:
            a = f32(1.0) if i32(u * f4[levels + k]) == i4[level + k] else f32(SILENT)
        f4[intensity + k] = a


def n_channels(layout: Layout, channels: Channels) -> list[int]:
    """Channels of each dimension."""
    many = 2 if channels == "pair" else 1
    return [int(levels) if 0 < levels <= MOST_APART else many for levels in layout.levels]


def add_intensity(
    graph: Graph,
    normalise: Adaptive | Fixed,
    channels: Channels,
    layout: Layout,
    inputs: Inputs | None,
    path: str,
) -> Felt:
    """Add channels for an observation of `layout` to the graph: those of a dimension follow one another."""
    scaled = add_normaliser(graph, normalise, layout, inputs, path).scaled
    sizes = n_channels(layout, channels)
    dims = np.repeat(np.arange(layout.size), sizes)
    within = np.concatenate([np.arange(size) for size in sizes])
    apart = ((layout.levels > 0) & (layout.levels <= MOST_APART))[dims]
    n, lasting = dims.size, Arena.LASTING
    row = Channel(
        n=n, scaled=scaled, dims=graph.i4(n, dims, lasting), level=graph.i4(n, np.where(apart, within, -1), lasting),
        levels=graph.f4(n, layout.levels[dims], lasting), offset=graph.f4(n, within % 2, lasting),
        slope=graph.f4(n, 1 - 2 * (within % 2), lasting), intensity=graph.f4(n),
    )  # fmt: skip
    graph.constant("i4", row.dims, n)
    graph.constant("i4", row.level, n)
    graph.call(Phase.ENCODE, feel, graph.part(row), Mode.ACT | Mode.LOOK)
    usual = np.where((layout.levels > 0) & (layout.levels <= MOST_APART), 1.0, 1.0 if channels == "pair" else 0.5)
    return Felt(n, row.intensity, float(usual.sum()))
