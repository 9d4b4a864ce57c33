"""One run: plain data in, plain data out, whatever happens in between."""

from __future__ import annotations

import json
import pickle

import pytest

from neuroloop.agent import load_agent
from neuroloop.evaluation.runs import Outcome, failed, row_of, run

from .conftest import job


def test_a_run_is_what_the_agent_does_by_itself() -> None:
    wanted = job("default", "plant.criterion=18.0", env="CartPole-v1", seed=3, limit=60_000, hold=20)
    row = run(wanted)
    with load_agent("default", "CartPole-v1", 3, ["plant.criterion=18.0", "plant.action_repeat=1"]) as agent:
        progress = agent.learn(60_000, stop_when_solved=True)
        assert row["solved_at_step"] == progress.solved_at_step is not None
        assert row["steps_before_window"] == sum(progress.lengths[:-100])
        n, first = len(progress.returns), sum(progress.returns[-100:]) / 100
        progress = agent.learn(10**6, episodes=n + 20)
        means = [sum(progress.returns[k - 100 : k]) / 100 for k in range(n, n + 21)]
        assert means[0] == first
        assert row["held_worst"] == pytest.approx(min(means))
        assert row["final_mean"] == pytest.approx(means[-1])
        assert (row["steps"], row["episodes"]) == (progress.steps, n + 20)
        assert row["spikes_per_step"] == pytest.approx(agent.controller.spikes / progress.steps)
    assert row["error"] is None
    assert 0 < row["us_per_step"] < 10_000


def test_jobs_and_rows_are_plain_data() -> None:
    wanted = job(limit=200)
    assert pickle.loads(pickle.dumps(wanted)) == wanted
    row = run(wanted)
    assert json.loads(json.dumps(row, allow_nan=False))["steps"] == row["steps"] == 200


def test_a_run_that_is_not_solved_stops_at_its_limit() -> None:
    row = run(job(limit=2_500))
    assert (row["solved_at_step"], row["steps"], row["episodes"], row["error"]) == (None, 2_500, 125, None)
    assert row["held_worst"] is None
    assert row["final_mean"] == pytest.approx(10.0, abs=1.5)  # 20 coins; a mean of 100 is off by 0.2 usually


def test_the_random_policy_plays_its_episodes_and_no_more() -> None:
    row = run(job(episodes=7))
    assert (row["episodes"], row["steps"], row["error"]) == (7, 140, None)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("raise", r"RuntimeError: the motor is on fire (bad_world.py, line "),
        ("gap", "environment step 10: observation[1] is nan; observations must be finite"),
        ("shape", "environment step 10: the observation has shape (5,), expected (2,)"),
        ("reward", "environment step 10: the reward is nan; rewards must be finite"),
    ],
)
def test_what_goes_wrong_is_the_error_of_the_row_which_keeps_what_was_done(what: str, says: str) -> None:
    row = run(job("default", f"plant.arguments.what={what}", "warm_up.decisions=5"))
    assert says in row["error"]
    assert row["episodes"] == 2
    assert 49 <= row["steps"] <= 50
    assert "\n" not in row["error"]


def test_episodes_that_never_end_are_bounded_by_the_budget_and_named() -> None:
    row = run(job("random", "plant.arguments.what=endless", limit=500))
    assert "no episode ended in 500 steps" in row["error"]
    assert (row["steps"], row["final_mean"], row["auc"], row["curve"]) == (500, None, None, [[], []])


def test_episodes_that_end_no_more_after_it_was_solved_are_named() -> None:
    endless = ("plant.arguments.what=endless later", "plant.criterion=5.0")
    row = run(job("random", *endless, limit=4_000, hold=10))
    assert "after it was solved, only 0 of 10 episodes ended in 4000 steps" in row["error"]
    assert row["solved_at_step"] == 2_000


def test_an_environment_that_is_not_there_is_an_error_of_the_row() -> None:
    row = run(job("random")._replace(settings='kind = "random"\n[plant]\nenv = "Nowhere-v0"\n'))
    assert "unknown environment 'Nowhere-v0'" in row["error"]


def test_the_key_stands_for_all_that_a_result_depends_on() -> None:
    base = job()
    for same in ({"seconds": 9.0},):
        assert base._replace(**same).key == base.key
    changes = ({"seed": 1}, {"limit": 9}, {"hold": 9}, {"area": 9}, {"made_with": ""}, {"settings": ""}, {"agent": "x"})
    assert len({base.key, *(base._replace(**change).key for change in changes)}) == len(changes) + 1
    assert base.key.rpartition("/")[0] == base._replace(seed=7).key.rpartition("/")[0]


def test_the_episode_that_solved_ends_the_window() -> None:
    outcome = Outcome([1.0] * 150, [10] * 150, 1_500, 1_200, 0.0, None)
    assert row_of(job(), outcome)["steps_before_window"] == 200


def test_a_run_that_left_nothing_is_a_row_like_any_other() -> None:
    assert failed(job(), "gone").keys() == run(job(limit=20)).keys()
    assert failed(job(), "gone")["error"] == "gone"
