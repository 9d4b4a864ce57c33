"""The other verbs: eval, agents, envs, info, bench; and the command by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neuroloop
from neuroloop.agent import Agent

Cli = Callable[..., Any]


@pytest.mark.parametrize("verb", ["run", "eval", "doctor", "bench", "agents", "envs", "info"])
def test_every_verb_explains_itself(cli: Cli, verb: str) -> None:
    assert verb in cli("--help").out
    for flag in ("-h", "--help"):
        done = cli(verb, flag)
        assert done.code == 0
        assert "Usage" in done.out


def test_an_unknown_verb_is_refused_with_the_closest_match(cli: Cli) -> None:
    done = cli("runn")
    assert done.code == 2
    assert "Did you mean 'run'?" in done.err


def test_the_command_is_installed_and_runs_as_a_module() -> None:
    for command in (["neuroloop"], [sys.executable, "-m", "neuroloop"]):
        path = Path(sys.executable).parent / command[0] if command == ["neuroloop"] else Path(command[0])
        if not path.exists():
            continue
        done = subprocess.run([str(path), *command[1:], "agents"], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "cartpole" in done.stdout


STARTING = """
import signal, sys
from neuroloop.__main__ import main
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[0]:
            signal.raise_signal(signal.SIGINT)
sys.argv = sys.argv[1:]
sys.meta_path.insert(0, CtrlC())
main()
"""


@pytest.mark.parametrize("where", ["typer", "neuroloop.errors", "neuroloop.cli.run", "numba", "neuroloop.agent"])
def test_ctrl_c_while_it_starts_is_one_line(where: str) -> None:
    command = [sys.executable, "-c", STARTING, where, "run", "random", "--env", "CartPole-v1", "--steps", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "neuroloop: interrupted\n")


def test_agents_lists_every_ready_made_agent_with_its_environment(cli: Cli) -> None:
    done = cli("agents")
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert rows.keys() == neuroloop.agents().keys()
    assert "CartPole-v1" in rows["cartpole"]
    assert " any " in rows["default"]
    report = json.loads(cli("agents", "--json").out)
    assert report.keys() == rows.keys()
    assert report["default"]["env"] is None
    assert Path(report["cartpole"]["file"]).is_file()


def test_envs_lists_what_is_installed_ours_first(cli: Cli) -> None:
    done = cli("envs")
    assert done.out.splitlines()[1].startswith("neuroloop/")
    assert "CartPole-v1" in done.out
    found = cli("envs", "cartpole").out
    assert "CartPole-v1" in found
    assert "MountainCar" not in found
    assert json.loads(cli("envs", "cartpole", "--json").out)["CartPole-v1"]["reward_threshold"] == 475.0


def test_the_version_is_told(cli: Cli) -> None:
    done = cli("--version")
    assert (done.code, done.out) == (0, f"neuroloop {neuroloop.__version__}\n")


def test_envs_that_match_nothing_are_an_empty_list(cli: Cli) -> None:
    done = cli("envs", "qqq")
    assert done.code == 0
    assert done.out == "no environment matches 'qqq': `neuroloop envs` lists what is installed\n"
    assert "did you mean 'CartPole-v" in cli("envs", "cartpol3").out
    assert "did you mean 'neuroloop/PoleBalance-v0'?" in cli("envs", "PoleBalanse").out
    assert json.loads(cli("envs", "qqq", "--json").out) == {}


def test_info_says_what_a_bug_report_needs(cli: Cli) -> None:
    done = cli("info")
    for word in ("python", "neuroloop", "numba", "machine", "cores", "extra plot", "kernels"):
        assert word in done.out
    report = json.loads(cli("info", "--json").out)
    assert report["neuroloop"] == neuroloop.__version__
    assert report["extra plot"] in (True, False)


def test_eval_scores_a_checkpoint_as_the_python_interface_does(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 2_000, "--seed", 5, "--save", "a.zip")
    report = json.loads(cli("eval", "a.zip", "--episodes", 4, "--json").out)
    returns = Agent.load("a.zip").evaluate(4)
    assert (report["agent"], report["env"], report["seed"], report["trained_steps"]) == (
        "cartpole",
        "CartPole-v1",
        5,
        2_000,
    )
    assert (report["mean_return"], report["min_return"], report["max_return"]) == (
        returns.mean(),
        returns.min(),
        returns.max(),
    )
    assert report["criterion"] == 475.0


def test_eval_leaves_the_checkpoint_as_it_was(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 500, "--save", "a.zip")
    before = Path("a.zip").read_bytes()
    assert cli("eval", "a.zip", "--episodes", 1).code == 0
    assert Path("a.zip").read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [("cartpole",), ("random", "--env", "CartPole-v1"), ("default", "--env", "Taxi-v4")]
)
def test_eval_scores_an_agent_before_it_learnt(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("eval", *arguments, "--episodes", 3)
    assert done.code == 0
    assert "0 steps of training, 3 episodes:" in done.out
    assert "return " in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("carpole",), "did you mean 'cartpole'?"),
        (("none.zip",), "none.zip: no such file"),
        (("notes",), "not a neuroloop checkpoint"),
        (("a.zip", "--set", "learner.gamma=0.9"), "a checkpoint keeps its own"),
        (("cartpole", "--episodes", 0), "--episodes: must be at least 1, got 0"),
        (("cartpole", "--longest", 0), "--longest: must be at least 1, got 0"),
    ],
)
def test_eval_refuses_bad_input_in_one_line(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    Path("notes").write_text("dear diary")
    done = cli("eval", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert says in done.err


def test_eval_scores_a_checkpoint_on_another_environment_of_the_same_spaces(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 500, "--save", "a.zip")
    with pytest.warns(UserWarning, match="was trained on CartPole-v1, goes on on CartPole-v0"):
        report = json.loads(cli("eval", "a.zip", "--env", "CartPole-v0", "--episodes", 2, "--json").out)
    assert (report["env"], report["trained_steps"], report["criterion"]) == ("CartPole-v0", 500, 195.0)
    done = cli("eval", "a.zip", "--env", "Acrobot-v1")
    assert (done.code, done.out) == (2, "")
    assert "was trained on CartPole-v1, not on Acrobot-v1: its observation_space was Box(" in done.err


def test_a_reader_that_leaves_early_is_no_error_to_shout_about() -> None:
    command = f"{sys.executable} -m neuroloop envs | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("environment")
    assert "Traceback" not in done.stderr
