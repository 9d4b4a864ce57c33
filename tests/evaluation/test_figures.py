"""Measured figures: a value beside its target, for people and for machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from neuroloop.evaluation.figures import Figure, Suite, as_json, as_markdown
from neuroloop.evaluation.suites import classic

ROWS = [
    {"task": "cartpole", "seed": 5000, "solved_at_step": 40_000},
    {"task": "cartpole", "seed": 5001, "solved_at_step": None},
]
SUITE = Suite(
    "classic",
    [
        Figure("steps_worst", 40_000.0, "steps", 2, 80_000.0, "low", 30_000.0, 40_000.0),
        Figure("solved_fraction", 0.5, "", 2, 1.0, "high"),
        Figure("unmeasured", None, "steps", 0, 10.0),
        Figure("without_target", 3.0, "steps", 1),
    ],
    ROWS,
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "target", "better", "met"),
    [
        (9.0, 10.0, "low", True),
        (10.0, 10.0, "low", True),
        (10.1, 10.0, "low", False),
        (0.9, 1.0, "high", False),
        (1.0, 1.0, "high", True),
        (None, 1.0, "high", False),
        (5.0, None, "low", None),
    ],
)
def test_a_target_is_met_or_missed_or_absent(value: Any, target: Any, better: Any, met: bool | None) -> None:
    assert Figure("x", value, "s", 1, target, better).met is met


def test_a_figure_prints_its_verdict() -> None:
    lines = [str(figure) for figure in SUITE.figures]
    assert "target ≤ 80000: met" in lines[0]
    assert "(30000 … 40000)" in lines[0]
    assert "target ≥ 1: MISSED" in lines[1]
    assert "–" in lines[2]
    assert "MISSED" in lines[2]
    assert "target" not in lines[3].removeprefix("without_target")


def test_a_suite_as_json_holds_what_a_reader_needs_and_no_nan() -> None:
    report = json.loads(json.dumps(as_json(SUITE), allow_nan=False))
    assert report["figures"]["steps_worst"]["met"] is True
    assert report["figures"]["unmeasured"]["value"] is None
    assert report["runs"] == ROWS
    assert {"python", "neuroloop", "numpy", "numba", "gymnasium"} <= report["versions"].keys()
    assert report["machine"]["cores"] >= 1


def test_a_suite_as_a_page_holds_every_figure_and_every_run() -> None:
    page = as_markdown(SUITE, "neuroloop bench classic", "2026-01-01")
    assert page.startswith("# classic\n\n`neuroloop bench classic`\n")
    assert "| steps_worst | 40000 | steps | 30000 | 40000 | 2 | ≤ 80000 | yes |" in page
    assert "| solved_fraction | 0.5 |  | – | – | 2 | ≥ 1 | **no** |" in page
    assert "| cartpole | 5001 | – |" in page
    assert "nan" not in page


def row(seed: int, solved: int | None, held: float | None) -> dict[str, Any]:
    return {
        "task": "cartpole", "seed": seed, "solved_at_step": solved, "episodes": 200, "steps": 50_000, "mean_of_100": 480.0,
        "steps_before_window": 10_000, "us_per_step": 40.0, "held_worst": held,
    }  # fmt: skip


def figures(*rows: dict[str, Any]) -> dict[str, Figure]:
    return {figure.name: figure for figure in classic.figures_of("cartpole", list(rows), 20.0)}


def test_the_figures_of_a_task_are_those_of_its_runs() -> None:
    made = figures(row(0, 30_000, 480.0), row(1, 50_000, 400.0), row(2, 40_000, 475.0))
    assert made["cartpole_solved_fraction"].value == 1.0
    assert made["cartpole_steps_median"].value == 40_000
    assert made["cartpole_steps_worst"].value == 50_000
    assert made["cartpole_stability_fraction"].value == pytest.approx(2 / 3)
    assert made["cartpole_random_mean"].value == 20.0


def test_a_seed_that_was_not_solved_is_not_swept_under_the_carpet() -> None:
    made = figures(row(0, 30_000, 480.0), row(1, None, None), row(2, None, None))
    assert made["cartpole_solved_fraction"].value == pytest.approx(1 / 3)
    assert made["cartpole_steps_median"].value is None
    assert made["cartpole_steps_worst"].value is None
    assert made["cartpole_steps_worst"].met is False


def test_every_task_has_an_agent_and_a_random_policy_to_stand_beside() -> None:
    for name in classic.TASKS:
        assert classic.random_mean(name, 1, episodes=2) != 0.0
