"""The signal of success against plain Python, and what it cools and calms."""

from __future__ import annotations

import numpy as np
import pytest


class Plain:
    """The signal as one would write it in Python."""

    def __init__(self, rate, release, begins, full):
        self.rate, self.release, self.begins, self.full = rate, release, begins, full
        self.returns, self.mean, self.worst, self.best, self.success = [], 0.0, 0.0, 0.0, 0.0

    def end(self, total):
        self.returns.append(total)
        n = len(self.returns)
        self.mean += max(self.rate, 1 / n) * (total - self.mean)
        self.best = total if n == 1 else max(self.best - self.release * (self.best - self.mean), total)
        if n >= 20:
            self.worst = self.mean if n == 20 else min(self.worst, self.mean)
            share = (self.mean - self.worst) / (self.best - self.worst + 1e-9)
            self.success = float(np.clip((share - self.begins) / (self.full - self.begins), 0.0, 1.0))


@pytest.fixture
def play(open_controller, small_agent):
    """Episodes of given returns, three control steps each, under settings; returns the controller."""

    def play(returns, decoder=None, learner=None, success=None, warm_up=0, terminated=True, watch=None):
        from gymnasium.spaces import Box, Discrete

        config = small_agent(
            decoder=decoder or {}, learner={"value_range": (-5.0, 5.0)} | (learner or {}), success=success or {},
            warm_up={"decisions": warm_up},
        )  # fmt: skip
        controller, _ = open_controller(config, Box(-1, 1, (2,)), Discrete(2), seed=3)
        rng = np.random.default_rng(1)
        for total in returns:
            for step in range(3):
                controller.act(rng.uniform(-1, 1, 2).astype(np.float32), total / 4, first=step == 0)
                if watch is not None:
                    watch(controller)
            controller.finish(np.zeros(2, np.float32), total / 2, terminated=terminated)
        controller.act(np.zeros(2, np.float32), 0.0, first=True)
        return controller

    return play


@pytest.mark.parametrize("terminated", [True, False])
def test_it_equals_plain_python_whether_episodes_end_or_are_cut_off(play, terminated):
    returns = np.random.default_rng(0).normal(np.linspace(-3, 3, 60), 1.0)
    settings = {"rate": 0.1, "release": 0.01, "begins": 0.4, "full": 0.8}
    plain = Plain(**settings)
    for total in returns:
        plain.end(total)
    network = play(returns, success=settings, terminated=terminated).network
    assert 0.0 < plain.success < 1.0
    assert network.signal("success") == pytest.approx(plain.success, rel=1e-9)
    assert network.signal("success.best") == pytest.approx(plain.best, rel=1e-9)
    assert network.signal("success.worst") == pytest.approx(plain.worst, rel=1e-9)


def test_returns_that_do_not_change_are_no_success(play):
    assert play([1.0] * 40).network.signal("success") == 0.0


def test_there_is_no_success_before_twenty_episodes_or_while_acting_at_random(play):
    assert play(np.linspace(-1, 1, 19)).network.signal("success") == 0.0
    assert play(np.linspace(-1, 1, 30), warm_up=10_000).network.signal("success") == 0.0
    assert play(np.linspace(-1, 1, 90)).network.signal("success") > 0.0


def test_success_cools_exploration_by_the_share_that_is_set(play):
    rising = np.concatenate([np.linspace(-1, 1, 60), np.ones(200)])

    def spread_of_noise(cooling):
        seen = []
        controller = play(rising, decoder={"cooling": cooling, "persistence": 0.0})
        noise = controller.network.view("selection.0.noise")
        for _ in range(400):
            controller.act(np.zeros(2, np.float32), 0.0, first=True)
            seen.append(noise.copy())
        return np.std(seen)

    assert spread_of_noise(0.6) / spread_of_noise(0.0) == pytest.approx(0.4, rel=1e-4)  # the same draws


def test_success_calms_what_modulates_the_policy_and_the_critic(play):
    rising = np.concatenate([np.linspace(-1, 1, 60), np.ones(100)])
    seen = {0.0: [], 0.9: []}
    for calming, signals in seen.items():

        def watch(controller, signals=signals):
            network = controller.network
            error, scale = network.signal("td_error"), network.signal("value.unit") * network.signal("value.scale")
            others, critic = network.signal("modulator.others"), network.signal("modulator.critic") * scale
            signals.append((others / error, critic / error, network.signal("success")) if error else (0.0, 0.0, 0.0))

        play(rising, learner={"calming": calming, "error": "raw"}, watch=watch)
    for calming, signals in seen.items():
        policy, critic, success = np.array(signals)[3:].T
        moved = policy != 0.0
        np.testing.assert_allclose(policy[moved], 1.0 - calming * success[moved], rtol=1e-9)
        np.testing.assert_allclose(critic[moved], 1.0 - calming * success[moved], rtol=1e-9)
    assert max(success for _, _, success in seen[0.9]) > 0.9
