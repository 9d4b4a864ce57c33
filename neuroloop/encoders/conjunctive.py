"""Conjunctive cells: modules that tile random combinations of dimensions, one active cell a module.

A module is a coarse code (Hinton 1984; Albus 1975) of one to four dimensions: cell index floor(u_d n + offset_d), folded
over its dimensions. Which cells are active is all this encoder says; when they fire, `network.decision.cells` does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.cells import CellSource, add_cells
from ..rows import f32, i32, i64
from ..settings import Conjunctive
from .normaliser import Inputs, add_normaliser
from .observation import Layout

MOST_CELLS = 100_000  # in a module: more dimensions are left out of it
PER_DIMENSION, FEWEST, MOST = 24, 96, 384  # modules, where their number is automatic


class Tiling(NamedTuple):
    """Row of the encoder."""

    modules: int
    most_dims: int  # of any module
    scaled: int  # f4: the observation in [0, 1)
    dims: int  # i4[modules, most_dims]: dimensions of a module, then -1
    offsets: int  # f4[modules, most_dims]
    tiles: int  # i4[modules, most_dims]
    first_cell: int  # i4[modules]
    wanted: int  # i4[modules]: the cell of each module to be active


at = places(Tiling)


@kernel
def locate(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Find the cell of each module that the observation falls into."""
    for module in range(row[at.modules]):
        cell = i64(0)
        for k in range(module * row[at.most_dims], (module + 1) * row[at.most_dims]):
            d = i64(i4[row[at.dims] + k])
            if d < 0:
                break
            tiles = i64(i4[row[at.tiles] + k])
            cell = cell * (tiles + 1) + i64(f4[row[at.scaled] + d] * f32(tiles) + f4[row[at.offsets] + k])
        i4[row[at.wanted] + module] = i32(i4[row[at.first_cell] + module] + cell)


class Modules(NamedTuple):
    """The structure of the modules; -1 ends a module's list of dimensions."""

    dims: NDArray[np.int64]  # (modules, most_dims)
    tiles: NDArray[np.int64]  # (modules, most_dims)
    offsets: NDArray[np.float64]  # (modules, most_dims), in tiles
    first_cell: NDArray[np.int64]  # (modules,)
    n_cells: int


def modules_of(config: Conjunctive, layout: Layout) -> int:
    """How many modules there are; an automatic number grows with the dimensions whose combinations must be covered."""
    if isinstance(config.modules, int):
        return config.modules
    return min(max(PER_DIMENSION * layout.size, FEWEST), MOST)


def deal_modules(config: Conjunctive, layout: Layout, rng: np.random.Generator) -> Modules:
    """Deal dimensions to modules from shuffled decks, so that all are used alike, with random offsets.

    A discrete dimension has a tile for each level and no offset.
    """
    most = min(layout.size, len(config.dimensions))
    chance = np.array(config.dimensions[:most])
    chance[-1] += sum(config.dimensions[most:])
    n_modules = modules_of(config, layout)
    dims = np.full((n_modules, most), -1)
    tiles = np.zeros((n_modules, most), np.int64)
    offsets = rng.random((n_modules, most))
    sizes = np.zeros(n_modules, np.int64)
    deck: list[int] = []
    for module in range(n_modules):
        size = 1
        chosen: list[int] = []
        wanted = int(rng.choice(most, p=chance / chance.sum())) + 1
        while len(chosen) < wanted:
            fitting = [d for d in deck if d not in chosen]
            if not fitting:
                deck = [int(d) for d in rng.permutation(layout.size)]
                continue
            d = fitting[0]
            deck.remove(d)
            n = int(layout.levels[d]) or config.tiles[module % len(config.tiles)] * (2 if wanted == 1 else 1)
            if chosen and size * (n + 1) > MOST_CELLS:
                break
            tiles[module, len(chosen)] = n
            if layout.levels[d]:
                offsets[module, len(chosen)] = 0.0
            chosen.append(d)
            size *= n + 1
        dims[module, : len(chosen)] = chosen
        sizes[module] = size
    return Modules(dims, tiles, offsets, np.cumsum(sizes) - sizes, int(sizes.sum()))


def add_conjunctive(
    graph: Graph,
    config: Conjunctive,
    layout: Layout,
    memory: int,
    fires: bool = True,
    inputs: Inputs | None = None,
    path: str = "encoder",
) -> CellSource:
    """Add the encoder to the graph. `memory`: control steps until an eligibility is gone; `fires`: whether cells spike."""
    modules = deal_modules(config, layout, graph.rng)
    scaled = add_normaliser(graph, config.normalise, layout, inputs, path).scaled
    n, dims, lasting = len(modules.dims), modules.dims, Arena.LASTING
    wanted = graph.i4(n)
    graph.name(f"{path}.cells", "i4", wanted, (n,))
    tiling = (
        Tiling(
            modules=n, most_dims=dims.shape[1], scaled=scaled, dims=graph.i4(dims.size, dims, lasting),
            offsets=graph.f4(dims.size, modules.offsets, lasting), tiles=graph.i4(dims.size, modules.tiles, lasting),
            first_cell=graph.i4(n, modules.first_cell, lasting), wanted=wanted,
        )
    )  # fmt: skip
    part = graph.part(tiling)
    for symbol, size in ((tiling.dims, dims.size), (tiling.tiles, dims.size), (tiling.first_cell, n)):
        graph.constant("i4", symbol, size)
    graph.constant("f4", tiling.offsets, dims.size)
    graph.call(Phase.ENCODE, locate, part, Mode.ACT | Mode.LOOK)
    return add_cells(
        graph, modules.n_cells, wanted, n, config.interval, config.tau_trace, config.familiar_after, memory, fires
    )
