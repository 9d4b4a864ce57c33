"""Stable-Baselines3 as a baseline: it learns, is seeded, and stops where our own runs would."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
from neuroloop_agents import sb3
from neuroloop_agents.sb3_zoo import ZOO

from neuroloop.errors import BadInput, MissingExtra
from neuroloop.loop.lockstep import Progress

installed = pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="needs the extra `baselines`")


class Scripted:
    """Stands where a model stands: its environments end episodes as a script says."""

    def __init__(self, n_envs: int, ends: list[list[float | None]]) -> None:
        self.n_envs, self.ends, self.num_timesteps = n_envs, ends, 0

    def learn(self, watch: sb3.Watch) -> None:
        for returns in self.ends:
            self.num_timesteps += self.n_envs
            infos: list[dict[str, Any]] = [{} if r is None else {"episode": {"r": r, "l": 3}} for r in returns]
            if not watch({"infos": infos}, {}):
                return


def ours(ends: list[list[float | None]], n_envs: int, criterion: float) -> int | None:
    """Where the rule of our own loop is met."""
    progress = Progress(criterion)
    for returns in ends:
        progress.steps += n_envs
        for value in (r for r in returns if r is not None):
            progress.episode_return = value
            progress.count_episode()
    return progress.solved_at_step


def test_it_stops_where_our_rule_does() -> None:
    random = np.random.default_rng(3)
    ends = [[float(random.normal(k / 100)) if random.random() < 0.3 else None for _ in range(4)] for k in range(500)]
    model = Scripted(4, ends)
    watch = sb3.Watch(model, limit=10**9, criterion=1.5, hold=0)
    model.learn(watch)
    assert watch.progress.solved_at_step == ours(ends, 4, 1.5) == model.num_timesteps
    assert watch.progress.solved_at_step is not None
    assert watch.held()[0] >= 1.5


def test_ninety_nine_perfect_episodes_are_not_enough() -> None:
    model = Scripted(1, [[1.0]] * 99)
    watch = sb3.Watch(model, 99, 1.0, 0)
    model.learn(watch)
    assert (watch.progress.solved_at_step, watch.held()) == (None, [])
    more = Scripted(1, [[1.0]] * 101)
    watch = sb3.Watch(more, 200, 1.0, 0)
    more.learn(watch)
    assert (watch.progress.solved_at_step, watch.held()) == (100, [1.0])


def test_the_episodes_after_the_solution_are_held_to_it() -> None:
    model = Scripted(1, [[1.0]] * 100 + [[0.0]] * 60)
    watch = sb3.Watch(model, 100, 1.0, hold=50)
    model.learn(watch)
    assert len(watch.progress.returns) == 150
    assert watch.held() == pytest.approx([1 - k / 100 for k in range(51)])


@installed
def test_a_short_run_of_ppo_learns_cartpole() -> None:
    result = sb3.run("ppo", "CartPole-v1", seed=1, limit=8_000, criterion=60.0, hold=20)
    assert result["solved_at_step"] is not None  # a random policy gets 22
    assert result["solved_at_step"] <= 8_000
    assert len(result["held"]) >= 21
    assert len(result["returns"]) == len(result["lengths"])
    assert result["returns"] == result["lengths"]  # native rewards: 1 a step
    assert result["steps"] - 8 * 500 <= sum(result["lengths"]) <= result["steps"]  # of eight environments
    assert result["cpu_s"] > 0


@installed
@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_the_seed_decides_the_run(algorithm: str) -> None:
    first, again, other = (sb3.run(algorithm, "CartPole-v1", seed, 1_600, None, 0)["returns"] for seed in (5, 5, 6))
    assert first == again != other


@installed
def test_a_larger_limit_begins_as_a_smaller_one_does() -> None:
    short, long = (sb3.run("ppo", "CartPole-v1", 2, limit, None, 0)["returns"] for limit in (1_000, 2_000))
    assert long[: len(short)] == short


@installed
@pytest.mark.parametrize(
    ("env_id", "algorithm"), [(env_id, name) for env_id, names in sb3.TUNED.items() for name in names]
)
def test_every_tuned_model_can_be_made(env_id: str, algorithm: str) -> None:
    needs = "pybullet_envs_gymnasium" if "Bullet" in env_id else "Box2D" if "Lunar" in env_id else "gymnasium"
    pytest.importorskip(needs)
    model = sb3.make(algorithm, ZOO[env_id][algorithm], env_id, seed=0)
    assert model.get_env().num_envs == ZOO[env_id][algorithm].n_envs
    assert (model.get_vec_normalize_env() is not None) == ZOO[env_id][algorithm].normalise
    model.get_env().close()


@installed
def test_schedules_span_the_steps_they_were_tuned_for() -> None:
    ppo = sb3.make("ppo", ZOO["CartPole-v1"]["ppo"], "CartPole-v1", 0)
    left = [1 - steps / sb3.FOREVER for steps in (0, 50_000, 100_000, 300_000)]
    assert [ppo.lr_schedule(p) for p in left] == pytest.approx([1e-3, 5e-4, 0.0, 0.0])
    assert [ppo.clip_range(p) for p in left] == pytest.approx([0.2, 0.1, 0.0, 0.0])
    dqn = sb3.make("dqn", ZOO["CartPole-v1"]["dqn"], "CartPole-v1", 0)
    left = [1 - steps / sb3.FOREVER for steps in (0, 4_000, 8_000, 60_000)]  # 0.16 of 50 000
    assert [dqn.exploration_schedule(p) for p in left] == pytest.approx([1.0, 0.52, 0.04, 0.04])


def test_what_nobody_tuned_is_refused_with_the_closest_match() -> None:
    with pytest.raises(
        BadInput, match="unknown environment with tuned baselines 'CartPol-v1': did you mean 'CartPole-v1'"
    ):
        sb3.run("ppo", "CartPol-v1", 0, 100, None, 0)
    with pytest.raises(BadInput, match="unknown algorithm tuned for CartPole-v1 'pp0': did you mean 'ppo'"):
        sb3.run("pp0", "CartPole-v1", 0, 100, None, 0)
    with pytest.raises(BadInput, match=r"unknown algorithm tuned for Pendulum-v1 'dqn': .*known: ppo, sac"):
        sb3.run("dqn", "gymnasium:Pendulum-v1", 0, 100, None, 0)


@pytest.mark.parametrize(("seed", "limit", "hold"), [(-1, 100, 0), (0, 0, 0), (0, 100, -1)])
def test_numbers_out_of_range_are_refused(seed: int, limit: int, hold: int) -> None:
    with pytest.raises(BadInput, match="must be at least"):
        sb3.run("ppo", "CartPole-v1", seed, limit, None, hold)


def test_without_the_extra_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[baselines\]"$'):
        sb3.run("ppo", "CartPole-v1", 0, 100, None, 0)


def test_every_tuned_environment_that_is_installed_exists() -> None:
    for env_id in sb3.TUNED:
        if "Bullet" not in env_id:
            assert gymnasium.spec(env_id).id == env_id
