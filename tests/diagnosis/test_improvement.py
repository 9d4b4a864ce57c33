"""Returns that stay where chance has them are named; returns that rise, or are high, are not. The closing sentence says so."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop.diagnosis import Finding, Record, Severity, diagnose, examine
from neuroloop.diagnosis.advice import bias, bolder, more_exploration
from neuroloop.diagnosis.checks.improvement import improvement
from neuroloop.diagnosis.checks.observations import squeezed
from neuroloop.diagnosis.record import Observed
from neuroloop.diagnosis.report import print_findings, returns_of, verdict

Make = Callable[..., Record]
CHANCE = np.random.default_rng(1).normal(20.0, 10.0, 20)


@pytest.fixture
def earning(record: Make) -> Make:
    """Makes a record of 400 episodes of one decision, of 50 steps each, whose returns lie evenly from `first` to `last`."""

    def make(first: float, last: float, **parts: Any) -> Record:
        noise = np.random.default_rng(0).normal(0.0, 10.0, 400)
        common: dict[str, Any] = {
            "n": 400, "reward": np.linspace(first, last, 400) + noise, "ended": np.ones(400, np.int8),
            "awake": np.ones(400, bool), "n_plant_steps": 20_000, "criterion": 475.0, "random": CHANCE,
        }  # fmt: skip
        return record(**common | parts)

    return make


def test_returns_that_stay_where_chance_has_them_are_named(earning: Make) -> None:
    made = earning(20.0, 26.0)  # rises, by less than 5 % of the way
    (finding,) = improvement(made)
    assert (finding.name, finding.severity) == ("does not improve", Severity.PROBLEM)
    assert finding.figure == pytest.approx(made.mean_return)
    assert finding.figure < float(finding.healthy.removeprefix("above "))
    assert finding.why
    assert finding.change
    assert list(improvement(earning(200.0, 20.0)))  # it fell back to chance


@pytest.mark.parametrize(
    ("ends", "parts"),
    [
        ((20.0, 120.0), {}),  # it rises
        ((120.0, 120.0), {}),  # it stays, above chance
        ((20.0, 20.0), {"criterion": 10.0}),  # it is there already
        ((20.0, 20.0), {"n_plant_steps": 5_000}),  # too early to say
        ((20.0, 20.0), {"random": None}),  # nothing to compare with
        ((20.0, 20.0), {"random": np.zeros(0)}),
        ((20.0, 20.0), {"kind": "random"}),
        ((20.0, 40.0), {"criterion": None}),
    ],
)
def test_nothing_is_said_of_others(earning: Make, ends: tuple[float, float], parts: dict[str, Any]) -> None:
    assert list(improvement(earning(*ends, **parts))) == []


def test_an_agent_whose_errors_are_cut_to_nothing_is_named_and_a_healthy_one_is_not() -> None:
    broken, healthy = (
        diagnose(neuroloop.load_agent("default", "CartPole-v1", 0, settings), 10_000)
        for settings in (["learner.error_clip=0.001"], [])
    )
    (named,) = (finding for finding in broken if finding.name == "does not improve")
    assert "`--set learner.error_clip=2`" in named.change
    assert "does not improve" not in {finding.name for finding in healthy}


def test_the_head_holds_the_return_beside_criterion_and_chance(earning: Make) -> None:
    head = returns_of(earning(20.0, 20.0, random=np.array([20.0, 24.0])))
    assert head.startswith("mean return of the last 100 episodes: 19.")
    assert head.endswith("(criterion 475, random policy 22 over 2 episodes)")
    nothing = earning(20.0, 20.0, ended=np.zeros(400, np.int8), random=None)
    assert returns_of(nothing) == "mean return: none, no whole episode was watched (criterion 475)"


def test_no_problem_is_not_the_same_as_learned(earning: Make) -> None:
    assert verdict(earning(500.0, 500.0), []) == "no problem found"
    words = verdict(earning(100.0, 200.0), [])
    assert words.startswith(
        "what was looked at is in its healthy range, but the criterion 475 is not reached after 20000"
    )
    assert "names no criterion" in verdict(earning(100.0, 200.0, criterion=None), [])


def test_what_is_amiss_somewhere_is_not_called_fine(record: Make) -> None:
    values = np.random.default_rng(0).uniform(size=(200, 2))
    observed = Observed(
        names=("wide", "x"), discrete=np.zeros(2, bool), values=values, low=np.zeros(2), high=np.array([1e3, 1.0])
    )
    made, page = record(observed=observed), io.StringIO()
    findings = list(squeezed(made))
    assert {finding.severity for finding in findings} == {Severity.FINE, Severity.WARNING}
    print_findings(made, [*findings, Finding("others", "", Severity.FINE, 1.0, "", "")], page)
    assert "fine: others\n" in page.getvalue()


@pytest.mark.parametrize(("failed", "word"), [("plant", "Gymnasium"), ("network", "gain"), ("error", "raised")])
def test_advice_after_a_failure_matches_its_cause(record: Make, failed: str, word: str) -> None:
    assert word in examine(record(failure="it broke", failed=failed))[0].change


def test_no_advice_is_what_the_agent_has_already(record: Make) -> None:
    def own(**settings: Any) -> Record:
        return record(settings={name.replace("__", "."): value for name, value in settings.items()})

    assert "decoder.noise=0.6`" in more_exploration(own(decoder__noise=0.3))
    assert "decoder.noise=0.3`" in more_exploration(own(decoder__noise=0.001))
    assert "learner.policy_limit=4`" in more_exploration(own(learner__policy_limit=8.0))
    assert "--set" not in more_exploration(record())
    biases = [(-6.0, True), (2.0, True), (60.0, False), (2.0, False)]
    told = [bias(own(population__actor__bias=now), "actor", more=more) for now, more in biases]
    assert told == [f"`--set population.actor.bias={value}`" for value in (2, 3, 2, 1)]
    assert bolder(own(learner__error_clip=2.0)) == "larger gains"


def test_a_linear_agent_is_told_what_was_not_examined() -> None:
    findings = diagnose(neuroloop.load_agent("linear", "CartPole-v1"), 500)
    (note,) = (finding for finding in findings if finding.name == "what was examined")
    assert "read-outs" in note.why
