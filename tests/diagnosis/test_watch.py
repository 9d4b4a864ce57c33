"""The watcher sees every decision with its own reward, TD error and value, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.agent import Agent
from neuroloop.diagnosis.record import GOES_ON, TERMINATED, TRUNCATED
from neuroloop.diagnosis.watch import watch
from neuroloop.errors import PlantError

ONCE = "plant.action_repeat=1"


@pytest.mark.parametrize(("name", "env"), [("cartpole", "CartPole-v1"), ("default", "Pendulum-v1")])
def test_an_agent_that_is_watched_learns_the_same_bit_for_bit(name: str, env: str) -> None:
    watched, alone = (neuroloop.load_agent(name, env, 3) for _ in range(2))
    watch(watched, 4_000)
    watched.learn(500)
    alone.learn(4_000)
    alone.learn(500)
    for key, array in alone.controller.state().items():
        assert watched.controller.state()[key].tobytes() == array.tobytes()
    assert watched.progress.returns == alone.progress.returns


def test_each_decision_has_its_own_reward_and_end(walk: Any) -> None:
    world = walk(length=7, reward=lambda t, action: float(t))
    record = watch(neuroloop.load_agent("default", world, 0, [ONCE]), 2_003)
    assert record.reward.tolist() == world.given[: record.n]
    assert record.n in (2_002, 2_003)  # the last one is not answered yet
    assert set(np.flatnonzero(record.ended == TERMINATED) % 7) == {6}
    assert set(record.lengths) == {7}
    assert record.awake[300:].all()
    assert not record.awake[:240].any()


def test_td_errors_are_those_of_their_decision() -> None:
    record = watch(neuroloop.load_agent("cartpole", seed=1), 3_000)
    critic = record.critic
    assert critic is not None
    assert critic.value is not None
    goes_on = np.flatnonzero(record.ended[:-1] == GOES_ON)
    target = record.paid[goes_on] + 0.99 * critic.value[goes_on + 1]
    np.testing.assert_allclose(critic.error[goes_on], target - critic.value[goes_on], atol=1e-9)
    fallen = np.flatnonzero(record.ended == TERMINATED)
    assert fallen.size > 10
    np.testing.assert_allclose(critic.error[fallen], -1.0 - critic.value[fallen], atol=1e-9)
    np.testing.assert_array_equal(critic.modulator[fallen], critic.error[fallen])  # error = "raw"


def test_an_episode_cut_off_has_an_error_but_no_modulator_to_see() -> None:
    record = watch(neuroloop.load_agent("mountain-car"), 2_000)
    cut = record.ended == TRUNCATED
    assert cut.sum() >= 8
    assert record.critic is not None
    assert np.isfinite(record.critic.error[cut]).all()
    assert np.isnan(record.critic.modulator[cut]).all()
    assert np.isfinite(record.critic.modulator[~cut]).all()


def test_counts_and_choices_agree_with_the_network() -> None:
    agent = neuroloop.load_agent("cartpole")
    record = watch(agent, 1_000)
    assert record.spikes is not None
    assert record.spikes.sum() == pytest.approx(agent.controller.spikes, rel=0.01)  # less the decision not answered
    assert [population.name for population in record.populations] == ["actor[0]", "critic"]
    for population in record.populations:
        assert population.total.sum() == pytest.approx(population.mean.sum() * population.total.size, rel=0.01)
        assert population.most.max() <= population.ceiling
    (choice,) = record.choices
    assert set(choice.chosen) == {0, 1}
    assert choice.entropy is not None
    assert (choice.entropy >= 0).all()
    assert (choice.entropy <= 1 + 1e-6).all()


def test_an_agent_from_a_checkpoint_is_watched_from_the_middle_of_an_episode(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("cartpole")
    agent.learn(1_003)
    record = watch(Agent.load(agent.save(tmp_path / "a.zip")), 1_000)
    assert 999 <= record.n <= 1_000
    assert record.n_plant_steps == 1_000
    assert record.critic is not None
    assert np.isfinite(record.critic.error).all()


def test_what_fails_ends_the_watch_and_leaves_the_agent_as_a_run_would(walk: Any) -> None:
    agent = neuroloop.load_agent("default", walk(bad=500), 0, [ONCE])
    record = watch(agent, 2_000)
    assert "observation[1] is nan" in record.failure
    assert record.n <= 500
    assert record.observed is not None
    assert len(record.observed.values) == record.n
    with pytest.raises(PlantError, match="is nan"):
        agent.learn(1_000)


def test_errors_of_the_environment_itself_end_the_watch_with_class_and_place(walk: Any) -> None:
    def burn(t: int, action: int) -> float:
        raise RuntimeError("the motor is on fire")

    record = watch(neuroloop.load_agent("default", walk(reward=burn)), 100)
    assert record.failure.startswith("RuntimeError: the motor is on fire (")
    assert record.failure.endswith("in burn)")
    assert record.failed == "error"
    assert record.n == 0


def test_errors_of_the_callback_are_raised() -> None:
    def fail(progress: Any) -> bool:
        raise RuntimeError("no such screen")

    with pytest.raises(RuntimeError, match="no such screen"):
        watch(neuroloop.load_agent("cartpole"), 10_000_000, fail)


def test_a_random_policy_is_watched_for_comparison_within_bounds(walk: Any) -> None:
    world = walk(length=40)
    record = watch(neuroloop.load_agent("default", world, 0, [ONCE]), 600)
    assert record.random is not None
    assert record.random.size == 600 // 40
    assert len(world.given) <= 600 + 600 + 40  # and the unfinished episode, once brought back
    assert 15.0 < record.random.mean() < 25.0
    assert watch(neuroloop.load_agent("random", walk()), 600).random is None
    endless = watch(neuroloop.load_agent("default", walk(length=None)), 600).random
    assert endless is not None
    assert endless.size == 0


def test_returns_are_those_of_the_agent_and_only_of_whole_episodes() -> None:
    agent = neuroloop.load_agent("cartpole")
    agent.learn(1_003)
    before = len(agent.progress.returns)
    assert agent.progress.episode_steps > 0
    record = watch(agent, 1_000)
    assert record.returns.tolist() == agent.progress.returns[before + 1 :]
    assert record.criterion == 475.0


def test_a_callback_stops_the_watch() -> None:
    agent = neuroloop.load_agent("cartpole")
    stop: Callable[[Any], bool] = lambda progress: False  # noqa: E731
    record = watch(agent, 10_000_000, stop)
    assert 0 < record.n < 100_000
    assert record.stopped
    assert record.random is None
