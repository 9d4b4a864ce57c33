"""Several encoders in one agent: each on keys of its own, read together or one by one."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop import config
from neuroloop.agent import Agent
from neuroloop.diagnosis import examine
from neuroloop.diagnosis.watch import watch
from neuroloop.encoders import make
from neuroloop.encoders.kinds import add_encoder
from neuroloop.encoders.senses import Senses
from neuroloop.errors import ConfigError, PlantError
from neuroloop.graph import Graph
from neuroloop.settings import ClockConfig

TABLES = {
    "arm": {"kind": "spindle", "on": ["q"], "velocity": ["v"]},
    "touch": {"kind": "rate", "on": ["touch"], "spikes": "poisson"},
    "cells": {"kind": "conjunctive", "on": ["q", "v"], "modules": 10},
    "moves": {"kind": "send-on-delta", "on": ["q[0]"]},
}


class Arm(gymnasium.Env):
    """Two joints that are to be brought to 0 by three actions."""

    observation_space = spaces.Dict({
        "q": spaces.Box(-1.0, 1.0, (2,), np.float64), "v": spaces.Box(-1.0, 1.0, (2,), np.float64),
        "touch": spaces.MultiBinary(2), "mode": spaces.Tuple((spaces.Discrete(3), spaces.MultiDiscrete([2, 2]))),
    })  # fmt: skip
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.q, self.v, self.t = self.np_random.uniform(-1.0, 1.0, 2), np.zeros(2), 0
        return self._observe(), {}

    def _observe(self):
        touch = (np.abs(self.q) > 0.9).astype(np.int8)
        return {"q": self.q.copy(), "v": self.v.copy(), "touch": touch, "mode": (self.t % 3, np.array([self.t % 2, 0]))}

    def step(self, action):
        self.t += 1
        self.v = np.array([0.1 * (action - 1), -0.05 * self.q[1]])
        self.q = np.clip(self.q + self.v, -1.0, 1.0)
        return self._observe(), -float(np.abs(self.q[0])), False, self.t >= 20, {}


def agent(parts=TABLES, pre="encoder", seed=0, **more):
    projection = {"post": "actor", "weights_spread": 0.1, "plasticity": {"kind": "r-stdp", "gain": 0.5}}
    pres = [pre] if isinstance(pre, str) else pre
    table = {
        "encoder": {"kind": "parts", "part": parts},
        "population": {"actor": {"n_per_action": 5, "tau_mem": 0.005}},
        "projection": {f"p{k}": {**projection, "pre": one} for k, one in enumerate(pres)},
        "decoder": {"kind": "winner-take-all", "population": "actor"},
        "learner": {"kind": "r-stdp", "modulates": [f"p{k}" for k in range(len(pres))]},
        **more,
    }
    return Agent(config.from_dict(table), Arm(), seed)


def bits(one):
    return {name: array.tobytes() for name, array in one.controller.state().items()}


@pytest.mark.parametrize("pre", ["encoder", "encoder.touch", ["encoder.arm", "encoder.cells", "encoder.moves"]])
def test_agents_learn_from_all_parts_or_from_one_and_go_on_bit_for_bit(pre, tmp_path):
    straight, stopped = agent(pre=pre), agent(pre=pre)
    straight.learn(150)
    stopped.learn(77)
    resumed = Agent.load(stopped.save(tmp_path / "a.zip"), Arm())
    resumed.learn(73)
    assert bits(resumed) == bits(straight)
    network = straight.controller.network
    named = {name for name in (*network.names, *network.growing) if name.endswith(".weights")}
    expected = {
        "encoder": {f"projection.p0[{name}].weights" for name in TABLES},
        "encoder.touch": {"projection.p0.weights"},
    }.get(str(pre), {f"projection.p{k}.weights" for k in range(3)})
    assert named == expected


def test_together_parts_drive_as_much_as_one_encoder_would():
    """`gain` is the current per unit weight when the whole input fires at its usual rate, however many parts it has."""

    def sources(parts):
        encoder = config.encoder({"kind": "parts", "part": parts})
        graph, clock = Graph(ClockConfig(), 0), ClockConfig()
        return add_encoder(graph, Senses(encoder, Arm.observation_space, clock, 0), memory=1)

    slow = TABLES | {"touch": TABLES["touch"] | {"tau_trace": 0.02}}
    found = sources(slow)
    assert list(found) == ["encoder", *(f"encoder.{name}" for name in TABLES)]
    for name in TABLES:
        (one,), (alone,) = found[f"encoder.{name}"], sources({name: slow[name]})["encoder"]
        assert one.usual_drive == pytest.approx(alone.usual_drive)
    together = dict(zip(TABLES, found["encoder"], strict=True))
    currents = [found[f"encoder.{name}"][0].usual_drive / one.usual_drive for name, one in together.items()]
    assert sum(currents) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("parts", "pre", "message"),
    [
        (TABLES, "encoder.arms", r"projection.p0.pre: unknown part of the encoder 'encoder.arms': did you mean 'encoder.arm'"),
        (TABLES, "encode", r"projection.p0.pre: unknown population 'encode': did you mean 'encoder'"),
        ({}, "encoder", r"encoder.part: is empty"),
        ({"a.b": TABLES["arm"]}, "encoder", r"encoder.part: a name must be letters, digits and dashes, got 'a.b'"),
        ({"a": TABLES["cells"], "b": TABLES["cells"]}, "encoder", r"encoder.part.b: only one part may be conjunctive"),
        ({"a": {"kind": "rate", "on": ["w"]}}, "encoder", r"encoder.part.a.on: unknown key 'w'"),
        ({"a": {"kind": "rate", "max_rate": 1e4}}, "encoder", r"encoder.part.a.max_rate: must be at most"),
        ({"a": {"kind": "rte"}}, "encoder", r"encoder.part.a.kind: unknown kind 'rte': did you mean 'rate'"),
        ({"a": {"kind": "rate", "normalise": {"kind": "fixed", "low": [0.0], "high": [1.0]}}}, "encoder",
         r"encoder.part.a.normalise.low: the observation has \d+ dimensions, got 1"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused_with_their_path(parts, pre, message):
    with pytest.raises(ConfigError, match=message):
        agent(parts=parts, pre=pre)


def test_parts_by_themselves_number_their_neurons_one_after_the_other():
    space = Arm.observation_space
    whole, rates = make({"kind": "parts", "part": TABLES}, space, seed=3), make(TABLES["arm"], space, seed=3)
    cells = 10_000_000
    assert whole.n > rates.n
    space.seed(0)
    for _ in range(5):
        observation = space.sample()
        spikes, alone = whole.encode(observation), rates.encode(observation)
        for step in range(20):
            ids = spikes.at(step)
            assert (np.diff(ids) > 0).all()
            assert ids.size == 0 or ids[-1] < min(whole.n, cells)
        assert alone.n > 0
        arm = [j for step in range(20) for j in spikes.at(step) if j < rates.n]
        assert len(arm) == pytest.approx(alone.n, abs=rates.n)  # phases differ


def test_a_prediction_leaves_the_levels_that_were_sent_alone():
    one, twin = agent(pre="encoder.moves"), agent(pre="encoder.moves")
    for each in (one, twin):
        each.learn(33)
    observation, state = Arm().reset(seed=1)[0], None
    for _ in range(3):
        _, state = one.predict(observation, state)
    assert bits(one) == bits(twin)
    assert Arm.observation_space.contains(observation)


def test_what_was_refused_leaves_a_state_that_can_be_saved(tmp_path):
    one = agent()
    one.learn(10)
    bad = Arm().reset(seed=1)[0]
    bad["q"][1] = np.nan
    before = bits(one)
    with pytest.raises(PlantError, match=r"observation\['q'\]\[1\] is nan"):
        one.controller.act(bad, 0.0, first=False)
    assert bits(one) == before
    assert bits(Agent.load(one.save(tmp_path / "a.zip"), Arm())) == before


def test_the_doctor_examines_an_agent_of_parts():
    record = watch(agent(), 300)
    assert {(one.name, one.table) for one in record.projections} == {(f"p0[{name}]", "p0") for name in TABLES}
    assert record.observed.values.shape == (300, len(record.observed.low)) == (300, len(record.observed.names))
    assert "observation['q'][0]" in record.observed.names
    assert isinstance(examine(record), list)


def test_a_linear_agent_looks_at_the_keys_it_is_told():
    linear = neuroloop.load_agent("linear", "CartPole-v1", overrides=['encoder.on=["[2:4]"]'])
    linear.learn(50)
    assert linear.controller.layout.names == ("observation[2]", "observation[3]")
