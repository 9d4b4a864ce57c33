"""Currents of both kinds of projections against closed forms and plain sums over the spikes of each cell."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.graph import Mode
from neuroloop.network.decision.cells import CLASS, ROW_FIELDS, add_cells
from neuroloop.network.decision.dense import Dense, add_dense
from neuroloop.network.decision.from_cells import FromCells, add_from_cells
from neuroloop.network.decision.lif import add_lif
from neuroloop.network.decision.source import add_source
from neuroloop.network.engine import Engine
from neuroloop.settings import Lif, ProjectionConfig

N_PRE, N_POST, STEPS = 6, 4, 60
ALL = ProjectionConfig(pre="a", post="b", tau_syn=0.007, weights=0.1, weights_spread=0.3, gain=1.5)
SLOWER = 7 / 5  # than the trace: what the current adds up to in the steady state
FOLLOWS = Lif(tau_mem=0.0001, t_ref=0.0)  # ten time constants a step: the membrane is the drive, to 5e-5 of it


@pytest.fixture
def dense(open_graph):
    """Makes a dense projection from scripted spikes: (network, graph, its row, its weights)."""

    def make(spikes, level=None):
        graph = open_graph(len(spikes), seed=1)
        post = add_lif(graph, "post", FOLLOWS, N_POST, 0.0)
        known = None if level is None else graph.f4(N_PRE, level)
        source = add_source(graph, graph.script(spikes), N_PRE, 0.005, known, 1.25, N_PRE)
        add_dense(graph, "all", ALL, source, post, graph.signal("scale", 0.5))
        graph.record("membranes", post.v, N_POST)
        graph.record("traces", source.trace, N_PRE)
        row = graph.rows_of(Dense)[0]
        graph.record("currents", row.current, N_POST)
        return Engine(graph), graph, row, graph.array("f4", row.weights, N_PRE, N_POST)

    return make


def exponential(spikes, tau, start=0.0):
    """Σ over past spikes of e^(−(t − s) / τ), plus a decaying start; shape (steps, n), at once and in float64."""
    t = np.arange(len(spikes))
    kernel = np.tril(np.exp(-(t[:, None] - t) / tau))
    return kernel @ spikes + np.exp(-(t[:, None] + 1) / tau) * start


def test_a_dense_current_is_a_sum_of_exponentials_over_its_spikes(dense):
    spikes = np.random.default_rng(0).random((STEPS, N_PRE)) < 0.2
    network, graph, _, weights = dense(spikes)
    network.run(Mode.ACT)
    currents = exponential(spikes.astype(float), 7.0) @ weights
    # every step adds six float32 weights and a decay: 1e-7 each, of which 7 steps last
    np.testing.assert_allclose(graph.log("currents"), currents, rtol=0, atol=3e-6)
    np.testing.assert_allclose(graph.log("traces"), exponential(spikes.astype(float), 5.0), rtol=0, atol=3e-6)


def test_what_arrives_is_the_current_times_gain_and_scale(dense):
    spikes = np.random.default_rng(1).random((STEPS, N_PRE)) < 0.2
    network, graph, _, _ = dense(spikes)
    network.run(Mode.ACT)
    arrived = 0.5 * 1.5 / (1.25 * SLOWER * N_PRE) * graph.log("currents")
    assert 0.01 < np.abs(arrived).max() < 1.0  # or the membrane could not follow
    np.testing.assert_allclose(graph.log("membranes"), arrived, rtol=0, atol=1e-4)


def test_an_episode_begins_in_the_steady_state_of_the_expected_traces(dense):
    level = np.linspace(0.0, 2.0, N_PRE)
    network, graph, row, weights = dense(np.zeros((STEPS, N_PRE)), level)
    network.run(Mode.ACT, fresh=True)
    silent = np.zeros((STEPS, N_PRE))
    np.testing.assert_allclose(graph.log("traces"), exponential(silent, 5.0, level), rtol=0, atol=3e-6)
    np.testing.assert_allclose(
        graph.log("currents"), exponential(silent, 7.0, SLOWER * level) @ weights, rtol=0, atol=3e-6
    )
    expected = graph.array("f4", row.expected, N_POST)
    np.testing.assert_allclose(expected, 0.5 * 1.5 / (1.25 * N_PRE) * level @ weights, rtol=1e-5)


def test_currents_go_on_over_control_steps(dense):
    spikes = np.random.default_rng(2).random((STEPS, N_PRE)) < 0.2
    network, graph, _, weights = dense(spikes)
    network.run(Mode.ACT)
    network.run(Mode.ACT)
    twice = exponential(np.tile(spikes, (2, 1)).astype(float), 7.0)[STEPS:]
    np.testing.assert_allclose(graph.log("currents"), twice @ weights, rtol=0, atol=3e-6)


def test_every_spike_of_a_population_arrives_one_step_later_also_across_control_steps(open_graph):
    graph = open_graph(n_steps=7, seed=1)
    pre = add_lif(graph, "first", Lif(t_ref=0.0), N_PRE, 3.0)
    source = add_source(graph, pre.fired, N_PRE, 0.005, None, 1.0, N_PRE)
    graph.record("traces", source.trace, N_PRE)
    network = Engine(graph)
    spikes, traces = [], []
    for tick in range(20):
        network.run(Mode.ACT, fresh=tick == 0)
        spikes.extend(graph.log("first").copy())
        traces.extend(graph.log("traces").copy())
    assert np.sum(spikes[6::7]) > 0  # some fire at the last step of a control step
    np.testing.assert_allclose(traces[1:], exponential(np.array(spikes[:-1]), 5.0), rtol=0, atol=3e-6)


def test_new_weights_have_the_mean_and_spread_that_was_asked_for(open_graph):
    graph = open_graph(seed=5)
    post = add_lif(graph, "post", Lif(), 100, 0.0)
    source = add_source(graph, graph.f4(100), 100, 0.005, None, 1.0, 100)
    weights = add_dense(graph, "all", ALL, source, post, graph.signal("one", 1.0))
    Engine(graph)
    drawn = graph.array("f4", weights, 10_000)
    assert drawn.mean() == pytest.approx(0.1, abs=4 * 0.3 / 100)  # four standard errors
    assert drawn.std() == pytest.approx(0.3, rel=4 / np.sqrt(2 * 10_000))
    assert drawn.min() >= -1.0
    assert drawn.max() <= 1.0


class Cells:
    """Eight of fifty cells at a time onto four neurons, and the same worked out one spike at a time."""

    def __init__(self, graph, config=ALL, n=50, n_active=8):
        self.graph, self.n, self.n_active = graph, n, n_active
        wanted = graph.i4(n_active)
        source = add_cells(graph, n, wanted, n_active, 0.004, 0.005, 20.0, memory=3)
        post = add_lif(graph, "post", FOLLOWS, N_POST, 0.0)
        add_from_cells(graph, "all", config, source, post, graph.signal("scale", 0.5), None)
        (self.row,), self.cells = graph.rows_of(FromCells), source.cells
        graph.record("currents", self.row.current, N_POST)
        self.network = Engine(graph)
        self.wanted = graph.array("i4", wanted, n_active)
        self.row_of = graph.array("i4", self.cells.row_of, n)
        self.records = graph.array("i4", self.cells.records, n, ROW_FIELDS)
        self.weights = graph.array("f4", self.row.weights, n, N_POST)
        self.current, self.step = np.zeros(N_POST), 0

    def check(self, active, mode=Mode.ACT, fresh=False):
        """Run a control step with these active cells and compare its currents; returns which cells fired when."""
        self.wanted[:] = active
        self.network.run(mode, fresh=fresh)
        rows = [self.row_of[cell] for cell in active if self.row_of[cell] >= 0]
        if fresh:
            self.current = 1.25 * SLOWER * self.weights[rows].sum(0)
        fired = []
        for line in self.graph.log("currents"):
            self.step += 1  # regular firing: a cell of class c fires at the steps c, c + 4, c + 8 …
            now = [row for row in rows if self.records[row, CLASS] == self.step % 4]
            self.current = self.current * np.exp(-1 / 7) + self.weights[now].sum(0, dtype=float)
            # eight float32 weights a step, of which 7 steps last
            np.testing.assert_allclose(line, self.current, rtol=0, atol=1e-5)
            fired.append(now)
        return fired


@pytest.fixture
def cells(open_graph):
    return Cells(open_graph(n_steps=18, seed=2))


def test_currents_from_cells_are_those_of_a_dense_projection_of_their_spikes(cells):
    rng = np.random.default_rng(3)
    for tick in range(12):
        cells.check(rng.permutation(50)[:8], fresh=tick in (0, 7))
    assert 40 < cells.network.n_rows <= 50


def test_each_active_cell_fires_every_four_steps_also_across_control_steps(cells):
    active = np.arange(8)
    spikes = [*cells.check(active), *cells.check(active), *cells.check(active)]
    for row in range(8):
        steps = [t for t, now in enumerate(spikes) if row in now]
        assert steps[0] < 4
        assert set(np.diff(steps)) == {4}
    assert cells.network.signal("spikes") == sum(map(len, spikes))


def test_looking_gives_no_rows_and_unknown_cells_say_nothing(cells):
    cells.check(np.arange(8))
    cells.check(np.arange(4, 12), Mode.LOOK)
    assert cells.network.n_rows == 8
    assert np.all(cells.row_of[8:] == -1)


def test_an_episode_from_cells_begins_in_the_steady_state(cells):
    cells.check(np.arange(8), fresh=True)
    expected = 0.5 * 1.5 / (1.25 * 8) * 1.25 * cells.weights[:8].sum(0)
    np.testing.assert_allclose(cells.graph.array("f4", cells.row.expected, N_POST), expected, rtol=1e-5)


def test_new_weights_of_cells_are_drawn_like_those_of_dense_projections(open_graph):
    narrow = ProjectionConfig(pre="a", post="b", weights=0.1, weights_spread=0.3, bounds=(-0.4, 0.3))
    cells = Cells(open_graph(n_steps=1, seed=4), narrow, n=4000, n_active=4000)
    cells.wanted[:] = np.arange(4000)
    cells.network.run(Mode.ACT)
    drawn = 0.5 * cells.weights  # what is stored times the scale
    assert drawn.min() == pytest.approx(-0.4)
    assert drawn.max() == pytest.approx(0.3)
    free = drawn[(drawn > -0.4) & (drawn < 0.3)]
    assert np.mean(drawn == drawn.max()) == pytest.approx(0.2525, abs=4 * 0.44 / np.sqrt(drawn.size))  # P(z > 2/3)
    assert np.median(drawn) == pytest.approx(0.1, abs=4 * 1.25 * 0.3 / np.sqrt(drawn.size))
    assert free.size > 1000


def test_a_familiar_set_of_cells_is_less_novel(cells):
    for tick in range(1, 4):
        cells.check(np.arange(8))
        assert cells.network.signal("novelty") == pytest.approx(1 / (1 + tick / 20))
