"""Wired by hand: weights that are given by rows are the network's, and with learner.kind = "none" they stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop import ConfigError

WIRED = """
[clock]
period = 0.05
n_steps = 50
[encoder]
kind = "rate"
max_rate = 400.0
normalise = { kind = "fixed", low = [0.0, 0.0], high = [1.0, 1.0] }
[population.motor]
n_per_action = 3
tau_mem = 0.010
bias = 1.0
[projection.wires]
pre = "encoder"
post = "motor"
bounds = [-1.0, 1.0]
gain = 8.0
weights = [[1.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.25, 0.0, 0.0]]
[decoder]
kind = "rate"
population = "motor"
full_rate = 300.0
noise = 0.0
[learner]
kind = "none"
"""


class Two(gymnasium.Env[Any, Any]):
    """Shows two numbers, and keeps what was done."""

    observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def _seen(self) -> Any:
        return np.random.default_rng(self.t).random(2).astype(np.float32)

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._seen(), 1.0, False, self.t == 10, {}


def agent(tmp_path: Path, overrides: list[str] | None = None) -> neuroloop.Agent:
    path = tmp_path / "wired.toml"
    path.write_text(WIRED, encoding="utf-8")
    return neuroloop.load_agent(str(path), Two(), seed=3, overrides=overrides or [])


def weights(wired: neuroloop.Agent, d: int) -> Any:
    return wired.controller.network.view(f"projection.wires[{d}].weights")


def test_each_dimension_takes_its_columns_for_all_neurons_of_a_group(tmp_path: Path) -> None:
    wired = agent(tmp_path)
    np.testing.assert_array_equal(weights(wired, 0)[:, ::3], [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.25]])
    np.testing.assert_array_equal(weights(wired, 1)[:, ::3], [[0.0, 0.5], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    for d in (0, 1):
        groups = weights(wired, d).reshape(4, 2, 3)
        np.testing.assert_array_equal(groups, np.repeat(groups[:, :, :1], 3, axis=2))


def test_what_is_wired_is_what_it_does(tmp_path: Path) -> None:
    wired = agent(tmp_path)
    first = [float(wired.predict(np.array([x, 0.0], np.float32))[0][0]) for x in (0.0, 0.3, 0.6, 1.0)]
    assert first == sorted(first)
    assert first[0] < 0.0 < first[2]  # little of the second is what pulls the first back
    second = [float(wired.predict(np.array([0.0, x], np.float32))[0][1]) for x in (0.0, 0.3, 0.6, 1.0)]
    assert second == sorted(second)
    assert abs(second[0]) < 0.05 < second[2]


def test_nothing_is_learned_and_acting_is_the_same_as_predicting(tmp_path: Path) -> None:
    wired = agent(tmp_path)
    before = [weights(wired, d).copy() for d in (0, 1)]
    wired.learn(total_steps=50)
    for d in (0, 1):
        np.testing.assert_array_equal(weights(wired, d), before[d])
    assert wired.progress.returns == [10.0] * 5
    path = wired.save(tmp_path / "wired.zip")
    again = neuroloop.Agent.load(path or tmp_path / "wired.zip", env=Two())
    seen = np.array([0.4, 0.7], np.float32)
    np.testing.assert_array_equal(again.predict(seen)[0], wired.predict(seen)[0])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "projection.wires.weights=[[1.0, 0.0, 0.0, 0.0]]",
            r"projection\.wires\.weights: needs 4 rows, .* got 1 rows of 4",
        ),
        ("projection.wires.weights=[[1.0], [1.0], [1.0], [1.0]]", r"of 4 numbers, got 4 rows of 1"),
        ("projection.wires.weights=[]", r"got 0 rows of none"),
        (
            "projection.wires.weights=[[2.0, 0.0, 0.0, 0.0]]",
            r"projection\.wires\.weights: must lie within bounds, got 2\.0",
        ),
        ('encoder={kind="conjunctive"}', r"projection\.wires\.weights: cells of the conjunctive encoder"),
        (
            'encoder={kind="parts", part={a={kind="rate", on=["[0]"]}, b={kind="rate", on=["[1]"]}}}',
            r"projection\.wires\.pre: must be one part of the encoder",
        ),
        ('projection.wires.plasticity={kind="r-stdp", gain=0.1}', r"projection\.wires\.plasticity: does nothing with"),
        ("warm_up.decisions=10", r"warm_up\.decisions: nothing learns from them"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        agent(tmp_path, [override])
