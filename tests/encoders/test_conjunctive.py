"""One active cell in every module, for any observation, and cells that mean what they should."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.encoders.conjunctive import MOST_CELLS, Tiling, add_conjunctive, deal_modules
from neuroloop.encoders.observation import layout_of
from neuroloop.graph import Graph, Mode
from neuroloop.network.engine import Engine
from neuroloop.settings import Adaptive, ClockConfig, Conjunctive, Fixed

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


class Encoder:
    """The encoder alone: a function from an observation to the active cell of each module."""

    def __init__(self, config, space, seed=0):
        graph, rows = Graph(ClockConfig(), seed), []
        part, graph.part = graph.part, lambda row: rows.append(row) or part(row)
        self.layout = layout_of(space)
        self.n_cells = add_conjunctive(graph, config, self.layout, memory=1).n
        (row,) = (row for row in rows if isinstance(row, Tiling))
        self.network = Engine(graph)
        pool = self.network._pools["i4"]
        self.wanted = pool[graph.place(row.wanted) :][: row.modules]
        self.first = pool[graph.place(row.first_cell) :][: row.modules].copy()

    def __call__(self, flat):
        self.network.view("observation")[:] = flat
        self.network.run(Mode.ACT)
        return self.wanted.copy()


@given(
    st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=5),
    st.sampled_from([Adaptive(), Fixed(low=(-1.0, -1e300, 0.0), high=(1.0, 1e300, 1e-300))]),
    st.lists(st.integers(1, 10_000), min_size=1, max_size=3),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_any_finite_observation_activates_one_valid_cell_in_every_module(observations, normalise, tiles, seed):
    config = Conjunctive(modules=12, tiles=tuple(tiles), dimensions=(0.4, 0.3, 0.3), normalise=normalise)
    encode = Encoder(config, spaces.Box(-np.inf, np.inf, (3,), np.float64), seed)
    above = np.append(encode.first[1:], encode.n_cells)
    for observation in observations:
        cells = encode(observation)
        assert np.all(cells >= encode.first)
        assert np.all(cells < above)


@given(st.integers(1, 300), st.integers(2, 9), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_discrete_levels_map_one_to_one(levels, others, seed):
    config = Conjunctive(modules=8, dimensions=(0.5, 0.5))
    encode = Encoder(config, spaces.MultiDiscrete([levels, others]), seed)
    every = {(a, b): tuple(encode([a, b])) for a in range(levels) for b in (0, others - 1)}
    assert len(set(every.values())) == len(every)
    one_of = Encoder(Conjunctive(modules=3, dimensions=(1.0,)), spaces.Discrete(levels), seed)
    for module in np.array([one_of([level]) for level in range(levels)]).T:
        assert len(set(module)) == levels


def test_nearby_observations_share_cells_and_far_ones_do_not():
    config = Conjunctive(modules=200, tiles=(5,), dimensions=(1.0,), normalise=Fixed(low=(0.0,), high=(1.0,)))
    encode = Encoder(config, spaces.Box(0.0, 1.0, (1,)))
    shared = [np.mean(encode([0.5]) == encode([0.5 + distance])) for distance in (0.0, 0.025, 0.05, 0.075, 0.1, 0.4)]
    # ten tiles with random offsets: 1 − 10 × distance, to four standard errors of 200 modules
    np.testing.assert_allclose(shared, [1.0, 0.75, 0.5, 0.25, 0.0, 0.0], atol=4 * 0.5 / np.sqrt(200))


def test_every_combination_of_tiles_has_a_cell_of_its_own():
    unit = Fixed(low=(0.0, 0.0), high=(1.0, 1.0))
    config = Conjunctive(modules=40, tiles=(3, 4), dimensions=(0.0, 1.0), normalise=unit)
    encode = Encoder(config, spaces.Box(0.0, 1.0, (2,)))
    grid = np.linspace(0.0, 1.0, 40)
    cells = np.array([[encode([a, b]) for b in grid] for a in grid])
    for module in cells.transpose(2, 0, 1):
        assert len(np.unique(module)) == len(np.unique(module[0])) * len(np.unique(module[:, 0]))


def test_modules_use_all_dimensions_alike_in_the_sizes_asked_for():
    layout = layout_of(spaces.Box(-1, 1, (5,)))
    config = Conjunctive(modules=1000, tiles=(4, 6), dimensions=(0.2, 0.3, 0.5))
    modules = deal_modules(config, layout, np.random.default_rng(0))
    used = np.bincount(modules.dims[modules.dims >= 0], minlength=5)
    assert used.max() - used.min() < 0.02 * used.sum()
    sizes = np.bincount((modules.dims >= 0).sum(1), minlength=4)[1:] / 1000
    np.testing.assert_allclose(sizes, config.dimensions, atol=4 * 0.5 / np.sqrt(1000))
    for dims in modules.dims:
        chosen = dims[dims >= 0]
        assert len(set(chosen)) == len(chosen)


def test_chances_of_more_dimensions_than_there_are_go_to_the_largest_module():
    modules = deal_modules(
        Conjunctive(modules=50, dimensions=(0.0, 0.0, 1.0)),
        layout_of(spaces.Box(-1, 1, (2,))),
        np.random.default_rng(0),
    )
    assert np.all((modules.dims >= 0).sum(1) == 2)


def test_a_module_leaves_dimensions_out_rather_than_explode():
    config = Conjunctive(modules=20, tiles=(300,), dimensions=(0.0, 0.0, 1.0))
    modules = deal_modules(config, layout_of(spaces.Box(-1, 1, (3,))), np.random.default_rng(0))
    assert modules.n_cells <= 20 * MOST_CELLS
    assert np.all((modules.dims >= 0).sum(1) == 2)


@pytest.mark.parametrize("space", [spaces.Discrete(7), spaces.MultiBinary(3), spaces.Box(-1, 1, (2, 2))])
def test_the_same_seed_deals_the_same_modules(space):
    one, same, other = (Encoder(Conjunctive(modules=30), space, seed) for seed in (4, 4, 5))
    flat = one.layout.flatten(space.sample())
    np.testing.assert_array_equal(one(flat), same(flat))
    assert one.n_cells == same.n_cells
    assert other.n_cells != one.n_cells or np.any(other(flat) != one(flat)) or isinstance(space, spaces.Discrete)


@pytest.mark.parametrize(("dims", "n"), [(2, 96), (4, 96), (8, 192), (20, 384)])
def test_an_automatic_number_of_modules_grows_with_the_dimensions(dims, n):
    layout = layout_of(spaces.Box(-1.0, 1.0, (dims,)))
    modules = deal_modules(Conjunctive(modules="automatic"), layout, np.random.default_rng(0))
    assert modules.dims.shape[0] == n
