"""The page of a suite and its picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuroloop.agent import read_config
from neuroloop.evaluation.picture import draw
from neuroloop.evaluation.scores import Group
from neuroloop.evaluation.suite import Plan, measured
from neuroloop.evaluation.table import page
from neuroloop.evaluation.task import Target

Row = Callable[..., dict[str, Any]]


@pytest.fixture
def groups(row: Row) -> list[Group]:
    target = Target(solved=1.0, median=45_000, held=0.9)
    rows = [row(8000, 30_000, 480.0), row(8001, 50_000, 400.0), row(8002, None, error="no motor", curve=[[], []])]
    rows += [row(8003, 50_000, 480.0), row(8004, 50_000, 400.0)]
    config = read_config("default")[1]
    ours = Group(
        "cartpole", "default", "x:CartPole-v1", 475.0, 150_000, 500, rows, 23.0, True, target=target, config=config
    )
    ppo = ours._replace(agent="ppo", rows=[row(8000, 70_000, agent="ppo")], main=False, baseline=True, config=None)
    return [ours, ppo, *(group._replace(task="car", env="Car-v0") for group in (ours, ppo))]


def text_of(groups: list[Group], first: int = 8000, **changes: Any) -> str:
    plan = Plan("classic", {}, **{"seeds": range(first, first + 5), "hold": 500} | changes)
    return page(
        measured(plan, groups), groups, plan, "the tasks", "neuroloop bench classic", "2026-01-01", "classic.png"
    )


def test_the_page_can_be_read_at_a_glance(groups: list[Group]) -> None:
    text = text_of(groups)
    assert text.startswith("# classic\n\nthe tasks.\n\n`neuroloop bench classic`\n")
    assert (
        "| CartPole-v1 | default | 475 | **4 of 5** | **50.0k** / – | 25.0k | 480 | **2 of 5** | 40 µs | 23 |" in text
    )
    assert "| CartPole-v1 | ppo | 475 | 1 of 1 | 70.0k / 70.0k |" in text
    assert "![Learning curves, every seed](classic.png)" in text
    assert "| cartpole_steps_vs_ppo | 1.4 | × |" in text
    assert "no motor" in text
    assert "nan" not in text


def test_a_page_says_whether_its_seeds_were_ever_tuned_on(groups: list[Group]) -> None:
    assert "Seeds 8000 to 8004, none of them used for tuning." in text_of(groups)
    below, inside = text_of(groups, first=5999), text_of(groups, first=20_018)
    assert "Seeds 5999 to 6003. **Not fresh**: 1 of them were used for tuning, the first is 5999." in below
    assert "**Not fresh**: 2 of them were used for tuning, the first is 20018." in inside
    assert "none of them" in text_of(groups, first=6000)


def test_a_page_says_how_agents_act_and_what_they_are_paid(groups: list[Group]) -> None:
    assert "\n`default` acts every 2 environment steps; all are scored on native rewards.\n" in text_of(groups)
    own = groups[0]._replace(agent="cartpole", config=read_config("cartpole")[1], main=False)
    assert (
        "`default` acts every 2 environment steps; `cartpole` acts every environment step and learns from rewards of its own"
        " (scale 0, −1 on termination); all are scored on native rewards." in text_of([*groups, own])
    )


def test_a_page_of_few_seeds_judges_no_target(groups: list[Group]) -> None:
    few = [group._replace(rows=group.rows[1:3]) for group in groups[::2]]
    text = text_of(few, seeds=range(8001, 8003), baseline_seeds=4)
    assert "Seeds 8001 to 8002 (baselines: seeds 8001 to 8004), none of them used" in text
    assert "| CartPole-v1 | default | 475 | 1 of 2 |" in text
    assert "with fewer than 5 seeds none is judged" in text
    assert "| ≥ 1 | too few seeds to judge |" in text


def test_a_page_without_episodes_afterwards_says_so(groups: list[Group]) -> None:
    quick = [group._replace(hold=0) for group in groups]
    assert "A run stops where it is solved" in text_of(quick, hold=0)


@pytest.mark.parametrize("which", [slice(0, 4), slice(0, 1), slice(1, 2)])
def test_the_picture_is_drawn_with_failures_in_it(groups: list[Group], which: slice) -> None:
    pytest.importorskip("matplotlib")
    path = draw(groups[which], Path("pages/classic.png"))
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000


def test_a_task_that_never_finished_an_episode_has_an_empty_panel(groups: list[Group], row: Row) -> None:
    pytest.importorskip("matplotlib")
    empty = groups[0]._replace(rows=[row(0, None, steps=0, curve=[[], []], error="gone")], random=None)
    assert draw([empty], Path("empty.png")).exists()
