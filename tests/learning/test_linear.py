"""The linear actor-critic against an eager reference that knows all cells, and on the delayed-reward probe."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import config
from neuroloop.agent import Agent
from neuroloop.errors import ConfigError
from neuroloop.graph import Mode
from neuroloop.learning.linear import Actor
from neuroloop.network.decision.cells import CELL, ROW_FIELDS, Cells
from neuroloop.network.decision.readout import Readout

GAMMA, VALUE_GAIN, POLICY_GAIN, VALUE_DECAY, POLICY_DECAY, LIMIT = 0.9, 0.3, 2.0, 0.8, 0.7, 0.3
MODULES = 6


def linear_agent(**tables):
    learner = {
        "gamma": GAMMA, "value_gain": VALUE_GAIN, "policy_gain": POLICY_GAIN, "value_lambda": VALUE_DECAY,
        "policy_lambda": POLICY_DECAY, "policy_limit": LIMIT,
    }  # fmt: skip
    encoder = {"kind": "conjunctive", "modules": MODULES, "tiles": [3, 5], "dimensions": [0.5, 0.5]}
    return config.from_dict({"kind": "linear", "learner": learner, "encoder": encoder, **tables})


class Reference:
    """V, δ, policy and weights of all cells, in float64; cells and actions are the network's."""

    def __init__(self, graph, network):
        self.graph, self.network = graph, network
        (self.cells,), self.actors = graph.rows_of(Cells), graph.rows_of(Actor)
        n = next(r.rows for r in graph._regions if r.name == "cells.records")
        self.wanted = graph.array("i4", self.cells.wanted, MODULES)
        self.levels = [graph.array("f8", a.levels, a.n, a.n).copy() for a in self.actors]
        self.w, self.z = np.zeros(n), np.zeros(n)
        self.pw, self.pz = ([np.zeros((n, a.n)) for a in self.actors] for _ in range(2))
        self.known, self.age = np.zeros(n, bool), np.full(n, 10**6)
        self.discounted, self.seen, self.square, self.before, self.awake = 0.0, [], 0.0, 0.0, False
        self.n_limited = 0

    def gather(self, reward, first):
        self.discounted = 0.0 if first else GAMMA * self.discounted + reward
        self.seen += [] if first else [self.discounted]

    def teach(self, reward, value, first):
        """δ, and what it changes."""
        if first or not self.awake:
            return
        self.delta = reward + GAMMA * value - self.before
        self.square += 1e-3 * (self.delta**2 - self.square) if self.square else self.delta**2
        size = np.sqrt(self.square) + 0.02 * (np.std(self.seen) + 1e-6)
        self.w += VALUE_GAIN / MODULES * self.delta * self.z
        for w, z in zip(self.pw, self.pz, strict=True):
            free = w + POLICY_GAIN / MODULES * np.clip(self.delta / size, -2.0, 2.0) * z
            w[:] = free.clip(-LIMIT / MODULES, LIMIT / MODULES)
            self.n_limited += np.count_nonzero(free != w)

    def act(self, reward, first):
        self.gather(reward, first)
        active = self.wanted
        new = active[~self.known[active]]
        self.w[new], self.known[new] = (max(self.seen) if self.seen else -1e300) / MODULES, True
        self.teach(reward, self.w[active].sum(), first)
        self.before, self.awake = self.w[active].sum(), True
        self.z *= GAMMA * VALUE_DECAY
        self.z[active] = 1.0
        self.age += 1
        self.age[active] = 0
        gone = self.age >= self.cells.memory
        self.z[gone] = 0.0
        for d, (w, z, g) in enumerate(zip(self.pw, self.pz, self.levels, strict=True)):
            h = g @ w[active].sum(0)
            policy = np.exp(h - h.max())
            policy /= policy.sum()
            chosen = np.eye(len(g))[int(self.network.view(f"selection.{d}.winner")[0])]
            z *= GAMMA * POLICY_DECAY
            z[active] += (chosen - policy) @ g
            z[gone] = 0.0

    def end(self, reward, terminated):
        if terminated:
            self.gather(reward, False)
            self.teach(reward, 0.0, False)
        for z in (self.z, *self.pz):
            z[:] = 0.0
        self.age[:] = 10**6

    def check(self):
        value, *policies = self.graph.rows_of(Readout)
        n_rows = int(self.graph.array("i4", self.cells.n_rows, 1)[0])
        cells = self.graph.array("i4", self.cells.records, n_rows, ROW_FIELDS)[:, CELL]
        # some hundred changes of float32 weights of at most 10
        np.testing.assert_allclose(self.graph.array("f4", value.weights, n_rows), self.w[cells], rtol=0, atol=2e-5)
        for row, w in zip(policies, self.pw, strict=True):
            np.testing.assert_allclose(self.graph.array("f4", row.weights, n_rows, row.n), w[cells], rtol=0, atol=2e-6)
        assert self.network.signal("value") == pytest.approx(self.before, abs=1e-4)


@pytest.mark.parametrize(
    "actions", [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,)), spaces.MultiDiscrete([2, 4])], ids=str
)
def test_values_and_policies_follow_the_eager_rule(open_controller, actions):
    agent = linear_agent(warm_up={"decisions": 20}, decoder={"levels": 5})
    controller, graph = open_controller(agent, spaces.Box(-1.0, 1.0, (2,)), actions, seed=3)
    network, rng, modes = controller.network, np.random.default_rng(11), []
    reference, run = Reference(graph, network), controller.network.run

    def run_and_follow(mode, *, reward=0.0, first=False, ended=False, fresh=False):
        run(mode, reward=reward, first=first, ended=ended, fresh=fresh)
        modes.append(mode)
        if mode is Mode.ACT:
            reference.act(reward, first)
        elif mode is Mode.WARM_UP:
            reference.gather(reward, first)
        elif mode is Mode.CLOSE_WARM_UP:
            reference.gather(reward, False)
        else:
            reference.end(reward, mode is Mode.TERMINATE)
        reference.check()

    network.run, first, position = run_and_follow, True, np.zeros(2)
    for _ in range(300):
        position = np.clip(position + rng.normal(0.0, 0.15, 2), -1, 1)
        controller.act(position.astype(np.float32), rng.normal(), first=first)
        first = rng.random() < 0.08
        if first:
            controller.finish(position.astype(np.float32), rng.normal(), terminated=bool(rng.random() < 0.5))
    assert {Mode.ACT, Mode.TERMINATE, Mode.CLOSE} <= set(modes)
    assert reference.n_limited > 100
    assert controller.spikes == 0.0


def test_actions_are_drawn_from_the_softmax_of_preferences(open_controller):
    agent = linear_agent(decoder={"persistence": 0.0})
    controller, graph = open_controller(agent, spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3), seed=0)
    seen, rng = np.zeros(2, np.float32), np.random.default_rng(0)
    for n in range(30):  # some preferences
        controller.act(seen, rng.normal(), first=n == 0)
    controller.finish(seen, 0.0, terminated=True)
    (actor,) = graph.rows_of(Actor)
    preference = graph.array("f8", actor.preference, 3)
    counts, expected = np.zeros(3), np.zeros(3)
    for _ in range(4000):  # episodes of one decision: nothing is learned
        counts[controller.act(seen, 0.0, first=True)] += 1
        controller.abandon()
        expected += np.exp(preference) / np.exp(preference).sum()
    # four standard deviations of a binomial share
    np.testing.assert_allclose(counts, expected, atol=4 * np.sqrt(4000 * 0.25))
    assert expected.max() > 1.05 * expected.min()


@pytest.mark.parametrize(("delay", "episodes"), [(0, 60), (1, 60), (5, 80)])
@pytest.mark.parametrize("seed", range(3))
def test_a_delayed_reward_is_learned_from(delay, episodes, seed):
    normalise = {"kind": "fixed", "low": [0.0] * 3, "high": [1.0] * 3}
    encoder = {"modules": 8, "tiles": [2], "dimensions": [0.0, 0.0, 1.0], "normalise": normalise}
    decay = 0.0 if delay == 0 else 0.9
    learner = {"gamma": 0.95 * (delay > 0), "policy_gain": 0.2, "value_lambda": decay, "policy_lambda": decay}
    agent = config.from_dict({"kind": "linear", "encoder": encoder, "learner": learner})
    env = gymnasium.make("neuroloop_envs:neuroloop/TwoCues-v0", delay=delay)
    assert np.mean(Agent(agent, env, seed).learn(10**9, episodes=episodes).returns[-20:]) >= 45.0


@pytest.mark.parametrize(
    ("tables", "path", "says"),
    [
        ({"encoder": {"interval": 0.002}}, "encoder.interval", "do not spike"),
        ({"encoder": {"tau_trace": 0.002}}, "encoder.tau_trace", "do not spike"),
        ({"encoder": {"kind": "gaussian"}}, "encoder.kind", "unknown kind 'gaussian'"),
        ({"encoder": {"tiles": []}}, "encoder.tiles", "is empty"),
        ({"decoder": {"kind": "winner-take-all"}}, "decoder.kind", "softmax"),
        ({"learner": {"kind": "td"}}, "learner.kind", "actor-critic"),
        ({"learner": {"value_lamda": 0.5}}, "learner.value_lamda", "did you mean 'value_lambda'?"),
        ({"population": {}}, "population", "unknown key"),
    ],
)
def test_a_setting_that_a_linear_agent_does_not_have_is_refused(tables, path, says):
    with pytest.raises(ConfigError) as caught:
        config.from_dict({"kind": "linear", **tables})
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
