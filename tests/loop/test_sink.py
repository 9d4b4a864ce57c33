"""Those who watch the ring are told of every turn, and change nothing."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from neuroloop import load_agent
from neuroloop.activity import Activity
from neuroloop.errors import PlantError
from neuroloop.types import Tick


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.episodes: list[tuple[int, float, int]] = []

    def put(self, tick: Tick) -> bool:
        self.ticks.append(tick)
        return True

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        self.episodes.append((episode, episode_return, n_steps))


class Falls(gymnasium.Wrapper):
    """Gives no reward that can be used, at its 30th step."""

    steps = 0

    def step(self, action):
        self.steps += 1
        observation, reward, *rest = self.env.step(action)
        return observation, float("nan") if self.steps == 30 else reward, *rest


def test_a_watcher_is_told_of_every_turn_and_every_episode():
    agent, seen = load_agent("cartpole", seed=5), Listener()
    with agent.watched(seen):
        agent.learn(400)
    agent.learn(10)
    progress = agent.progress
    assert [tick.tick for tick in seen.ticks] == list(range(400))
    assert [(k, r, n) for k, r, n in seen.episodes] == [
        (k, progress.returns[k], progress.lengths[k]) for k in range(len(seen.episodes))
    ]
    for before, after in zip(seen.ticks, seen.ticks[1:], strict=False):
        assert after.first == before.outcome.ended
        if not after.first:
            np.testing.assert_array_equal(before.outcome.observation, after.observation)
            assert after.reward == before.outcome.reward
            assert after.t_ns > before.t_ns


def test_being_watched_changes_no_bit():
    alone, watched = load_agent("cartpole", seed=6), load_agent("cartpole", seed=6)
    alone.learn(1500)
    with watched.watched(Listener()):
        watched.learn(1500)
    assert alone.progress.returns == watched.progress.returns
    for name, array in alone.controller.state().items():
        np.testing.assert_array_equal(array, watched.controller.state()[name])


def test_a_turn_that_the_plant_never_answered_is_told_as_such():
    agent, seen = load_agent("cartpole", Falls(gymnasium.make("CartPole-v1"))), Listener()
    with agent.watched(seen), pytest.raises(PlantError, match="finite"):
        agent.learn(1000)
    assert len(seen.ticks) == 30
    assert seen.ticks[-1].outcome is None
    assert all(tick.outcome is not None for tick in seen.ticks[:-1])


def test_activity_shows_the_latest_control_step():
    agent = load_agent("cartpole", seed=5)
    activity, spikes = Activity(agent.controller), agent.controller.spikes
    agent.learn(1)
    populations = sum(int(counts.sum()) for counts in activity.counts.values())
    assert 0 < populations <= agent.controller.spikes - spikes
    assert activity.cells["encoder"].size == 64
    assert dict(zip(activity.numbers, activity.read(), strict=True))["awake"] in (0.0, 1.0)


def test_a_controller_without_a_network_shows_nothing():
    activity = Activity(load_agent("random", "CartPole-v1").controller)
    assert not activity.counts
    assert not activity.cells
    assert activity.read() == []
