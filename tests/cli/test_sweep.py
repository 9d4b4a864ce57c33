"""`neuroloop sweep`: its report, its files, and that no signal loses what was done."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neuroloop.agent import load_agent, read_config
from neuroloop.evaluation.crew import DIED

Cli = Callable[..., Any]
ROOT = Path(__file__).parent.parent.parent
STUDY = """
agent = "cartpole"
trials = 5
seeds = 1
first_seed = 3
sampler = "random"

[objective]
kind = "final"

[env.CartPole-v1]
steps = {steps}

[search]
learner.gamma = {{ low = 0.9, high = 0.99 }}
learner.error = {{ choices = ["raw", "normalised"] }}
projection.policy.plasticity.gain = {{ low = 0.1, high = 2.0, log = true }}
"""


def write_study(steps: int = 600, name: str = "study.toml") -> None:
    Path(name).write_text(STUDY.format(steps=steps))


def test_a_sweep_reports_its_best_settings_as_options_as_a_file_and_as_a_picture(cli: Cli) -> None:
    write_study()
    done = cli("sweep", "study.toml", "--jobs", 2, "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert [report[key] for key in ("complete", "failed", "pruned", "unfinished", "trials")] == [5, 0, 0, 0, 5]
    assert (report["storage"], report["file"], report["figure"]) == ("study.trials", "study.best.toml", "study.png")
    assert Path("study.png").read_bytes().startswith(b"\x89PNG")
    best = report["best"][0]
    assert best["value"] == max(trial["value"] for trial in report["best"])
    _, agent = read_config("study.best.toml")
    assert agent == read_config("cartpole", best["settings"])[1]
    for file in ("study.best.toml", "cartpole"):
        with load_agent(file, seed=3, overrides=best["settings"]) as again:
            assert again.learn(600).mean_return == best["value"]
    assert "note        seed 3 was tuned on: report the settings found on others" in done.err
    assert f"--set {best['settings'][0]}" in done.err


def test_the_same_command_again_reports_the_same_and_runs_nothing(cli: Cli) -> None:
    write_study()
    first = cli("sweep", "study.toml", "--json")
    (line,) = {line for line in first.err.splitlines() if line.startswith("trial 4:")}
    again = cli("sweep", "study.toml", "--json")
    assert again.out == first.out
    assert line not in again.err
    Path("study.toml").write_text(Path("study.toml").read_text().replace("trials = 5", "trials = 6"))
    more = cli("sweep", "study.toml", "--json")
    assert json.loads(more.out)["complete"] == 6
    assert [line for line in more.err.splitlines() if line.startswith("trial ") and ":" in line[:9]] != []


def command(*words: object) -> tuple[list[str], dict[str, str]]:
    path = os.pathsep.join([*(str(ROOT / part) for part in ("", "envs", "agents")), os.environ["PYTHONPATH"]])
    return [sys.executable, "-m", "neuroloop", *map(str, words)], os.environ | {"PYTHONPATH": path}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_loses_nothing_and_the_same_command_goes_on(number: int, code: int) -> None:
    write_study(8000)
    write_study(8000, "straight.toml")
    words, environment = command("sweep", "study.toml", "--jobs", 2, "--json")
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    assert process.stdout is not None
    shown = process.stderr.readline()
    assert shown.startswith("trial ")
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert "stopped by you; the same command goes on" in err
        assert json.loads(out)["interrupted"] is True
        assert json.loads(out)["unfinished"] > 0
    assert "Traceback" not in err
    reports = []
    for name in ("study.toml", "straight.toml"):
        words, environment = command("sweep", name, "--json")
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        reports.append(json.loads(done.stdout))
        if name == "study.toml":
            assert done.stderr.startswith("taking up ")
    assert [(t["trial"], t["value"]) for t in reports[0]["best"]] == [
        (t["trial"], t["value"]) for t in reports[1]["best"]
    ]
    assert reports[0]["unfinished"] == 0
    lines = [json.loads(line) for line in Path("study.trials").read_text().splitlines()]
    runs = [(line["trial_id"], *line["user_attr"]) for line in lines if line["op_code"] == 8]
    assert len(runs) == len(set(runs)) == 5


def test_failed_trials_are_reported_and_nothing_but_failures_is_exit_1(cli: Cli) -> None:
    write_study(3)
    done = cli("sweep", "study.toml", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert (report["failed"], report["best"], report["file"], report["figure"]) == (5, [], None, None)
    assert report["failures"]["4"] == "CartPole-v1 seed 3: no episode ended within 3 steps"
    assert done.err.splitlines()[-1] == "neuroloop: no trial ended with a value"


def test_a_world_that_breaks_fails_its_trials_with_its_own_error(cli: Cli) -> None:
    Path("odd.toml").write_text("""
        agent = "random"
        trials = 3
        seeds = 1
        sampler = "quasi-random"
        objective.kind = "final"
        env."odd_world:Odd-v0".steps = 60
        search.plant.arguments = { choices = [{}, { what = "raise", at = 50 }] }
    """)
    report = json.loads(cli("sweep", "odd.toml", "--json").out)
    assert report["complete"] + report["failed"] == 3
    assert set(report["failures"].values()) == {"odd_world:Odd-v0 seed 0: RuntimeError: the motor is on fire"}


DEADLY = """
    agent = "random"
    seeds = 2
    sampler = "grid"
    objective.kind = "final"
    env."odd_world:Odd-v0".steps = 60
    search.plant.arguments = {{ choices = [{{}}, {{ what = "{what}", at = 50 }}, {{ at = 7 }}] }}
"""


def write_deadly(what: str) -> None:
    Path("deadly.toml").write_text(DEADLY.format(what=what))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_kills_its_process_twice_is_a_failed_trial_and_the_sweep_goes_on(cli: Cli, jobs: int) -> None:
    write_deadly("die")
    done = cli("sweep", "deadly.toml", "--jobs", jobs, "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert (report["complete"], report["failed"], report["unfinished"]) == (2, 1, 0)
    seed = re.fullmatch(r"odd_world:Odd-v0 seed ([01]): .*", report["failures"]["1"])
    assert seed is not None
    assert seed[1] == "0" or jobs > 1  # side by side, either of them may be the first that died twice
    assert report["failures"] == {"1": f"odd_world:Odd-v0 seed {seed[1]}: {DIED}"}
    assert f"trial 1: odd_world:Odd-v0 seed {seed[1]}: a process died while it ran; it runs again, alone" in done.err
    assert "2 complete, 1 failed, of 3 trials" in done.err
    assert f"failed      trial 1: odd_world:Odd-v0 seed {seed[1]}: {DIED}" in done.err
    assert cli("sweep", "deadly.toml", "--json").out == done.out


def test_a_process_that_dies_once_is_forgiven(cli: Cli) -> None:
    write_deadly("die once")
    report = json.loads(cli("sweep", "deadly.toml", "--json").out)
    assert (report["complete"], report["failed"]) == (3, 0)


def test_a_sweep_killed_while_a_deadly_run_is_tried_again_goes_on() -> None:
    write_deadly("die")
    words, environment = command("sweep", "deadly.toml", "--json")
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "runs again, alone" not in process.stderr.readline():
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=60)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert (report["complete"], report["failed"], report["unfinished"]) == (2, 1, 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere.toml",), "nowhere.toml: cannot be read: No such file or directory"),
        (("study.toml", "--cluster", "here"), "--cluster 'here': expected tcp://HOST:PORT"),
        (("study.toml", "--cluster", "tcp://127.0.0.1:1"), "cannot be reached: Connection refused"),
        (("study.toml", "--storage", "/dev/null/x"), "/dev/null/x: cannot be written: "),
        (("study.toml", "--storage", "study.toml"), "study.toml: is not the storage file of a sweep"),
        (("study.toml", "--jobs", "0"), "--jobs"),
    ],
)
def test_bad_input_is_exit_2(cli: Cli, words: tuple[str, ...], says: str) -> None:
    write_study()
    done = cli("sweep", *words)
    assert done.code == 2
    assert done.out == ""
    assert says in done.err
    assert tomllib.loads(Path("study.toml").read_text())["trials"] == 5


def test_without_optuna_the_extra_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study()
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = cli("sweep", "study.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == 'neuroloop: neuroloop sweep needs the "sweep" extra: pip install "neuroloop[sweep]"\n'


def test_without_matplotlib_there_is_no_picture(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = cli("sweep", "study.toml")
    assert done.code == 0
    assert "figure      –" in done.out
