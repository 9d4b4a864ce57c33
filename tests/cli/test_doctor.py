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
    assert done.out.splitlines()[-1] == "no problem found"


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
    for what, words in (("gap", "observation[1] is nan"), ("shape", "shape (5,)"), ("reward", "reward is inf")):
        done = cli("doctor", "default", "--env", "odd_world:Odd-v0", "--json", "--set",
                   f'plant.arguments={{at=50, what="{what}"}}')  # fmt: skip
        assert done.code == 0
        found = json.loads(done.out)["findings"][0]
        assert (found["name"], found["severity"]) == ("broke down", "problem")
        assert words in found["why"]


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
