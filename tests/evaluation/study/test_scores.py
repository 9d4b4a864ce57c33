"""Figures of runs: targets, seeds that were not solved, failures, several tasks together, baselines beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from neuroloop.evaluation.figures import Figure
from neuroloop.evaluation.scores import Group, aggregates, comparisons, figures_of
from neuroloop.evaluation.task import Target

Row = Callable[..., dict[str, Any]]
TARGET = Target(solved=0.95, median=52_000, worst=75_000, before_window=5_000, final=490.0, held=0.9, us_per_step=150.0)


def group(*rows: dict[str, Any], **changes: Any) -> Group:
    made = Group("cartpole", "default", "CartPole-v1", 475.0, 150_000, 500, list(rows), 20.0, True, target=TARGET)
    return made._replace(**changes)


def named(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_the_figures_of_a_task_are_those_of_its_runs(row: Row) -> None:
    more = row(3, 40_000, 480.0), row(4, 40_000, 420.0)
    made = named(figures_of(group(row(0, 30_000, 480.0), row(1, 50_000, 420.0), row(2, 40_000, 430.0), *more)))
    assert made["cartpole_solved_fraction"].value == 1.0
    assert made["cartpole_steps_median"].value == 40_000
    assert made["cartpole_steps_median"].met is True
    assert made["cartpole_steps_worst"].value == 50_000
    assert made["cartpole_steps_before_window_median"].value == 15_000
    assert made["cartpole_steps_before_window_median"].met is False
    assert made["cartpole_stability_fraction"].value == pytest.approx(2 / 5)
    assert made["cartpole_held_within_10_percent"].value == pytest.approx(3 / 5)  # from 427.5 on
    assert made["cartpole_final_mean"].met is False
    assert made["cartpole_auc"].value == 300.0
    assert made["cartpole_us_per_step"].value == 40.0
    assert made["cartpole_spikes_per_step"].value == 700.0
    assert made["cartpole_random_mean"].value == 20.0


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_targets_are_judged_by_five_seeds_or_more(row: Row, n: int) -> None:
    made = named(figures_of(group(*(row(seed, 30_000, 480.0) for seed in range(n)))))
    for name in ("solved_fraction", "steps_median", "steps_worst", "held_within_10_percent", "us_per_step"):
        assert made[f"cartpole_{name}"].met is (True if n >= 5 else None)
    assert made["cartpole_final_mean"].met is (False if n >= 5 else None)


def test_one_seed_is_printed_once_and_has_no_interval(row: Row) -> None:
    made = named(figures_of(group(row(0, 51_988))))
    line = str(made["cartpole_steps_median"])
    assert line.count("51988") == 1
    assert line.endswith("n = 1  target ≤ 52000: too few seeds to judge")
    assert "95 %" not in str(made["cartpole_solved_fraction"])
    assert named(figures_of(group(row(0, None))))["cartpole_steps_median"].value is None


def test_a_group_is_lost_if_every_run_failed(row: Row) -> None:
    broken = row(1, None, error="the motor is on fire")
    assert group(broken, broken).lost
    assert not group(row(0, None), broken).lost


def test_a_tenth_of_a_negative_criterion_is_below_it(row: Row) -> None:
    rows = row(0, 1000, -119.0), row(1, 1000, -122.0)
    made = named(figures_of(group(*rows, criterion=-110.0)))
    assert made["cartpole_held_within_10_percent"].value == 0.5


def test_a_seed_that_was_not_solved_counts_as_infinite(row: Row) -> None:
    made = named(figures_of(group(row(0, 30_000, 480.0), row(1, None), row(2, None))))
    assert made["cartpole_solved_fraction"].value == pytest.approx(1 / 3)
    assert made["cartpole_steps_median"].value is None
    assert named(figures_of(group(*(row(n, None) for n in range(5)))))["cartpole_steps_median"].met is False
    assert made["cartpole_steps_worst"].value is None
    assert made["cartpole_held_within_10_percent"].value == pytest.approx(1 / 3)
    one_of_four = named(figures_of(group(*(row(n, 30_000 + n) for n in range(3)), row(3, None))))
    assert one_of_four["cartpole_steps_median"].value == 30_001.5
    assert one_of_four["cartpole_steps_median"].iqm == 30_001.5  # the middle two
    assert one_of_four["cartpole_steps_median"].interval_high is None
    assert one_of_four["cartpole_steps_worst"].value is None


def test_a_seed_that_failed_counts_as_not_solved_and_no_better_than_chance(row: Row) -> None:
    broken = row(1, 40_000, 480.0, error="the motor is on fire")
    nothing = row(2, None, steps=0, final_mean=None, auc=None, us_per_step=0.0, spikes_per_step=None, error="gone")
    made = named(figures_of(group(row(0, 30_000, 480.0), broken, nothing)))
    assert made["cartpole_solved_fraction"].value == pytest.approx(1 / 3)
    assert made["cartpole_held_within_10_percent"].value == pytest.approx(1 / 3)
    assert (made["cartpole_final_mean"].value, made["cartpole_final_mean"].n) == (20.0, 3)
    assert made["cartpole_us_per_step"].n == 2  # what was never stepped has no cost


def test_only_the_first_agent_has_targets_and_names_without_prefix(row: Row) -> None:
    made = figures_of(group(row(0, 30_000, 480.0), agent="cartpole", main=False))
    assert {figure.name.partition("_")[0] for figure in made} == {"cartpole.cartpole"}
    assert all(figure.met is None for figure in made)


def test_without_episodes_afterwards_nothing_is_said_of_holding(row: Row) -> None:
    made = named(figures_of(group(row(0, 30_000), hold=0)))
    assert "cartpole_held_within_10_percent" not in made
    assert made["cartpole_final_mean"].target is None  # it is the mean that solved


def test_tasks_come_together_on_the_scale_from_chance_to_criterion(row: Row) -> None:
    first = group(row(0, 1000, final_mean=475.0), row(1, 1000, final_mean=20.0))
    second = group(row(0, 1000, final_mean=-110.0), task="car", criterion=-110.0, random=-200.0)
    made = named(aggregates([first, second]))
    assert made["all_tasks_final_score_iqm"].value == pytest.approx(2 / 3)  # of 1, 0 and 1
    assert (made["all_tasks_final_score_iqm"].low, made["all_tasks_final_score_iqm"].high) == (0.0, 1.0)
    assert made["all_tasks_solved_fraction"].n == 3
    assert aggregates([first]) == []


def test_other_agents_over_several_tasks_have_their_own(row: Row) -> None:
    groups = [group(row(0, 1000), task=task, agent="ppo", main=False, baseline=True) for task in ("a", "b")]
    assert set(named(aggregates(groups))) >= {"ppo.all_tasks_final_score_iqm", "ppo.all_tasks_solved_fraction"}


def test_baselines_stand_beside_as_ratios(row: Row) -> None:
    ours = group(*(row(n, steps) for n, steps in enumerate((40_000, 50_000, 60_000, 45_000, 55_000))))
    ppo = group(row(0, 75_000), agent="ppo", main=False, baseline=True)
    dqn = group(row(0, None), agent="dqn", main=False, baseline=True)
    made = named(comparisons([ours, ppo, dqn], 1))
    assert (made["cartpole_steps_vs_ppo"].value, made["cartpole_steps_vs_ppo"].unit) == (1.5, "×")
    assert (made["cartpole_steps_vs_dqn"].value, made["cartpole_steps_vs_dqn"].unit) == (3.0, "× at least")
    assert made["tasks_with_fewer_steps_than_baselines"].value == 1.0
    assert made["tasks_with_fewer_steps_than_baselines"].met is True
    faster = group(row(0, 45_000), agent="sac", main=False, baseline=True)
    assert named(comparisons([ours, ppo, faster], 1))["tasks_with_fewer_steps_than_baselines"].value == 0.0
    assert comparisons([ours], 4) == []
    assert named(comparisons([group(row(0, 40_000)), ppo], 1))["tasks_with_fewer_steps_than_baselines"].met is None


def test_ours_unsolved_is_no_win_and_no_ratio(row: Row) -> None:
    ours, ppo = group(row(0, None)), group(row(0, None), agent="ppo", main=False, baseline=True)
    made = named(comparisons([ours, ppo], 1))
    assert made["cartpole_steps_vs_ppo"].value is None
    assert made["tasks_with_fewer_steps_than_baselines"].value == 0.0
