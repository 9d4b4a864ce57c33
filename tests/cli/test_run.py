"""`neuroloop run`, as a user meets it: the report, the interruptions, the errors, and what is left on the disk."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import pytest

from neuroloop import checkpoint
from neuroloop.agent import Agent, agents
from neuroloop.cli import main
from neuroloop.view.curve import BLOCKS


class Done(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Done]

WORLD = textwrap.dedent("""
    import sys, time
    import gymnasium
    import numpy as np

    class Odd(gymnasium.Env):
        \"\"\"Does what is asked at step `at`, counted over all episodes of 20 steps.\"\"\"

        observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
        action_space = gymnasium.spaces.Discrete(3)

        def __init__(self, at=-1, what="", doze=0.0):
            self.at, self.what, self.n = at, what, 0
            if doze:
                print("dozing", file=sys.stderr, flush=True)
                time.sleep(doze)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return self.np_random.uniform(-1, 1, 2).astype(np.float32), {}

        def step(self, action):
            self.n += 1
            observation, reward = self.np_random.uniform(-1, 1, 2).astype(np.float32), float(action == 1)
            if self.n == self.at:
                if self.what == "raise":
                    raise RuntimeError("the motor is on fire")
                if self.what == "sleep":
                    print("sleeping", file=sys.stderr, flush=True)
                    time.sleep(60)
                if self.what == "gap":
                    observation = np.array([0.0, np.nan], np.float32)
                if self.what == "shape":
                    observation = np.zeros(5, np.float32)
                if self.what == "reward":
                    reward = float("inf")
            return observation, reward, False, False, {}

    gymnasium.register(id="Odd-v0", entry_point="odd_world:Odd", max_episode_steps=20, disable_env_checker=True)
""")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, with a world in it."""
    (tmp_path / "odd_world.py").write_text(WORLD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sys.modules.pop("odd_world", None)
    gymnasium.registry.pop("Odd-v0", None)
    return tmp_path


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["neuroloop", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = 0 if ended.code is None else int(ended.code)
        return Done(code, *capsys.readouterr())

    return call


ODD = ("default", "--env", "odd_world:Odd-v0", "--set", "warm_up.decisions=5", "--set", "plant.action_repeat=1")


def odd(what: str, at: int) -> tuple[str, ...]:
    return (*ODD, "--set", f"plant.arguments.what={what}", "--set", f"plant.arguments.at={at}")


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
    assert told["episodes"].endswith(", 600 steps")
    assert "steps/s" in told["speed"]
    assert "× real time" in told["speed"]
    assert "spikes" in told["a tick"]
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
        "command",
    )
    assert [again[name] for name in same] == [first[name] for name in same]


def test_a_resumed_run_equals_one_that_never_stopped(cli: Cli) -> None:
    start = ("run", "default", "--env", "FrozenLake-v1", "--seed", 4)
    cli(*start, "--steps", 3_000, "--save", "whole.zip")
    cli(*start, "--steps", 1_777, "--save", "half.zip")
    done = cli("run", "default", "--resume", "half.zip", "--steps", 3_000, "--save", "resumed.zip", "--json")
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
        (("zzz",), "known: cartpole, default, mountain-car, pole, random"),
        (("none.toml",), "none.toml: no such file"),
        (("x" * 5_000,), "unknown agent"),
        (("cartpole", "--env", "CartPol-v1"), "did you mean 'CartPole-v1'?"),
        (("default",), "name an environment with --env"),
        (("cartpole", "--set", "learner.gama=1"), "learner.gama: unknown key 'gama': did you mean 'gamma'?"),
        (("cartpole", "--set", "learner.gamma=2"), "learner.gamma: Expected `float` <= 1.0, got 2"),
        (("cartpole", "--set", "gamma"), "expected key=value"),
        (("cartpole", "--env", "Pendulum-v1"), "encoder.normalise.low: the observation has 3 dimensions, got 4"),
        (("cartpole", "--set", "plant.arguments.wheels=4"), "does not take {'wheels': 4}"),
        (("cartpole", "--seed", 10**20), "seed: must be from 0 to 2**53 - 1"),
        (("cartpole", "--resume", "none.zip"), "none.zip: no such file"),
        (("cartpole", "--resume", "odd_world.py"), "not a neuroloop checkpoint"),
        (("cartpole", "--save", "a.png"), "--save: the name of a checkpoint ends in .zip"),
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


@pytest.mark.parametrize(
    "arguments", [(), ("cartpole", "--stepps", 3), ("cartpole", "--steps", 0), ("cartpole", "--seed", -1)]
)
def test_a_command_that_cannot_be_parsed_exits_with_2(cli: Cli, arguments: tuple[object, ...]) -> None:
    done = cli("run", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error" in done.err


def test_a_checkpoint_is_not_resumed_as_another_agent_nor_with_other_settings(cli: Cli) -> None:
    cli("run", "cartpole", "--steps", 50, "--save", "a.zip")
    assert "holds the agent 'cartpole', not 'default'" in cli("run", "default", "--resume", "a.zip").err
    for extra in (("--env", "CartPole-v1"), ("--set", "learner.gamma=0.9"), ("--seed", 3)):
        done = cli("run", "cartpole", "--resume", "a.zip", *extra)
        assert done.code == 2
        assert "keeps its settings, environment and seed" in done.err


def test_a_place_that_cannot_be_written_is_refused_before_the_work_is_done(cli: Cli) -> None:
    began = time.perf_counter()
    done = cli("run", "cartpole", "--steps", 10**7, "--keep-on", "--save", "odd_world.py/a.zip")
    assert done.code == 2
    assert time.perf_counter() - began < 30


# The plant fails: the checkpoint is written first, the error names the tick, exit 1.


@pytest.mark.parametrize(
    ("what", "says", "steps"),
    [
        ("gap", "observation[1] is nan; observations must be finite", 33),
        ("shape", "the observation has shape (5,), expected (2,)", 33),
        ("reward", "the reward is inf; rewards must be finite", 32),
    ],
)
def test_what_is_not_finite_or_does_not_fit_ends_the_run_with_a_checkpoint(
    cli: Cli, what: str, says: str, steps: int
) -> None:
    done = cli("run", *odd(what, 33), "--steps", 200, "--save", "a.zip")
    assert done.code == 1
    assert done.out == ""
    message = done.err.splitlines()[-1]
    assert message.startswith("neuroloop: tick ")
    assert says in message
    assert "saved in a.zip" in message
    facts = checkpoint.read(Path("a.zip")).facts
    assert facts["steps"] == steps


def test_an_environment_that_raises_ends_the_run_with_a_checkpoint_and_its_own_error(folder: Path) -> None:
    command = [sys.executable, "-m", "neuroloop", "run", *odd("raise", 33), "--steps", "200", "--save", "a.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "saved in a.zip" in done.stderr
    assert done.stderr.endswith("RuntimeError: the motor is on fire\n")
    assert checkpoint.read(Path("a.zip")).facts["steps"] == 32


# Signals, to a process of its own.


class Terminal:
    """A command whose stderr is a terminal."""

    def __init__(self, *arguments: object) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "neuroloop", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            self.shown += os.read(self._ours, 4096).decode(errors="replace")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def finish(self) -> Done:
        assert self.process.stdout is not None
        out = self.process.stdout.read().decode()
        code = self.process.wait(60)
        try:
            while more := os.read(self._ours, 4096):
                self.shown += more.decode(errors="replace")
        except OSError:  # what Linux says at the end of a terminal
            pass
        os.close(self._ours)
        return Done(code, out, self.shown)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_with_a_report_and_a_checkpoint_that_goes_on(number: int, code: int, cli: Cli) -> None:
    terminal = Terminal("run", "cartpole", "--steps", 10**8, "--keep-on", "--seed", 6, "--json", "--save", "a.zip")
    terminal.wait_for("mean of 100")
    time.sleep(0.3)
    terminal.send(number)
    done = terminal.finish()
    assert done.code == code
    report = json.loads(done.out)
    assert "stopped by you" in done.err
    assert "Traceback" not in done.err
    assert report["interrupted"] is True
    stopped = Agent.load("a.zip")
    assert stopped.progress.steps == report["steps"]
    words = shlex.split(report["command"])
    cli(*words[1:], "--save", "again.zip")
    again = Agent.load("again.zip")
    assert again.progress.steps == report["steps"]
    assert again.progress.returns == stopped.progress.returns
    stopped.learn(500)
    again.learn(500)
    assert again.progress.returns == stopped.progress.returns


def test_a_second_ctrl_c_stops_at_once_even_where_the_plant_hangs() -> None:
    terminal = Terminal("run", *odd("sleep", 33), "--steps", 10**6, "--save", "a.zip")
    terminal.wait_for("sleeping")
    time.sleep(0.2)
    terminal.send(signal.SIGINT)
    time.sleep(0.3)
    assert terminal.process.poll() is None
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    assert "stopped at once; everything up to there is saved in a.zip" in done.err
    assert "Traceback" not in done.err
    assert checkpoint.read(Path("a.zip")).facts["steps"] == 32


def test_ctrl_c_before_the_run_began_leaves_nothing_behind(folder: Path) -> None:
    terminal = Terminal("run", *ODD, "--set", "plant.arguments.doze=60.0", "--save", "a.zip")
    terminal.wait_for("dozing")
    time.sleep(0.2)
    terminal.send(signal.SIGINT)
    done = terminal.finish()
    assert done.code == 130
    assert "Traceback" not in done.err
    assert not (folder / "a.zip").exists()


def test_a_disk_that_fills_up_leaves_the_report_and_exit_1(folder: Path) -> None:
    code = textwrap.dedent("""
        import resource, sys
        from neuroloop.cli import main
        from neuroloop import agent
        before = agent.Agent.learn
        def learn(*arguments, **options):
            before(*arguments, **options)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        agent.Agent.learn = learn  # the disk fills up while it learns
        main()
    """)
    command = [sys.executable, "-c", code, "run", "cartpole", "--steps", "300", "--save", "a.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not solved" in done.stdout
    assert "nothing is saved: a.zip: cannot be written: File too large" in done.stderr
    assert list(folder.glob("*a.zip*")) == []
