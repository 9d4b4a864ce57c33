"""Learning curves: means of 100, what is kept of them, their area."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroloop.evaluation.curves import POINTS, area_of, curve_of, means_of, on_axis


def test_the_mean_is_of_the_last_hundred_or_of_all_if_fewer() -> None:
    returns = np.random.default_rng(0).normal(size=250).tolist()
    means = means_of(returns)
    assert means[0] == pytest.approx(returns[0])
    assert means[49] == pytest.approx(np.mean(returns[:50]))
    assert means[249] == pytest.approx(np.mean(returns[150:]))


def test_a_curve_keeps_points_that_lie_on_it_before_and_after_it_was_solved() -> None:
    returns, lengths = list(range(3000)), [7] * 3000
    steps, means = curve_of(returns, lengths, solved_at=7000)
    exact = means_of(returns)
    assert 2 * POINTS - 5 <= len(steps) <= 2 * POINTS
    assert sum(step <= 7000 for step in steps) == pytest.approx(POINTS, abs=2)
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (7, 21_000)
    assert 7000 in steps
    for step, mean in zip(steps, means, strict=True):
        assert mean == pytest.approx(exact[step // 7 - 1], rel=1e-5)


def test_a_curve_of_few_episodes_is_all_of_them() -> None:
    assert curve_of([1.0, 3.0], [10, 20], None) == ([10, 30], [1.0, 2.0])
    assert curve_of([], [], None) == ([], [])


@pytest.mark.parametrize(
    ("returns", "lengths", "over", "area"),
    [
        ([4.0], [10], 10, 4.0),
        ([1.0, 3.0], [10, 30], 40, 2.5),  # (10 · 1 + 30 · 3) / 40
        ([1.0, 3.0], [10, 30], 20, 2.0),  # the second episode is cut off after 10 steps
        ([1.0, 3.0], [10, 10], 40, 2.0),  # 20 steps more with the mean of both, 2
    ],
)
def test_every_step_counts_with_the_return_of_its_episode(
    returns: list[float], lengths: list[int], over: int, area: float
) -> None:
    assert area_of(returns, lengths, over) == pytest.approx(area)


def test_no_episode_has_no_area() -> None:
    assert area_of([], [], 10) is None


def test_curves_come_onto_one_axis_by_their_last_value() -> None:
    rows = on_axis([([10, 20], [1.0, 2.0]), ([], [])], np.array([5, 10, 15, 20, 99]))
    assert math.isnan(rows[0, 0])
    assert rows[0, 1:].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert np.isnan(rows[1]).all()
