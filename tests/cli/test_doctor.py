"""`neuroloop doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def test_it_says_what_is_wrong_why_and_what_to_change(cli: Cli) -> None:
    done = cli("doctor", "cartpole", "--steps", 3_000, "--set", "projection.policy.plasticity.gain=0")
    assert done.code == 0
    assert "problem: learning gain, projection.policy: 0 (healthy: above 0)" in done.out
    assert "its weights never change" in done.out
    assert "→ `--set projection.policy.plasticity.gain=0.5`" in done.out
    assert "begin with the first" in done.out


def test_a_healthy_agent_gets_a_clean_bill_and_all_its_figures_on_demand(cli: Cli) -> None:
    done = cli("doctor", "mountain-car", "--steps", 12_000, "--all")
    assert done.code == 0
    assert "problem:" not in done.out
    assert "fine: spikes, population.critic: " in done.out
    words = " ".join(done.out.split())
    assert "mean return of the last" in words
    assert "criterion -110, random policy -200 over 10 episodes" in words
    assert words.endswith("no problem found") or "the criterion -110 is not reached after 12001 steps" in words


def test_json_is_one_line_with_every_figure(cli: Cli) -> None:
    done = cli("doctor", "cartpole", "--steps", 2_000, "--seed", 4, "--json")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    report = json.loads(done.out)
    assert (report["agent"], report["env"], report["seed"], report["steps"]) == ("cartpole", "CartPole-v1", 4, 2_000)
    assert report["worst"] in ("fine", "note", "warning", "problem")
    assert {"name", "where", "severity", "figure", "unit", "healthy", "why", "change"} == report["findings"][0].keys()


def test_a_checkpoint_is_examined_and_left_as_it_was(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 2_000, "--seed", 5, "--save", "a.zip")
    before = Path("a.zip").read_bytes()
    report = json.loads(cli("doctor", "a.zip", "--steps", 1_000, "--json").out)
    assert (report["agent"], report["seed"], report["steps"]) == ("cartpole", 5, 1_000)
    assert Path("a.zip").read_bytes() == before


def test_a_world_that_misbehaves_is_a_finding_not_a_failure(cli: Cli) -> None:
    raised = "RuntimeError: the motor is on fire"
    for what, words in (
        ("raise", raised),
        ("gap", "observation[1] is nan"),
        ("shape", "shape (5,)"),
        ("reward", "reward is inf"),
    ):
        done = cli("doctor", "default", "--env", "odd_world:Odd-v0", "--json", "--set",
                   f'plant.arguments={{at=50, what="{what}"}}')  # fmt: skip
        assert done.code == 0
        found = json.loads(done.out)["findings"][0]
        assert (found["name"], found["severity"]) == ("broke down", "problem")
        assert words in found["why"]
        assert "gain" not in found["change"]


def test_ctrl_c_reports_what_was_watched(cli: Cli) -> None:
    broken = 'plant.arguments={at=50, what="interrupt"}'
    done = cli("doctor", "default", "--env", "odd_world:Odd-v0", "--steps", 10_000_000, "--json", "--set", broken)
    assert done.code == 130
    report = json.loads(done.out)
    assert report["stopped"]
    assert 50 <= report["steps"] < 10_000_000
    assert f"stopped after {report['steps']} of 10000000 steps" in done.err
    assert "then stopped" in " ".join(done.err.split())


def test_an_agent_below_its_criterion_gets_no_clean_bill(cli: Cli) -> None:
    report = json.loads(cli("doctor", "random", "--env", "CartPole-v1", "--steps", 1_000, "--json").out)
    assert (report["criterion"], report["stopped"]) == (475.0, False)
    assert 10.0 < report["mean_return"] < 50.0
    assert report["verdict"].startswith(
        "what was looked at is in its healthy range, but the criterion 475 is not reached"
    )


def test_a_random_agent_gets_a_plain_sentence(cli: Cli) -> None:
    done = cli("doctor", "random", "--env", "CartPole-v1", "--steps", 1_000)
    assert done.code == 0
    assert "draws its actions and learns nothing" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cartpol",), "did you mean 'cartpole'?"),
        (("default",), "plant.env"),
        (("default", "--env", "CartPole-v9"), "CartPole"),
        (("cartpole", "--steps", "0"), "--steps"),
        (("cartpole", "--steps", "many"), "--steps"),
        (("cartpole", "--set", "learner.gama=1"), "gamma"),
        (("missing.zip",), "missing.zip"),
        (("a.zip", "--seed", "1"), "--seed"),
        (("a.zip", "--env", "CartPole-v1"), "--env"),
        (("a.zip", "--set", "learner.gamma=0.9"), "--set"),
    ],
)
def test_bad_input_is_refused(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    done = cli("doctor", *arguments)
    assert done.code == 2
    assert words in done.err
