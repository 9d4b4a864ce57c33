"""Exploration by currents: their distribution, how long they last, and that plasticity pairs them with input."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.decoders.currents import Currents
from neuroloop.decoders.winner_take_all import level_rows
from neuroloop.errors import ConfigError
from neuroloop.network.decision.source import Trace
from neuroloop.plasticity.broadcast import Rule as Broadcast
from neuroloop.plasticity.rstdp import Rule

OBSERVATIONS = spaces.Box(-1.0, 1.0, (2,))
ACTIONS = spaces.Box(-1.0, 1.0, (2,))
PER_GROUP = 4


@pytest.fixture
def make(open_controller, small_agent):
    """Makes a controller whose policy does not change: (controller, graph, rows of exploration)."""

    def make(kind, seed=0, **changes):
        table = {"kind": kind, "population": "actor", **changes.pop("decoder", {})}
        projection = changes.pop("projection", {})
        still = {
            "weights_spread": 0.3,
            "plasticity": {"gain": 0.0, **projection.get("policy", {}).pop("plasticity", {})},
        }
        projection["policy"] = {**still, **projection.get("policy", {})}
        agent = small_agent(projection=projection, decoder=table, **changes)
        controller, graph = open_controller(agent, OBSERVATIONS, ACTIONS, seed)
        return controller, graph, graph.rows_of(Currents)

    return make


def decisions(controller, n, seed=0):
    for tick, seen in enumerate(np.random.default_rng(seed).uniform(-1, 1, (n, 2))):
        yield controller.act(seen, 0.0, first=tick == 0)


def noises(controller, graph, rows, n):
    return np.array(
        [[graph.array("f4", row.noise, row.groups).copy() for row in rows] for _ in decisions(controller, n)]
    )


@pytest.mark.parametrize("kind", ["rate", "leaky-integrator", "pwm"])
def test_a_pair_is_pushed_and_pulled_by_normal_currents(make, kind):
    controller, graph, rows = make(kind, decoder={"noise": 0.4})
    drawn = noises(controller, graph, rows, 500)
    assert drawn.shape == (500, 2, 2)
    np.testing.assert_array_equal(drawn[:, :, 0], -drawn[:, :, 1])
    up = drawn[:, :, 0]
    assert up.mean() == pytest.approx(0.0, abs=4 * 0.4 / np.sqrt(up.size))
    assert up.std() == pytest.approx(0.4, rel=4 / np.sqrt(2 * up.size))
    assert abs(np.corrcoef(up.T)[0, 1]) < 4 / np.sqrt(500)


def test_neighbouring_values_are_explored_alike(make):
    controller, graph, rows = make("population-vector", decoder={"levels": 5, "noise": 0.5, "spread": 0.3})
    drawn = noises(controller, graph, rows, 800)[:, 0]
    expected = level_rows(5, 0.3) @ level_rows(5, 0.3).T
    np.testing.assert_allclose(np.corrcoef(drawn.T), expected, atol=4 / np.sqrt(800))
    np.testing.assert_allclose(drawn.std(0), 0.5, rtol=4 / np.sqrt(1600))


def test_a_linear_readout_is_explored_through_its_own_weights(make):
    controller, graph, (row,) = make("linear", decoder={"noise": 0.2})
    weights = controller.network.view("decoder.weights")
    directions = weights / np.linalg.norm(weights, axis=0)
    drawn = noises(controller, graph, [row], 400)[:, 0]
    assert np.linalg.matrix_rank(drawn, tol=1e-4) == 2
    np.testing.assert_allclose(
        drawn.T @ drawn / 400, 0.04 * directions.T @ directions, atol=4 * 0.04 * np.sqrt(2 / 400)
    )


@pytest.mark.parametrize("persistence", [0.0, 0.9, 0.99])
def test_exploration_persists_as_long_as_cells_are_new(make, persistence):
    controller, graph, rows = make("rate", decoder={"persistence": persistence})
    kept, expected, last = 0, [], None
    for _ in decisions(controller, 400):
        now = graph.array("f4", rows[0].noise, 2).copy()
        if last is not None:
            kept += np.array_equal(now, last)
            expected.append(persistence * controller.network.signal("novelty"))
        last = now
    assert kept == pytest.approx(sum(expected), abs=4 * np.sqrt(sum(p * (1 - p) for p in expected)))


def test_predictions_do_not_explore(make):
    controller, _, _ = make("rate")
    list(decisions(controller, 10))
    seen = np.array([0.3, -0.2])
    drawn = controller.network.view("exploration.0.noise").copy()
    actions = [controller.predict(seen, None)[0] for _ in range(2)]
    np.testing.assert_array_equal(*actions)
    np.testing.assert_array_equal(controller.network.view("exploration.0.noise"), drawn)


def test_what_is_eligible_is_input_times_the_current_whatever_fired(make):
    """E ← λ E + Σ_t x_j(t) ξ_i / σ, on a dense projection whose spikes are logged."""
    controller, graph, rows = make(
        "rate",
        encoder={"kind": "gaussian", "neurons": 4},
        projection={"policy": {"bounds": [-9.0, 9.0], "weights": -9.0, "plasticity": {"gain": 0.0, "lambda": 0.5}}},
        learner={"gamma": 0.9},
    )
    (trace,) = (row for row in graph.rows_of(Trace) if row.n == 8)
    rules = [row for row in graph.rows_of(Rule) if row.n_post == 2 * PER_GROUP]
    assert len(rules) == 2
    expected = np.zeros((2, 8, 2 * PER_GROUP))
    decay, level = np.exp(-1e-3 / 0.005), None
    for _ in decisions(controller, 6):
        level = graph.array("f4", trace.level, 8).astype(float) if level is None else level
        total = np.zeros(8)
        for fired in graph.log("pre"):
            level = level * decay + fired
            total += level
        for d, row in enumerate(rows):
            factor = np.repeat(graph.array("f4", row.noise, 2) / 0.3, PER_GROUP)
            expected[d] = 0.45 * expected[d] + total[:, None] * factor
            eligible = graph.array("f4", rules[d].eligibility, 8, 2 * PER_GROUP)
            np.testing.assert_allclose(eligible, expected[d], rtol=1e-3, atol=1e-3)
    assert graph.log("actor[0]").sum() == 0, "it was silenced"


@pytest.mark.parametrize("kind", ["rate", "linear", "population-vector"])
def test_hidden_neurons_are_told_what_was_explored(make, kind):
    """L = c B_V + Σ_d Σ_k ½ B_k ξ_k / σ, with B the mean weight onto a group."""
    hidden = {
        "pre": "encoder",
        "post": "hidden",
        "weights": 1.0,
        "plasticity": {"kind": "e-prop", "gain": 0.0, "value": 0.7},
    }
    controller, graph, rows = make(
        kind,
        decoder={"noise": 0.4},
        encoder={"kind": "gaussian", "neurons": 4},
        population={"hidden": {"n": 7}},
        projection={"in": hidden, "value": {"pre": "hidden", "weights_spread": 0.5}, "policy": {"pre": "hidden"}},
        learner={"modulates": ["in", "value", "policy"]},
    )
    (rule,), network = graph.rows_of(Broadcast), controller.network
    scale = network.signal("value.scale")
    before = network.view("projection.value.weights").copy()  # they change in the same control step, after the signal
    for _ in decisions(controller, 5):
        expected, before = 0.7 * before.mean(1) * scale, network.view("projection.value.weights").copy()
        for d, row in enumerate(rows):
            name = f"projection.policy[{d}].weights" if len(rows) > 1 else "projection.policy.weights"
            onto = network.view(name).reshape(7, row.groups, -1).mean(2)
            expected = expected + 0.5 * onto @ graph.array("f4", row.noise, row.groups) / 0.4
        np.testing.assert_allclose(graph.array("f4", rule.signal, 7), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"projection": {"policy": {"plasticity": {"pre_only": 0.1}}}}, "pre_only: does not go with"),
        ({"encoder": {"kind": "gaussian"}, "decoder": {"persistence": 0.5}}, r"decoder\.persistence: needs"),
        ({"decoder": {"decide_after": 0.01}}, r"decoder\.decide_after: unknown key"),
    ],
    ids=["pre_only", "persistence", "decide_after"],
)
def test_settings_that_do_not_go_with_currents_are_refused(small_agent, changes, message):
    table = {"kind": "rate", "population": "actor"} | changes.pop("decoder", {})
    with pytest.raises(ConfigError, match=message):
        small_agent(decoder=table, **changes)
