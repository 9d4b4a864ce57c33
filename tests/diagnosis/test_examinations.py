"""Single examinations on records made by hand: what they measure is what they say."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.diagnosis import Finding, Record, Severity, examine
from neuroloop.diagnosis.checks import CHECKS, activity, critic, episodes, observations, plasticity, policy, rewards
from neuroloop.diagnosis.findings import Limits
from neuroloop.diagnosis.record import Choice, Critic, Observed, Population, Projection
from neuroloop.diagnosis.returns import advantage, correlation, credit, returns_to_go

Make = Callable[..., Record]


def only(findings: Any) -> Finding:
    (finding,) = findings
    assert isinstance(finding, Finding)
    return finding


def test_limits_judge_on_either_side() -> None:
    rising, falling = Limits(warning=0.2, problem=0.5), Limits(warning=0.2, problem=0.1)
    assert [rising.judge(x) for x in (0.0, 0.2, 0.3, 0.6)] == [
        Severity.FINE,
        Severity.FINE,
        Severity.WARNING,
        Severity.PROBLEM,
    ]
    assert [falling.judge(x) for x in (0.3, 0.2, 0.15, 0.05)] == [0, 0, 2, 3]
    assert rising.judge(math.nan) is falling.judge(math.nan) is Severity.PROBLEM
    assert Limits(warning=0.2, problem=0.5, highest=Severity.WARNING).judge(9.0) is Severity.WARNING


def test_returns_stop_at_ends_and_are_unknown_where_the_end_was_not_seen(record: Make) -> None:
    ended = np.array([0, 1, 0, 2, 0], np.int8)
    made = record(n=5, ended=ended, reward=np.array([1.0, 2.0, 3.0, 4.0, 5.0]), awake=np.ones(5, bool), gamma=0.5)
    np.testing.assert_allclose(returns_to_go(made, made.reward), [2.0, 2.0, 5.0, 4.0, np.nan])
    np.testing.assert_allclose(credit(made, made.reward, 0.1), [1.2, 2.0, 3.4, 4.0, 5.0])


def test_the_advantage_is_what_the_observation_does_not_explain(record: Make) -> None:
    rng = np.random.default_rng(0)
    state, action = rng.normal(size=(2, 2_000))
    made = record(
        n=2_000, ended=np.ones(2_000, np.int8), reward=5.0 * state + action, awake=np.ones(2_000, bool),
        observed=Observed(names=("x",), discrete=np.zeros(1, bool), values=state[:, None]),
    )  # fmt: skip
    found = correlation(advantage(made), action)
    assert found is not None
    assert found > 0.98
    assert correlation(advantage(made), np.ones(2_000)) is None
    assert correlation(action[:10], action[:10]) is None


def test_a_record_without_any_part_is_examined(record: Make) -> None:
    findings = examine(record())
    assert {finding.name for finding in findings} >= {"episodes that end", "reward varies"} - {"episodes that end"}
    empty = np.zeros(0)
    nothing = record(n=0, reward=empty, ended=np.zeros(0, np.int8), awake=np.zeros(0, bool))
    assert all(finding.severity < Severity.WARNING for finding in examine(nothing))


def test_the_worst_comes_first_and_all_of_it_is_json(record: Make) -> None:
    findings = examine(record(reward=np.zeros(200), failure="observation[0] is nan"))
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, reverse=True)
    assert severities[0] is Severity.PROBLEM
    for figure in (math.nan, math.inf, None, 0.5):
        made = Finding("a", "", Severity.NOTE, figure, "", "").as_dict()
        assert json.loads(json.dumps(made, allow_nan=False))["figure"] == (0.5 if figure == 0.5 else None)


def test_silence_counts_neurons_and_saturation_the_fastest(record: Make) -> None:
    def population(total: list[int], most: float) -> Population:
        return Population(name="p", total=np.array(total), mean=np.ones(200), most=np.full(200, most), ceiling=10)

    made = record(populations=(population([0, 0, 3, 9], 9.9),))
    assert only(activity.silent(made)).figure == 0.5
    assert only(activity.saturated(made)).severity is Severity.PROBLEM
    well = record(populations=(population([5, 4, 3, 9], 6.0),))
    assert all(
        finding.severity is Severity.FINE for check in (activity.silent, activity.saturated) for finding in check(well)
    )


def test_the_noise_of_counts_is_what_independent_neurons_would_make(record: Make) -> None:
    """V = 2 n̄ with N neurons of sd 1: sd(V) = 2 / √N; the states are drawn with sd 0.5 in V."""
    rng = np.random.default_rng(0)
    n, neurons = 4_000, 25
    states = 5.0 + 0.25 * rng.normal(size=n)
    counts = states[:, None] + rng.normal(size=(n, neurons))
    value = 2.0 * counts.mean(axis=1)
    made = record(
        n=n, awake=np.ones(n, bool), reward=rng.normal(size=n),
        critic=Critic(
            error=rng.normal(size=n), modulator=rng.normal(size=n), value=value, low=np.zeros(n), high=np.full(n, 20.0),
            population="critic", counts=counts.mean(axis=1), count_sd=counts.std(axis=1), n=neurons,
        ),
    )  # fmt: skip
    of_value, of_error = critic.count_noise(made)
    noise = 2.0 / np.sqrt(neurons)
    assert of_value.figure == pytest.approx(noise / np.hypot(noise, 0.5), rel=0.05)
    assert of_error.figure == pytest.approx(np.sqrt(2.0) * noise, rel=0.05)


def test_a_modulator_that_blames_what_came_out_well_is_named(record: Make) -> None:
    rewards_ = np.random.default_rng(0).normal(size=400)
    for sign, severity in ((1.0, Severity.FINE), (-1.0, Severity.PROBLEM)):
        made = record(
            n=400, reward=rewards_, ended=np.ones(400, np.int8), awake=np.ones(400, bool),
            critic=Critic(error=sign * rewards_, modulator=sign * rewards_),
        )  # fmt: skip
        assert only(critic.wrong_sign(made)).severity is severity


def test_a_dimension_that_is_a_switch_may_stay_in_one_place(record: Make) -> None:
    values = np.zeros((200, 2))
    values[::50, 0] = 1.0
    values[:, 1] = np.linspace(0.0, 1.0, 200)
    observed = Observed(
        names=("switch", "x"), discrete=np.zeros(2, bool), values=values, low=np.zeros(2), high=np.ones(2)
    )
    assert [finding.where for finding in observations.squeezed(record(observed=observed))] == ["x"]


def test_nothing_is_said_of_short_games_and_unmet_goals_are_a_warning(record: Make) -> None:
    assert list(episodes.too_few_decisions(record(ended=np.ones(200, np.int8)))) == []
    cut = np.where(record().ended > 0, 2, 0).astype(np.int8)
    assert only(rewards.constant(record(reward=np.full(200, -1.0), ended=cut))).severity is Severity.WARNING
    assert only(rewards.constant(record(reward=np.full(200, 1.0)))).severity is Severity.FINE  # it ends
    assert only(rewards.constant(record(reward=np.zeros(200), solved=True))).severity is Severity.NOTE


def test_the_entropy_of_actions_is_a_share_of_the_largest(record: Make) -> None:
    def entropy(chosen: Any, groups: int) -> float | None:
        return only(policy.collapsed(record(n=400, choices=(Choice(name="0", groups=groups, chosen=chosen),),
                                            awake=np.ones(400, bool)))).figure  # fmt: skip

    assert entropy(np.arange(400) % 4, 4) == pytest.approx(1.0)
    assert entropy(np.arange(400) % 2, 4) == pytest.approx(0.5)
    assert entropy(np.zeros(400, int), 4) == 0.0


def test_weights_that_are_no_numbers_are_named(record: Make) -> None:
    def projection(whole: bool) -> Projection:
        return Projection(
            name="value",
            table="value",
            pre="encoder",
            post="critic",
            gain=0.2,
            decay=0.8,
            bounds=(-1.0, 1.0),
            finite=whole,
        )

    assert list(plasticity.finite(record(projections=(projection(True),)))) == []
    assert only(plasticity.finite(record(projections=(projection(False),)))).severity is Severity.PROBLEM


def test_every_check_takes_every_kind_of_record(record: Make) -> None:
    asleep = record(awake=np.zeros(200, bool))
    for check in CHECKS:
        for made in (record(), asleep, record(paid=np.zeros(200), observed=None, gamma=0.9)):
            assert all(isinstance(finding, Finding) for finding in check(made))


def test_every_finding_has_its_line_in_the_documentation() -> None:
    root = Path(neuroloop.__file__).parent
    page = (root.parent / "docs" / "doctor.md").read_text(encoding="utf-8")
    calls = [
        node
        for path in (root / "diagnosis" / "checks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")).lower() == "finding"
    ]
    names = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)} | {"reward varies"}
    assert len(names) > 25
    assert [name for name in names if f"| {name} |" not in page] == []
