"""Encoders in Python inside agents: played into the network, saved, restored, and never disturbed by a prediction."""

from __future__ import annotations

import functools
import sys
from types import ModuleType

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from neuroloop import BadInput, ConfigError, Spikes, load_agent, load_agents
from neuroloop.agent import Agent
from neuroloop.encoders.hosted import Host
from neuroloop.errors import CheckpointError, PlantError
from neuroloop.settings import ClockConfig

HERE = "tests_encoders_hosted"


class Counting:
    """Neuron k of `n` fires at step (calls + k) mod n_steps; remembers how often it was called, and what it saw."""

    def __init__(self, n: int = 6) -> None:
        self.n, self.calls, self.total, self.episode = n, 0, 0.0, -1

    def bind(self, space, clock: ClockConfig, seed: int) -> int:
        self.space, self.n_steps, self.seed = space, clock.n_steps, seed
        return self.n

    def reset(self, episode: int) -> None:
        self.episode, self.calls = episode, 0

    def encode(self, observation, tick: int) -> Spikes:
        self.calls += 1
        self.total += float(np.sum(observation))
        steps = (self.calls + np.arange(self.n) + int(abs(self.total) * 10)) % self.n_steps
        return Spikes.of(steps, np.arange(self.n), self.n_steps)

    def state(self):
        return {"calls": np.array([self.calls]), "total": np.array([self.total]), "episode": np.array([self.episode])}

    def restore(self, state) -> None:
        if state["calls"].shape != (1,):
            raise CheckpointError("calls: should be one number")
        self.calls, self.total, self.episode = (
            int(state["calls"][0]),
            float(state["total"][0]),
            int(state["episode"][0]),
        )


class Broken(Counting):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def bind(self, space, clock, seed):
        super().bind(space, clock, seed)
        return 0 if self.how == "no neurons" else self.n

    def encode(self, observation, tick):
        spikes = super().encode(observation, tick)
        match self.how:
            case "late":
                return Spikes(spikes.ids, np.append(spikes.offsets, spikes.n).astype(np.int32))
            case "unsorted":
                return Spikes(
                    np.array([3, 1], np.int32),
                    np.full(self.n_steps + 1, 2, np.int32) * (np.arange(self.n_steps + 1) > 0),
                )
            case "beyond":
                return Spikes(spikes.ids + 3, spikes.offsets)
            case "floats":
                return Spikes(spikes.ids * 1.0, spikes.offsets)
            case "nothing":
                return None
        return spikes


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """The classes above under a name that an agent's file can say."""
    module = ModuleType(HERE)
    module.Counting, module.Broken, module.function = Counting, Broken, lambda: None
    monkeypatch.setitem(sys.modules, HERE, module)


def inline(table):
    def text(value):
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key} = {text(entry)}" for key, entry in value.items()) + "}"
        return f'"{value}"' if isinstance(value, str) else str(value).replace("'", '"')

    return f"encoder={text(table)}"


PARTS = {
    "kind": "parts",
    "part": {
        "own": {"kind": "python", "of": f"{HERE}:Counting"},
        "cells": {"kind": "conjunctive", "on": ["[2:4]"], "modules": 12},
    },
}


def bits(agent):
    return {name: array.tobytes() for name, array in agent.controller.state().items()}


@pytest.mark.parametrize("table", [{"kind": "python", "of": f"{HERE}:Counting", "arguments": {"n": 9}}, PARTS])
def test_a_resumed_run_equals_the_straight_run_bit_for_bit(table, tmp_path):
    straight, stopped = (load_agent("cartpole", seed=3, overrides=[inline(table)]) for _ in range(2))
    straight.learn(400)
    stopped.learn(211)
    resumed = Agent.load(stopped.save(tmp_path / "a.zip"))
    assert bits(resumed) == bits(stopped)
    resumed.learn(189)
    assert bits(resumed) == bits(straight)
    assert resumed.progress.returns == straight.progress.returns


@pytest.mark.parametrize("table", [{"kind": "python", "of": f"{HERE}:Counting"}, PARTS])
def test_prediction_disturbs_nothing_and_has_a_state_of_its_own(table):
    agent, twin = (load_agent("cartpole", seed=3, overrides=[inline(table)]) for _ in range(2))
    for one in (agent, twin):
        one.learn(50)
    before = bits(agent)
    observation = np.array([0.01, 0.2, -0.02, 0.1], np.float32)
    _, first = agent.predict(observation)
    _, second = agent.predict(observation, first)
    assert bits(agent) == before
    path = "encoder.part.own" if table is PARTS else "encoder"
    assert first[f"{path}/calls"] == [1]
    assert second[f"{path}/calls"] == [2]
    agent.learn(50)
    twin.learn(50)
    assert bits(agent) == bits(twin)
    with pytest.raises(BadInput):
        agent.predict(observation, {name: array for name, array in first.items() if "/" not in name})


def test_the_network_gets_exactly_the_spikes_that_were_returned():
    agent = load_agent("cartpole", seed=0, overrides=[inline({"kind": "python", "of": f"{HERE}:Counting"})])
    agent.learn(30)
    network = agent.controller.network
    spikes = agent.controller._senses.parts[0].host.encoder
    assert spikes.n == 6
    offsets = network.view("encoder.offsets")
    assert offsets[-1] == 6
    assert sorted(network.view("encoder.ids")[:6]) == [0, 1, 2, 3, 4, 5]
    assert network.signal("spikes") >= 6 * 30  # its own and those of populations


@pytest.mark.parametrize("at_once", [False, True])
def test_seeds_side_by_side_equal_agents_alone(at_once):
    table, make = inline(PARTS), functools.partial(gymnasium.make, "CartPole-v1")
    envs = SyncVectorEnv([make] * 2, autoreset_mode=AutoresetMode.DISABLED) if at_once else None
    alone = [load_agent("cartpole", seed=seed, overrides=[table]) for seed in (1, 2)]
    together = load_agents("cartpole", env=envs, seeds=(1, 2), overrides=[table])
    for one in (*alone, together):
        one.learn(100)
    assert [bits(agent) for agent in together] == [bits(agent) for agent in alone]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("late", "offsets must be n_steps"), ("unsorted", "the ids of a step must rise"), ("beyond", "an id is not among"),
        ("floats", "Spikes of whole numbers"), ("nothing", "Spikes of whole numbers"),
    ],
)  # fmt: skip
def test_spikes_that_cannot_be_are_refused_with_what_is_wrong(how, message):
    table = {"kind": "python", "of": f"{HERE}:Broken", "arguments": {"how": how}}
    agent = load_agent("cartpole", overrides=[inline(table)])
    with pytest.raises(BadInput, match=f"encoder: what Broken.encode returned cannot be played: .*{message}"):
        agent.learn(5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"of": "nowhere"}, r"encoder.of: must be module:Class"),
        ({"of": "no_such_module:X"}, r"encoder.of: 'no_such_module' cannot be imported"),
        ({"of": f"{HERE}:Countin"}, r"encoder.of: unknown class of .*did you mean 'Counting'"),
        ({"of": f"{HERE}:function"}, r"has no method 'bind'"),
        ({"of": "os:system", "arguments": {"command": "true"}}, r"has no method 'bind'"),
        ({"of": "subprocess:Popen", "arguments": {"args": "true"}}, r"has no method 'bind'"),
        ({"of": f"{HERE}:Counting", "arguments": {"m": 3}}, r"encoder.arguments: .*unexpected keyword"),
        ({"of": f"{HERE}:Counting", "on": ["arm"]}, r"encoder.on: unknown key 'arm'"),
        ({"of": f"{HERE}:Counting", "on": ["[0:2]"]}, r"is given whole keys, not '\[0:2\]'"),
        ({"of": f"{HERE}:Broken", "arguments": {"how": "no neurons"}}, r"bind must return the number of neurons"),
    ],
)
def test_what_is_no_encoder_is_refused_before_anything_of_it_is_called(table, message):
    with pytest.raises(BadInput, match=message):
        load_agent("cartpole", overrides=[inline({"kind": "python"} | table)])


def test_a_state_that_does_not_fit_changes_nothing():
    agent = load_agent("cartpole", overrides=[inline({"kind": "python", "of": f"{HERE}:Counting"})])
    agent.learn(20)
    before = agent.controller.state()
    for bad in ({"encoder/calls": np.zeros(3)}, {"encoder.episodes": np.array([-1])}, {"f4": np.zeros(2, np.float32)}):
        with pytest.raises(CheckpointError):
            agent.controller.restore(before | {"encoder/total": np.array([77.0])} | bad)
        assert {name: array.tobytes() for name, array in before.items()} == bits(agent)


def test_a_dictionary_of_chosen_keys_is_what_an_encoder_is_given():
    space = spaces.Dict(
        {"a": spaces.Box(-1, 1, (2,), np.float64), "b": spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3)))}
    )
    observation = {"a": np.zeros(2), "b": (1, 2)}
    seen = []

    class Watching(Counting):
        def encode(self, value, tick):
            seen.append(value)
            return Spikes.none(self.n_steps)

    for keys in ((), ("b.1",), ("a", "b.0")):
        host = Host("encoder", Watching(), keys, space, ClockConfig(), 0)
        host._offsets, host._ids = np.zeros(21, np.int32), np.zeros(120, np.int32)
        host.encode(observation, 0)
        assert host.encoder.space.contains(seen[-1]) or keys == ()
    assert seen[0] is observation
    assert seen[1] == 2
    assert set(seen[2]) == {"a", "b.0"}
    with pytest.raises(PlantError, match=r"encoder: the observation has no a and b.0: KeyError\('a'\)"):
        host.encode({"b": (1, 2)}, 0)
    with pytest.raises(ConfigError, match=r"encoder.on: unknown key 'c'"):
        Host("encoder", Watching(), ("c",), space, ClockConfig(), 0)
