"""It learns: solved within the budget on seeds that it was not tuned on, beside a policy that does not learn."""

from __future__ import annotations

import numpy as np
import pytest

import neuroloop


@pytest.mark.parametrize("seed", [101, 102])
def test_cartpole_is_solved_within_80_000_steps(seed: int) -> None:
    agent = neuroloop.load_agent("cartpole", seed=seed)
    progress = agent.learn(80_000, stop_when_solved=True)
    assert progress.solved_at_step is not None
    assert progress.solved_at_step <= 80_000
    assert np.mean(progress.returns[-100:]) >= 475.0
    assert np.mean(progress.returns[:10]) < 100.0, "it had something to learn"


def test_a_random_policy_does_not_solve_cartpole() -> None:
    progress = neuroloop.load_agent("random", "CartPole-v1", seed=101).learn(20_000)
    assert progress.solved_at_step is None
    assert len(progress.returns) > 100
    assert np.mean(progress.returns) < 40.0


def test_what_it_learnt_shows_without_exploration_and_survives_a_checkpoint(tmp_path: object) -> None:
    agent = neuroloop.load_agent("cartpole", seed=103)
    untrained = agent.evaluate(10).mean()
    agent.learn(80_000, stop_when_solved=True)
    loaded = neuroloop.Agent.load(agent.save(f"{tmp_path}/agent.zip"))
    assert untrained < 200.0
    assert loaded.evaluate(10).mean() >= 400.0


def test_an_agent_that_is_paid_nothing_does_not_learn() -> None:
    unpaid = neuroloop.load_agent("cartpole", seed=101, overrides=["reward.on_termination=0"])
    progress = unpaid.learn(20_000, stop_when_solved=True)
    assert progress.solved_at_step is None
    assert progress.mean_return is not None
    assert progress.mean_return < 100.0


def test_the_pole_in_pybullet_is_solved_within_80_000_steps() -> None:
    pytest.importorskip("pybullet")
    agent = neuroloop.load_agent("pole", seed=101)
    progress = agent.learn(80_000, stop_when_solved=True)
    agent.close()
    assert progress.solved_at_step is not None
