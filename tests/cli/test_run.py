"""`neuroloop run`, as a user meets it: the report, the interruptions, the errors, and what is left on the disk."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuroloop import checkpoint
from neuroloop.agent import Agent, agents
from neuroloop.view.curve import BLOCKS

Cli = Callable[..., Any]


def returns(path: object) -> list[float]:
    array: list[float] = checkpoint.read(Path(str(path))).arrays["returns"].tolist()
    return array


def test_a_run_ends_with_its_report(cli: Cli) -> None:
    done = cli("run", "cartpole", "--steps", 600, "--seed", 3)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("not solved: mean of 100 returns ")
    assert lines[0].endswith("criterion 475")
    told = {line.partition("  ")[0]: line.partition("  ")[2].strip() for line in lines[1:]}
    assert told["episodes"].endswith(", 600 environment steps in all")
    assert "environment steps/s" in told["speed"]
    assert "µs each" in told["speed"]
    assert "× real time" in told["speed"]
    assert told["a decision"].endswith(" spikes")
    assert any(block in told["returns"] for block in BLOCKS)
    assert Path(told["curve"]).read_bytes().startswith(b"\x89PNG")
    assert Agent.load(told["checkpoint"]).progress.steps == 600
    assert told["again"] == "neuroloop run cartpole --seed 3 --steps 600"
    assert "steps/s" in done.err


def test_a_run_that_is_solved_says_at_which_step_and_stops(cli: Cli) -> None:
    done = cli("run", "random", "--env", "CartPole-v1", "--set", "plant.criterion=15")
    solved = Agent.load(next(Path("recordings").rglob("*.zip"))).progress
    assert done.code == 0
    assert done.out.startswith(f"solved at step {solved.solved_at_step}: mean of 100 returns reached 15\n")
    assert solved.steps == solved.solved_at_step
    assert len(solved.returns) == 100


def test_keep_on_goes_on_after_it_is_solved(cli: Cli) -> None:
    command = (
        "run",
        "random",
        "--env",
        "CartPole-v1",
        "--set",
        "plant.criterion=15",
        "--keep-on",
        "--steps",
        5_000,
        "--json",
    )
    report = json.loads(cli(*command).out)
    assert report["steps"] == 5_000
    assert 1_000 < report["solved_at_step"] < 5_000


def test_json_is_one_line_on_stdout_and_everything_else_on_stderr(cli: Cli) -> None:
    done = cli("run", "cartpole", "--steps", 600, "--json")
    assert done.out.count("\n") == 1
    report = json.loads(done.out)
    expected: dict[str, Any] = {
        "agent": str, "env": str, "seed": int, "episodes": int, "steps": int, "solved_at_step": type(None),
        "mean_return_100": float, "spikes_per_tick": float, "us_per_tick_median": float, "wall_s": float,
    }  # fmt: skip
    assert {name: type(report[name]) for name in expected} == expected
    assert (report["agent"], report["env"], report["seed"], report["steps"]) == ("cartpole", "CartPole-v1", 0, 600)
    assert 0 < report["us_per_tick_median"] < 20_000
    assert 100 < report["spikes_per_tick"] < 10_000
    assert "not solved" in done.err


def test_real_time_is_left_out_where_the_environment_does_not_say_how_long_a_step_is(cli: Cli) -> None:
    done = cli("run", "mountain-car", "--steps", 600)
    assert "real time" not in done.out
    assert "held for 2 environment steps" in done.out
    report = json.loads(cli("run", "random", "--env", "Pendulum-v1", "--steps", 2_000, "--json").out)
    assert report["times_real_time"] == pytest.approx(0.05 * report["steps_per_s"])
    assert report["us_per_step"] == pytest.approx(1e6 / report["steps_per_s"])


def test_json_has_null_and_never_nan(cli: Cli) -> None:
    done = cli("run", "mountain-car", "--steps", 5, "--json")  # no episode ends
    assert done.code == 0
    assert "NaN" not in done.out
    report = json.loads(done.out)
    assert (report["episodes"], report["mean_return_100"], report["solved_at_step"], report["curve"]) == (
        0,
        None,
        None,
        None,
    )
    assert "pip install" not in done.err, "the picture is missing because no episode ended, not because of an extra"


@pytest.mark.parametrize(
    "arguments",
    [
        ("cartpole", "--seed", 5, "--steps", 700),
        ("cartpole", "--episodes", 12, "--set", "learner.gamma=0.9", "--set", "about=two words; and $HOME"),
        (
            "default",
            "--env",
            "FrozenLake-v1",
            "--seed",
            2,
            "--steps",
            2_500,
            "--set",
            "plant.arguments={is_slippery=false}",
        ),
        ("random", "--env", "CartPole-v1", "--set", "plant.criterion=15", "--keep-on", "--steps", 3_000),
    ],
)
def test_the_command_it_names_makes_the_same_run_again(cli: Cli, arguments: tuple[object, ...]) -> None:
    first = json.loads(cli("run", *arguments, "--json", "--save", "first.zip").out)
    words = shlex.split(first["command"])
    assert words[0] == "neuroloop"
    again = json.loads(cli(*words[1:], "--json", "--save", "again.zip").out)
    assert len(returns("first.zip")) > 5
    assert returns("first.zip") == returns("again.zip")
    same = (
        "agent",
        "env",
        "seed",
        "episodes",
        "steps",
        "solved_at_step",
        "mean_return_100",
        "spikes_per_tick",
    )
    assert [again[name] for name in same] == [first[name] for name in same]
    assert again["command"] == first["command"].replace("first.zip", "again.zip")


def test_a_resumed_run_equals_one_that_never_stopped(cli: Cli) -> None:
    start = ("run", "default", "--env", "FrozenLake-v1", "--seed", 4)
    cli(*start, "--steps", 3_000, "--save", "whole.zip")
    cli(*start, "--steps", 1_777, "--save", "half.zip")
    done = cli("run", "--resume", "half.zip", "--steps", 3_000, "--save", "resumed.zip", "--json")
    assert done.code == 0
    whole, resumed = checkpoint.read(Path("whole.zip")), checkpoint.read(Path("resumed.zip"))
    assert {name: a.tobytes() for name, a in whole.arrays.items()} == {
        name: a.tobytes() for name, a in resumed.arrays.items()
    }
    assert whole.facts == resumed.facts
    words = shlex.split(json.loads(done.out)["command"])
    cli(*words[1:], "--save", "again.zip")
    assert returns("again.zip") == returns("whole.zip")


def test_resuming_a_solved_run_does_nothing_more_unless_told_to_keep_on(cli: Cli) -> None:
    cli("run", "random", "--env", "CartPole-v1", "--set", "plant.criterion=15", "--save", "solved.zip")
    steps = Agent.load("solved.zip").progress.steps
    assert json.loads(cli("run", "random", "--resume", "solved.zip", "--json").out)["steps"] == steps
    on = cli("run", "random", "--resume", "solved.zip", "--json", "--keep-on", "--steps", steps + 50)
    assert json.loads(on.out)["steps"] == steps + 50


@pytest.mark.parametrize(("env", "most"), [("CartPole-v1", 400_000), ("Pendulum-v1", 200_000)])
def test_a_run_gives_up_later_where_there_is_something_to_reach(
    cli: Cli, env: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Agent, "learn", lambda self, total_steps, **_: asked.append(total_steps))
    settings = ("--set", "plant.max_steps=70")
    assert cli("run", "default", "--env", env).code == 0
    assert cli("run", "default", "--env", env, *settings).code == 0
    assert asked == [most, 70]


def test_a_resumed_run_times_its_own_ticks(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 5_000, "--save", "a.zip")
    report = json.loads(cli("run", "cartpole", "--resume", "a.zip", "--steps", 5_100, "--json").out)
    assert report["us_per_tick_median"] > 0.0


def test_an_agents_file_of_ones_own_runs_from_its_path(cli: Cli, folder: Path) -> None:
    path = folder / "some where" / "my agent.toml"
    path.parent.mkdir()
    path.write_text(agents()["cartpole"].read_text().replace("gamma = 0.99 ", "gamma = 0.95 "))
    report = json.loads(cli("run", path, "--steps", 500, "--json", "--save", "a.zip").out)
    assert report["agent"] == "my agent"
    cli(*shlex.split(report["command"])[1:], "--save", "b.zip")
    assert returns("a.zip") == returns("b.zip")
    assert cli("run", path, "--resume", "a.zip", "--steps", 600).code == 0


@pytest.mark.parametrize(
    "env", ["Acrobot-v1", "Pendulum-v1", "FrozenLake-v1", "Blackjack-v1", "Taxi-v4", "neuroloop/TwoCues-v0", "odd_world:Odd-v0"]
)  # fmt: skip
@pytest.mark.parametrize("agent", ["default", "random"])
def test_any_environment_will_do(cli: Cli, agent: str, env: str) -> None:
    done = cli("run", agent, "--env", env, "--steps", 2_200, "--json")
    report = json.loads(done.out)
    assert done.code == 0
    assert report["env"] == env
    assert report["steps"] >= 2_200
    assert report["episodes"] > 0


def test_the_observations_of_the_world_may_also_be_a_box_with_a_box_action(cli: Cli) -> None:
    assert cli("run", "default", "--env", "MountainCarContinuous-v0", "--steps", 500).code == 0


# Bad input: one line, the closest match, exit 2, and nothing left on the disk.


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("carpole",), "unknown agent 'carpole': did you mean 'cartpole'?"),
        (("mountaincar",), "did you mean 'mountain-car'?"),
        (
            ("zzz",),
            "known: arm-reaching, arm-tracking, braitenberg, cartpole, default, e-prop,",
        ),
        (("none.toml",), "none.toml: no such file"),
        (("x" * 5_000,), "unknown agent"),
        (("cartpole", "--env", "CartPol-v1"), "did you mean 'CartPole-v1'?"),
        (("default",), "name an environment with --env"),
        (("cartpole", "--set", "learner.gama=1"), "learner.gama: unknown key 'gama': did you mean 'gamma'?"),
        (("cartpole", "--set", "learner.gamma=2"), "learner.gamma: Expected `float` <= 1.0, got 2"),
        (("cartpole", "--set", "gamma"), "expected key=value"),
        (("cartpole", "--env", "Pendulum-v1"), "encoder.normalise.low: the observation has 3 dimensions, got 4"),
        (
            ("cartpole", "--set", "plant.arguments.wheels=4"),
            "plant.arguments.wheels: unknown argument of CartPole-v1 'wheels'",
        ),
        (("cartpole", "--seed", 10**20), "seed: must be from 0 to 2**53 - 1"),
        (("cartpole", "--resume", "none.zip"), "none.zip: no such file"),
        (("cartpole", "--resume", "odd_world.py"), "not a neuroloop checkpoint"),
        (("cartpole", "--save", "a.png"), "--save: the name of a checkpoint ends in .zip, got a.png"),
        ((), "AGENT: is missing"),
        (("cartpole", "--steps", 0), "--steps: must be at least 1, got 0"),
        (("cartpole", "--episodes", -1), "--episodes: must be at least 1, got -1"),
        (("cartpole", "--seed", -1), "seed: must be from 0 to 2**53 - 1, got -1"),
        (("cartpole", "--save", "odd_world.py/a.zip"), "cannot be written"),
        (("default", "--env", "CarRacing-v3"), "dimensions, more than 1024"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(cli: Cli, arguments: tuple[object, ...], says: str, folder: Path) -> None:
    if "CarRacing-v3" in arguments:
        pytest.importorskip("Box2D")
    done = cli("run", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("neuroloop: ")
    assert says in done.err
    assert [path.name for path in folder.rglob("*") if path.suffix in (".zip", ".png")] == []


@pytest.mark.parametrize("arguments", [("cartpole", "--stepps", 3), ("cartpole", "--steps", "many")])
def test_a_command_that_cannot_be_parsed_exits_with_2(cli: Cli, arguments: tuple[object, ...]) -> None:
    done = cli("run", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error" in done.err


def test_a_checkpoint_is_not_resumed_as_another_agent_nor_with_other_settings(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 50, "--save", "a.zip")
    assert (
        "holds the agent 'cartpole', not 'default'; leave the name out"
        in cli("run", "default", "--resume", "a.zip").err
    )
    for extra in (("--env", "CartPole-v1"), ("--set", "learner.gamma=0.9"), ("--seed", 3)):
        done = cli("run", "cartpole", "--resume", "a.zip", *extra)
        assert done.code == 2
        assert "keeps its settings, environment and seed" in done.err


def test_a_place_that_cannot_be_written_is_refused_before_the_work_is_done(cli: Cli) -> None:
    began = time.perf_counter()
    done = cli("run", "cartpole", "--steps", 10**7, "--keep-on", "--save", "odd_world.py/a.zip")
    assert done.code == 2
    assert time.perf_counter() - began < 30
