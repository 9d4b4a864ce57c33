"""Learning in hidden layers against eager NumPy: what is local, what is broadcast, and how both become weights."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import config
from neuroloop.assembly import HIDDEN_DRIVE
from neuroloop.decoders.winner_take_all import Selection
from neuroloop.errors import ConfigError
from neuroloop.graph import Mode
from neuroloop.network.decision.dense import add_dense
from neuroloop.network.decision.lif import add_lif, spikes_of
from neuroloop.network.decision.source import add_source
from neuroloop.network.engine import Engine
from neuroloop.plasticity import broadcast
from neuroloop.plasticity.eprop import add_local
from neuroloop.settings import Lif, ProjectionConfig

N_PRE, N_POST, STEPS = 6, 5, 60
SPACES = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)
KINDS = {
    "e-prop": {"kind": "e-prop", "gain": 0.3, "lambda": 0.7, "value": 0.5},
    "e-prop, random": {"kind": "e-prop", "gain": 0.3, "lambda": 0.7, "broadcast": "random", "dampening": 0.5},
    "feedback-alignment": {"kind": "feedback-alignment", "gain": 0.3, "lambda": 0.7, "value": 2.0, "pre_only": 0.0},
    "feedback-alignment, pre-only": {
        "kind": "feedback-alignment",
        "gain": 0.1,
        "lambda": 0.7,
        "value": 0.5,
        "pre_only": 0.4,
    },
}


@pytest.mark.parametrize("t_ref", [0.0, 0.003])
def test_pseudo_derivatives_and_eligibility_vectors_are_those_of_the_membrane(open_graph, t_ref):
    """An eager LIF neuron, reset by subtraction, whose v is known before the reset."""
    spikes = np.random.default_rng(0).random((STEPS, N_PRE)) < 0.2
    graph = open_graph(STEPS, seed=1)
    post = add_lif(graph, "post", Lif(tau_mem=0.010, t_ref=t_ref), N_POST, 1.2)
    source = add_source(graph, graph.script(spikes), N_PRE, 0.005, None, 1.0, N_PRE)
    wired = ProjectionConfig(pre="a", post="b", tau_syn=0.007, weights_spread=1.0, bounds=(-3.0, 3.0))
    weights = add_dense(graph, "all", wired, source, post, graph.signal("one", 1.0))
    local = add_local(graph, source, post, 0.007, 0.010, dampening=0.4)
    for name, symbol, n in (("slope", local.slope, N_POST), ("vector", local.vector, N_PRE)):
        graph.record(name, symbol, n)
    network = Engine(graph)
    network.run(Mode.ACT)
    w = graph.array("f4", weights, N_PRE, N_POST) / (N_PRE * 7 / 5)  # gain, in units of all inputs' usual drive
    alpha, current, vector, v, rest = np.exp(-1 / 10), *np.zeros((2, N_PRE)), *np.zeros((2, N_POST))
    for t in range(STEPS):
        current = current * np.exp(-1 / 7) + spikes[t]
        vector = alpha * vector + (1 - alpha) * current
        held = rest > 0
        v = np.where(held, v, v + (1 - alpha) * (1.2 + current @ w - v))
        slope = np.where(held, 0.0, 0.4 * np.maximum(1 - np.abs(v - 1), 0.0))
        fired = v >= 1.0
        v = np.where(fired, np.minimum(v - 1.0, 0.5), v)
        rest = np.where(fired, round(t_ref * 1e3), np.maximum(rest - 1, 0))
        # sixty steps of float32
        np.testing.assert_allclose(graph.log("vector")[t], vector, rtol=0, atol=3e-6)
        np.testing.assert_allclose(graph.log("slope")[t], slope, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(graph.log("post")[t], fired)
    assert graph.log("post").sum() > 10


def test_without_a_spike_an_eligibility_vector_is_the_derivative_of_the_membrane(open_graph):
    """∂v/∂w by finite differences, for a neuron that stays below threshold."""
    spikes = np.random.default_rng(3).random((STEPS, 1)) < 0.3

    def membrane(weight):
        graph = open_graph(STEPS, seed=1)
        post = add_lif(graph, "post", Lif(tau_mem=0.010), 1, 0.0)
        source = add_source(graph, graph.script(spikes), 1, 0.005, None, 1.0, 1)
        wired = ProjectionConfig(pre="a", post="b", tau_syn=0.005, weights=weight)
        add_dense(graph, "all", wired, source, post, graph.signal("one", 1.0))
        local = add_local(graph, source, post, 0.005, 0.010, 0.3)
        graph.record("v", post.v, 1)
        graph.record("vector", local.vector, 1)
        Engine(graph).run(Mode.ACT)
        return graph.log("v")[:, 0].astype(float), graph.log("vector")[:, 0].astype(float)

    (low, vector), (high, _) = membrane(0.1), membrane(0.2)
    assert high.max() < 1.0
    np.testing.assert_allclose((high - low) / 0.1, vector, rtol=0, atol=1e-5)  # v is linear in w: float32 only


@pytest.fixture
def hidden_agent(small_agent):
    """Makes a small agent with a hidden layer that learns."""

    def make(rule, **changes):
        return small_agent(
            encoder={
                "kind": "gaussian", "neurons": 5, "width": 0.2,
                "normalise": {"kind": "fixed", "low": [-1.0, -1.0], "high": [1.0, 1.0]},
            },
            population={"hidden": {"n": 7, "bias_spread": 0.3, "t_ref": 0.002}},
            projection={
                "in": {
                    "pre": "encoder", "post": "hidden", "weights": 1.5, "weights_spread": 1.0, "bounds": [-2.5, 2.5],
                    "plasticity": rule,
                },
                "value": {"pre": "hidden", "weights_spread": 0.5},
                "policy": {"pre": "hidden", "weights_spread": 0.5},
            },
            learner={"modulates": ["in", "value", "policy"], "value_range": [-3.0, 3.0], "gamma": 0.9},
            **changes,
        )  # fmt: skip

    return make


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,))], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_follow_the_eager_rule(open_controller, hidden_agent, kind, actions):
    controller, graph = open_controller(hidden_agent(KINDS[kind], decoder={"levels": 4}), SPACES[0], actions, seed=2)
    (rule,), selections = graph.rows_of(broadcast.Rule), graph.rows_of(Selection)
    value, *policies = graph.rows_of(broadcast.Signals)
    shape, network, rng = (rule.n_pre, rule.n_post), controller.network, np.random.default_rng(5)
    weights, eligible = (graph.array("f4", symbol, *shape) for symbol in (rule.weights, rule.eligibility))
    low, high, gain, decay, pre_only = graph.array("f4", rule.parameters, 5).astype(float)
    w, e, share, n_clipped = weights.astype(float), np.zeros(shape), KINDS[kind].get("value", 1.0), 0
    n_steps = graph.clock.n_steps
    full = spikes_of(HIDDEN_DRIVE, 20.0, 2.0, n_steps)  # spikes of a full pairing
    assert pre_only == pytest.approx(KINDS[kind].get("pre_only", 0.0) * full / n_steps)
    fixed = [graph.array("f4", row.feedback, row.n, row.n_out).copy() for row in (value, *policies)]
    assert (decay, share) == (pytest.approx(0.9 * 0.7), graph.array("f4", value.share, 1)[0])

    def feedback(k, row):
        if kind != "e-prop":
            return fixed[k]
        stored = graph.array("f4", row.weights, row.n, row.n_out, row.per_group)
        return stored.mean(2) * graph.array("f8", row.scale, 1)[0]

    first = True
    for _ in range(120):
        before = [feedback(k, row) for k, row in enumerate((value, *policies))]
        controller.act(rng.uniform(-1, 1, 2).astype(np.float32), rng.normal(), first=first)
        free = w + gain * network.signal("modulator.others") * e
        w, n_clipped = free.clip(low, high), n_clipped + np.count_nonzero((free < low) | (free > high))
        signal = share * before[0][:, 0]
        for b, chosen in zip(before[1:], selections, strict=True):
            surprise = -graph.array("f4", chosen.predicted, chosen.groups).astype(float)
            surprise[graph.array("i4", chosen.winner, 1)[0]] += 1.0
            signal = signal + b @ surprise
        e = decay * e + signal * (
            graph.log("before").T.astype(float) @ (graph.log("after") + pre_only)
        )  # Σ over the steps
        np.testing.assert_allclose(weights, w, rtol=0, atol=2e-5)  # float32, some hundred changes
        np.testing.assert_allclose(eligible, e, rtol=0, atol=2e-4)
        first = rng.random() < 0.1
        if first:
            controller.finish(np.zeros(2, np.float32), rng.normal(), terminated=True)
            w, e = (w + gain * network.signal("modulator.others") * e).clip(low, high), np.zeros(shape)
    assert n_clipped > 10
    assert np.abs(signal).max() > 0.05


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"encoder": {"kind": "conjunctive"}}, "projection.in.pre", "use the gaussian one"),
        ({"projection": {"in": {"post": "critic"}}}, "projection.in.plasticity.kind", "takes 'r-stdp'"),
        (
            {"projection": {"in": {"plasticity": {"kind": "e-prp", "gain": 1.0}}}},
            "projection.in.plasticity.kind",
            "e-prop",
        ),
        (
            {"projection": {"in": {"plasticity": {"kind": "e-prop", "gain": 1.0, "broadcast": "adaptive"}}}},
            "projection.in.plasticity.broadcast",
            "unknown value 'adaptive'",
        ),
        (
            {"projection": {"in": {"plasticity": {"kind": "feedback-alignment"}}}},
            "projection.in.plasticity.gain",
            "is missing",
        ),
        (
            {"projection": {"value": {"pre": "encoder"}, "policy": {"pre": "encoder"}}},
            "projection.in.post",
            "no learning signal would come",
        ),
    ],
)
def test_what_cannot_be_broadcast_is_refused(hidden_agent, changes, path, says):
    data = tomllib.loads(config.to_toml(hidden_agent(KINDS["e-prop"])))
    for table, entries in changes.items():
        for name, entry in entries.items():
            data[table][name] = data[table][name] | entry if isinstance(entry, dict) else entry
    if table == "encoder":
        data["encoder"] = {"kind": "conjunctive"}
    with pytest.raises(ConfigError) as caught:
        config.from_dict(data)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
