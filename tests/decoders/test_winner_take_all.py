"""Who wins, who is silent, what is credited, and how long an exploration lasts."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.decoders.winner_take_all import Selection, level_kernel, reach
from neuroloop.errors import ConfigError
from neuroloop.network.decision.lif import Population

OBSERVATIONS = spaces.Box(-1.0, 1.0, (2,))
DECIDE_AT, PER_GROUP = 10, 4


@pytest.fixture
def make(open_controller, small_agent):
    """Makes a controller whose policy has random weights that do not learn: (controller, graph, row of the selection)."""

    def make(actions, seed=0, spread=1.0, **decoder):
        still = {"weights_spread": spread, "plasticity": {"gain": 0.0}}
        agent = small_agent(projection={"policy": still}, decoder={"levels": 5} | decoder)
        controller, graph = open_controller(agent, OBSERVATIONS, actions, seed)
        return controller, graph, graph.rows_of(Selection)

    return make


def decisions(controller, n, seed=0):
    """Actions for n random observations, one after the other."""
    for tick, seen in enumerate(np.random.default_rng(seed).uniform(-1, 1, (n, 2))):
        yield controller.act(seen, 0.0, first=tick == 0)


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1, 1, (2,))], ids=["choices", "levels"])
def test_the_group_with_most_spikes_before_the_decision_wins_and_the_others_fall_silent(make, actions):
    controller, graph, selections = make(actions)
    won = set()
    for _ in decisions(controller, 60):
        for d, row in enumerate(selections):
            spikes = graph.log(f"actor[{d}]").reshape(20, row.groups, PER_GROUP).sum(2)
            winner = int(controller.network.view(f"selection.{d}.winner")[0])
            before, after = spikes[:DECIDE_AT].sum(0), spikes[DECIDE_AT:].sum(0)
            assert before[winner] == before.max()
            assert after[winner] > 0
            assert np.all(np.delete(after, winner) == 0)
            won.add((d, winner))
    assert len(won) == sum(row.groups for row in selections)  # every group won at times


def test_ties_are_broken_evenly(make):
    controller, graph, (row,) = make(spaces.Discrete(4), spread=0.0, noise=1e-6, inhibition=0.0)
    (critic, actor) = graph.rows_of(Population)
    graph.array("f4", actor.bias, actor.n)[:] = 0.0  # nobody fires before the decision
    counts = np.bincount(list(decisions(controller, 400)), minlength=4)
    assert row.groups == 4
    assert critic.n == 20
    np.testing.assert_allclose(counts, 100, atol=4 * np.sqrt(400 * 0.25 * 0.75))  # four standard errors


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1, 1, (1,))], ids=["choices", "levels"])
def test_the_predicted_policy_and_its_credit_follow_their_formulas(make, actions):
    controller, graph, (row,) = make(actions)
    n, kernel = row.groups, level_kernel(row.groups, 0.15 if isinstance(actions, spaces.Box) else None)
    np.testing.assert_allclose(graph.array("f4", row.kernel, n, n), kernel, atol=1e-7)
    for _ in decisions(controller, 20):
        drive = graph.array("f4", row.expected, n, PER_GROUP).mean(1, dtype=float)
        policy = np.exp(drive / (0.83 * 0.3))
        policy /= policy.sum()
        np.testing.assert_allclose(graph.array("f4", row.predicted, n), policy, atol=1e-6)  # float32 of numbers below 1
        winner = graph.array("i4", row.winner, 1)[0]
        credit = graph.array("f4", row.coefficients, n, PER_GROUP)
        np.testing.assert_allclose(credit, np.tile(kernel[:, winner] - kernel @ policy, (PER_GROUP, 1)).T, atol=2e-6)
        gate = graph.array("f4", row.gate, n, PER_GROUP)
        np.testing.assert_array_equal(gate, np.tile(np.arange(n) == winner, (PER_GROUP, 1)).T)


def test_choices_are_made_as_often_as_the_policy_predicts(make):
    controller, graph, (row,) = make(spaces.Discrete(2), spread=0.0, inhibition=0.0, decide_after=0.019)
    actor = graph.rows_of(Population)[1]
    bias = graph.array("f4", actor.bias, 2, PER_GROUP)
    bias[0] += 0.2  # the input that the policy would predict
    chosen = np.mean([action == 0 for action in decisions(controller, 1500)])
    predicted = 1 / (1 + np.exp(-0.2 / (0.83 * 0.3)))
    # four standard errors, and as much again for what spikes add to the noise of the currents
    assert chosen == pytest.approx(predicted, abs=8 * np.sqrt(0.25 / 1500))
    assert row.per_group == PER_GROUP


@pytest.mark.parametrize("persistence", [0.0, 0.9, 0.99])
def test_exploration_persists_as_long_as_cells_are_new(make, persistence):
    controller, graph, (row,) = make(spaces.Discrete(3), persistence=persistence)
    noise, kept, expected, last = graph.array("f4", row.noise, 3), 0, [], None
    for tick, _ in enumerate(decisions(controller, 500)):
        if tick > 0:
            kept += np.array_equal(noise, last)
            expected.append(persistence * controller.network.signal("novelty"))
        last = noise.copy()
    sd = np.sqrt(sum(p * (1 - p) for p in expected))
    assert kept == pytest.approx(sum(expected), abs=4 * sd)
    assert controller.network.signal("novelty") < 0.5  # it went on until cells were familiar


def test_exploration_currents_are_normal_with_the_spread_asked_for(make):
    controller, graph, (row,) = make(spaces.Discrete(5), noise=0.4)
    drawn = np.array([graph.array("f4", row.noise, 5).copy() for _ in decisions(controller, 600)])
    assert drawn.mean() == pytest.approx(0.0, abs=4 * 0.4 / np.sqrt(drawn.size))
    assert drawn.std() == pytest.approx(0.4, rel=4 / np.sqrt(2 * drawn.size))
    correlations = np.corrcoef(drawn.T)[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(600)


def test_predictions_do_not_explore(make):
    controller, _, _ = make(spaces.Discrete(3))
    list(decisions(controller, 30))
    assert len({controller.predict(np.array([0.3, -0.2]), None)[0] for _ in range(10)}) == 1


def test_all_dimensions_of_an_action_redraw_together(make):
    controller, graph, selections = make(spaces.Box(-1, 1, (3,)), persistence=0.8)
    noises = [graph.array("f4", row.noise, row.groups) for row in selections]
    last = None
    for _ in decisions(controller, 60):
        if last is not None:
            assert len({bool(np.array_equal(now, before)) for now, before in zip(noises, last, strict=True)}) == 1
        last = [noise.copy() for noise in noises]


@pytest.mark.parametrize(("groups", "spread"), [(9, 0.15), (5, 0.5), (2, 0.15)])
def test_the_level_kernel_is_made_of_unit_rows(groups, spread):
    kernel = level_kernel(groups, spread)
    k = np.arange(groups)
    g = np.exp(-0.5 * ((k[:, None] - k) / (spread * (groups - 1))) ** 2)
    g /= np.linalg.norm(g, axis=1, keepdims=True)
    np.testing.assert_allclose(kernel, g @ g.T)
    np.testing.assert_allclose(np.diag(kernel), 1.0)
    assert np.all(np.diff(kernel[0]) < 0)  # the farther, the less alike


def test_choices_without_order_share_nothing():
    np.testing.assert_array_equal(level_kernel(4, None), np.eye(4))


@pytest.mark.parametrize(("groups", "spread"), [(9, 0.25), (9, 0.05), (3, 0.25), (2, 0.5)])
def test_bounds_of_weights_onto_levels_leave_room_for_the_same_preference_as_onto_choices(groups, spread):
    """A level's own credit less the mean of all credits: what is left of it where neighbours learn along."""
    credit = level_kernel(groups, spread)
    left = np.mean([credit[k, k] - credit[k].mean() for k in range(groups)])
    assert reach(groups, spread) * left == pytest.approx(1 - 1 / groups)
    assert reach(groups, None) == pytest.approx(1.0)


def test_levels_that_all_learn_the_same_have_a_finite_reach():
    assert np.isfinite(reach(9, 1e9))


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1, 1, (2,))], ids=["choices", "levels"])
def test_weights_are_drawn_and_learn_up_to_the_bounds_that_they_reach(make, actions):
    controller, _, selections = make(actions, spread=50.0)  # nearly all are drawn beyond their bounds
    list(decisions(controller, 20))
    ordered = isinstance(actions, spaces.Box)
    farthest = 2.0 * (reach(5, 0.15) if ordered else 1.0)
    for name in [f"policy[{d}]" for d in range(len(selections))] if ordered else ["policy"]:
        weights = controller.network.rows_of(f"projection.{name}.weights")
        assert np.abs(weights).max() == pytest.approx(farthest)
        assert np.mean(np.abs(weights) > 0.99 * farthest) > 0.8


@pytest.mark.parametrize("decide_after", [0.0196, 0.02])
def test_a_decision_that_would_never_come_is_refused(make, decide_after):
    with pytest.raises(ConfigError, match=r"decoder\.decide_after"):
        make(spaces.Discrete(2), decide_after=decide_after)
