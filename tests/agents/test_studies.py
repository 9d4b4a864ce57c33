"""Studies measure what their pages say, in one manner, and baselines do what they are for."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import gymnasium
import neuroloop_agents
import neuroloop_envs
import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_agents.studies import _study, arm, obstacle_avoidance, quadruped_walk, target_tracking
from neuroloop_agents.studies._episodes import Noted, episode, frozen
from neuroloop_agents.studies._study import Study
from neuroloop_agents.studies.corridor_drivers import ANGLES, field, gap
from neuroloop_agents.studies.pan_tilt_control import Controller, Gains
from neuroloop_agents.studies.walking_sines import STANDING, STEERED, action, sines

import neuroloop
from neuroloop.agent import agents

FOLDER = Path(_study.__file__).parent
STUDIES = {study.name: study for study in (m.STUDY for m in (arm, obstacle_avoidance, quadruped_walk, target_tracking))}
FEWER = {  # than with --quick
    "arm": ["--evaluated", "1"],
    "obstacle-avoidance": ["--steps", "200", "--longest", "50"],
    "quadruped-walk": ["--steps", "50", "--longest", "25"],
    "target-tracking": ["--steps", "50", "--longest", "25"],
}


class Size(NamedTuple):
    """Of the study below."""

    steps: int


def measured(subject: str, seed: int, size: Size) -> tuple[str, int, int]:
    """Itself."""
    return subject, seed, size.steps


def told(found: dict[str, list[tuple[str, int, int]]], seeds: range, size: Size) -> list[str]:
    """All of it."""
    return [f"{subject}: {results}, {list(seeds)}, {size.steps}" for subject, results in found.items()]


PLAIN = Study("plain", "What a plain study is.\n\nMore.", ("first", "last"), measured, told, Size(1000), Size(10))


@pytest.mark.parametrize("name", STUDIES)
def test_a_quick_study_writes_a_page_with_a_row_for_everybody(name: str, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "page.md"
    _study.main(STUDIES[name], ["--quick", *FEWER[name], "--write", str(file)])
    page = file.read_text(encoding="utf-8")
    lines = page.splitlines()
    assert lines[0] == f"# {name}"
    assert f"`{STUDIES[name].command} --quick" in page
    assert "is no measurement" in page
    assert "nan" not in page
    assert page in capsys.readouterr().out
    firsts = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    for subject in STUDIES[name].subjects:
        who = subject[1] if isinstance(subject, tuple) else subject
        assert any(who in first for first in firsts), who


def test_every_study_is_a_module_that_runs_by_its_name() -> None:
    for name, study in STUDIES.items():
        module = import_module(study.command.removeprefix("python -m "))
        assert module.STUDY is study
        assert (FOLDER / f"{name.replace('-', '_')}.py").is_file()


def test_the_page_says_how_it_was_made_and_by_which_seeds(capsys: Any) -> None:
    _study.main(PLAIN, ["--first-seed", "10500", "--seeds", "2"])
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[:5] == [
        "# plain",
        "",
        "What a plain study is.",
        "",
        "`python -m neuroloop_agents.studies.plain --first-seed 10500 --seeds 2`",
    ]
    assert "Seeds 10500 to 10501, none of them used for tuning." in lines
    assert "first: [('first', 10500, 1000), ('first', 10501, 1000)], [10500, 10501], 1000" in lines
    assert said.err.splitlines()[-1] == "4 of 4: first, seed 10501"


def test_seeds_that_were_tuned_on_are_told() -> None:
    assert "**Not fresh**" in page_of(["--first-seed", "5999", "--seeds", "2"])


def test_sizes_are_options_and_quick_ones_are_small() -> None:
    assert "1000)" in page_of([])
    assert page_of(["--quick"]).count("10)") == 2  # of one seed, not five
    assert "7)" in page_of(["--steps", "7", "--quick"])


def page_of(arguments: list[str]) -> str:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        _study.main(PLAIN, arguments)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], "argument --seeds: must be a whole number from 1, got '0'"),
        (["--jobs", "many"], "argument --jobs: must be a whole number from 1, got 'many'"),
        (["--steps", "-3"], "argument --steps"),
        (["--write", "nowhere/page.md"], "--write: no folder nowhere"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(arguments: list[str], message: str) -> None:
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit):
        _study.main(PLAIN, arguments)
    assert message in said.getvalue()
    assert " of 10: " not in said.getvalue()


def test_other_processes_give_the_same_page(tmp_path: Path, capsys: Any) -> None:
    folders = [
        str(Path(module.__file__ or "").parent.parent) for module in (neuroloop, neuroloop_agents, neuroloop_envs)
    ]
    arguments = ["--quick", *FEWER["quadruped-walk"], "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "neuroloop_agents.studies.quadruped_walk", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _study.main(quadruped_walk.STUDY, [*arguments[:-1], "1"])
    assert rows_of(done.stdout) == rows_of(capsys.readouterr().out)


def rows_of(page: str) -> list[str]:
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 7
    return rows


class Counting(gymnasium.Env[int, int]):
    """Says which step it is."""

    observation_space = gymnasium.spaces.Discrete(100)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        self.n = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.n += 1
        return self.n, 1.0, self.n == 3, False, {"n": self.n, "action": action}


def test_notes_are_kept_of_episodes_that_came_to_their_end() -> None:
    env = Noted(Counting(), lambda info: info["n"])
    for _ in range(2):
        assert len(list(episode(env, lambda observation: 0, seed=0))) == 3
    env.reset()
    env.step(0)
    env.reset()
    assert env.ended == [[1, 2, 3], [1, 2, 3]]


def test_an_episode_yields_rewards_its_end_and_infos() -> None:
    steps = list(episode(Counting(), lambda observation: observation, seed=0))
    assert [step.reward for step in steps] == [1.0, 1.0, 1.0]
    assert [step.terminated for step in steps] == [False, False, True]
    assert [step.info["action"] for step in steps] == [0, 1, 2]


def test_a_frozen_agent_begins_anew_each_episode_and_holds_its_actions() -> None:
    states: list[Any] = []

    def predict(observation: int, state: int | None) -> tuple[int, int]:
        states.append(state)
        return observation, len(states)

    config = SimpleNamespace(plant=SimpleNamespace(action_repeat=2))
    agent: Any = SimpleNamespace(predict=predict, config=config)
    acts = [[step.info["action"] for step in episode(Counting(), frozen(agent), seed=0)] for _ in range(2)]
    assert acts == [[0, 0, 2], [0, 0, 2]]
    assert states == [None, 1, None, 3]


def seen(ranges: np.ndarray, heading: float = 0.0) -> np.ndarray:
    return np.array([*ranges, 0.0, 0.0, heading], np.float32)


@pytest.mark.parametrize("driver", [gap, field])
def test_drivers_turn_from_what_is_near_and_back_to_the_corridor(driver: Any) -> None:
    right, left = np.where(ANGLES < 0.1, 0.6, 5.0), np.where(ANGLES > -0.1, 0.6, 5.0)
    assert driver(seen(right))[1] > 0.1
    assert driver(seen(left))[1] < -0.1
    assert driver(seen(np.full(9, 5.0), heading=0.5))[1] < 0.0
    assert driver(seen(np.full(9, 5.0)))[0] == 1.0
    assert driver(seen(np.full(9, 0.2)))[0] < 0.0


def test_a_controller_integrates_while_it_is_not_saturated() -> None:
    error = np.array([0.1, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], np.float32)
    act = Controller(Gains(2.0, i=1.0))
    first, *_, last = (act(error) for _ in range(51))
    assert first == pytest.approx([0.2, 1.0])
    assert last == pytest.approx([0.2 + 50 * 0.02 * 0.1, 1.0])
    act(-error)
    assert act(np.zeros(9, np.float32))[1] == 0.0  # nothing was summed up that it could not act on


def test_sines_steer_back_by_longer_strides_on_one_side() -> None:
    times = np.arange(0.0, 1.0, 0.01)
    right, left = (np.ptp([action(STEERED, t, 0.3)[joint] for t in times]) for joint in (1, 4))
    assert right / left == pytest.approx((1 - 0.3 * STEERED.steering) / (1 + 0.3 * STEERED.steering), rel=0.01)
    assert (sines(STANDING)(np.zeros(50, np.float32)) == 0.0).all()


def test_collisions_and_metres_are_summed_over_drives() -> None:
    drive = obstacle_avoidance.Drive
    row = obstacle_avoidance.row("x", [[drive(10.0, True, 200), drive(20.0, False, 400)], [drive(0.0, True, 100)]])
    assert row == ["x", "7.5 (0.0 to 15.0)", "2 of 3", "15.0", "0.86"]
    assert obstacle_avoidance.row("x", [[drive(-0.2, False, 10)]])[3] == "none in 0"


def test_tracking_errors_are_told_before_and_with_the_payload() -> None:
    episodes = np.concatenate([np.full((2, 1000), 0.003), np.full((2, 1000), 0.004)], axis=1)
    assert arm.rms(episodes) == pytest.approx((3.0, 4.0))
    assert arm.final(episodes) == pytest.approx(4.0)


def test_parts_of_learning_end_where_it_ended() -> None:
    seen = [arm.Seen(np.zeros((7, 600)), np.zeros((1, 600)))]
    found = arm.parts("default", seen, (1, 5, 20, 50))
    assert {name.rpartition(", ")[2]: one[0].shape[0] for name, one in found.items()} == {
        "episode 1": 1, "episodes 2 to 5": 4, "episodes 6 to 7": 2, "not learning": 1
    }  # fmt: skip


def test_a_walk_that_covers_nothing_is_no_negative_one() -> None:
    walk = quadruped_walk.Walk(-1.0, -0.01, 0.2, True)
    assert quadruped_walk.row("x", [walk, walk]) == ["x", "0.0", "0.0, 0.0", "0.2", "-1", "2 of 2"]


def test_studies_are_no_agents() -> None:
    assert all(path.parent == FOLDER.parent for path in agents().values())
    assert "arm" not in agents()
