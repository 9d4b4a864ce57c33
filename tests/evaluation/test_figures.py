"""Measured figures: a value beside its target, for people and for machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from neuroloop.evaluation.figures import Figure, Suite, as_json, as_markdown

ROWS = [
    {"task": "cartpole", "seed": 5000, "solved_at_step": 40_000, "error": None},
    {"task": "cartpole", "seed": 5001, "solved_at_step": None, "error": "a | b"},
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
WITH_INTERVAL = Figure("steps", 4.0, "steps", 3, None, "low", 3.0, 6.0, 4.5, 3.5, None)


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
    assert "IQM 4.5  95 % 3.5 … –" in str(WITH_INTERVAL)


def test_too_few_seeds_are_no_verdict() -> None:
    few = Figure("solved_fraction", 1.0, "", 1, 0.95, "high", too_few=True)
    assert few.met is None
    assert str(few).endswith("n = 1  target ≥ 0.95: too few seeds to judge")
    assert "| ≥ 0.95 | too few seeds to judge |" in as_markdown(Suite("x", [few], []), "c", "d")


def test_a_suite_as_json_holds_what_a_reader_needs_and_no_nan() -> None:
    report = json.loads(json.dumps(as_json(SUITE), allow_nan=False))
    assert report["figures"]["steps_worst"]["met"] is True
    assert report["figures"]["unmeasured"]["value"] is None
    assert report["runs"] == ROWS
    assert {"python", "neuroloop", "numpy", "numba", "gymnasium"} <= report["versions"].keys()
    assert report["machine"]["cores"] >= 1
    figures = as_json(Suite("x", [WITH_INTERVAL], []))["figures"]
    assert (figures["steps"]["iqm"], figures["steps"]["interval_low"]) == (4.5, 3.5)


def test_a_suite_as_a_page_holds_every_figure_and_every_run() -> None:
    page = as_markdown(SUITE, "neuroloop bench classic", "2026-01-01")
    assert page.startswith("# classic\n\n`neuroloop bench classic`\n")
    assert "| steps_worst | 40000 | steps | 30000 | 40000 | 2 | ≤ 80000 | yes |" in page
    assert "| solved_fraction | 0.5 |  | – | – | 2 | ≥ 1 | **no** |" in page
    assert "| cartpole | 5001 | – | a \\| b |" in page
    assert "nan" not in page


def test_intervals_have_columns_where_there_are_any() -> None:
    page = as_markdown(Suite("x", [WITH_INTERVAL, SUITE.figures[3]], []), "c", "d")
    assert "| figure | value | unit | IQM | 95 % interval | least | greatest | n | target | met |" in page
    assert "| steps | 4 | steps | 4.5 | 3.5 … – | 3 | 6 | 3 |  |  |" in page
    assert "| without_target | 3 | steps | – | – | – | – | 1 |  |  |" in page
