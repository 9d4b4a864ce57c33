"""Suites as TOML files: those that come with neuroloop, and what is refused in one of yours."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroloop.errors import BadInput, ConfigError, MissingExtra
from neuroloop.evaluation.runs import run
from neuroloop.evaluation.suite import bundles_of, groups_of, measured, plan_of
from neuroloop.evaluation.task import Task, Tasks, plant_of, read_tasks, suites

SUITE = """
about = "mine"
[task.pole]
env = "CartPole-v1"
agents = ["default", "cartpole"]
limit = 3000
"""


def mine(text: str) -> str:
    Path("mine.toml").write_text(text)
    return "mine.toml"


def test_the_suites_that_come_with_neuroloop_are_whole() -> None:
    assert suites().keys() == {"classic", "control", "bullet"}
    for name in suites():
        stem, tasks = read_tasks(name)
        assert stem == name
        assert tasks.quick
        for task in tasks.task.values():
            assert task.limit >= (task.area or 0) >= (task.target.worst or 0)
            assert task.target.worst is None or task.target.worst > (task.target.median or 0)


def test_criteria_are_the_environments_own_unless_they_name_none() -> None:
    tasks = read_tasks("classic")[1].task
    assert {name: task.criterion for name, task in tasks.items() if task.criterion is not None} == {"pendulum": -200.0}
    criteria = {name: plant_of(task).criterion for name, task in tasks.items() if name != "lunar_lander"}
    assert criteria == {
        "cartpole": 475.0, "mountain_car": -110.0, "mountain_car_continuous": 90.0, "acrobot": -100.0, "pendulum": -200.0,
    }  # fmt: skip


def test_a_suite_of_your_own_is_a_file() -> None:
    name, tasks = read_tasks(mine(SUITE))
    assert (name, tasks.about, list(tasks.task)) == ("mine", "mine", ["pole"])
    assert tasks.task["pole"] == Task(env="CartPole-v1", agents=("default", "cartpole"), limit=3000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[task.pole]\nlimit = 3", "task.pole.env: is missing"),
        ('[task.pole]\nenv = "CartPole-v1"\nlimt = 3', "task.pole.limt: unknown key 'limt': did you mean 'limit'?"),
        ('[task.pole]\nenv = "CartPole-v1"\nlimit = 0', "task.pole.limit: Expected `int` >= 1, got 0"),
        (
            '[task.pole]\nenv = "CartPole-v1"\ntarget = { solved = 2 }',
            "task.pole.target.solved: Expected `float` <= 1.0",
        ),
        ('[task.pole]\nenv = "CartPole-v1"\nagents = []', "task.pole.agents: is empty"),
        ('[task."Pole 1"]\nenv = "CartPole-v1"', "task.Pole 1: a name is made of a-z, 0-9 and _"),
        ("task = {}", "task: is empty"),
        ("", "task: is missing"),
        ('quick = ["pol"]\n[task.pole]\nenv = "CartPole-v1"', "quick: unknown task 'pol': did you mean 'pole'?"),
        ("task = [", "not a TOML file"),
        ("\x00", "not a TOML file"),
    ],
)
def test_a_suite_that_is_wrong_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_tasks(mine(text))
    assert str(caught.value).startswith("mine.toml: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("suite", "says"),
    [
        ("clasic", "unknown suite 'clasic': did you mean 'classic'?"),
        ("engin", "did you mean 'engine'?"),
        ("none.toml", "none.toml: cannot be read: No such file"),
    ],
)
def test_a_suite_that_is_not_there_is_refused(suite: str, says: str) -> None:
    with pytest.raises(BadInput, match=says.replace("?", r"\?")):
        read_tasks(suite)


def test_what_an_environment_lacks_is_said_before_work_begins() -> None:
    with pytest.raises(BadInput, match=r"names no criterion of its own; give the task one, as in `criterion = 100.0`"):
        plant_of(Task(env="Pendulum-v1"))
    with pytest.raises(BadInput, match="did you mean 'CartPole-v1'"):
        plant_of(Task(env="CartPol-v1"))
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[baselines\]"'):
        plant_of(Task(env="no_such_module:Reacher-v0", extra="baselines"))
    with pytest.raises(BadInput, match="unknown argument of CartPole-v1 'wheels'"):
        plant_of(Task(env="CartPole-v1", arguments={"wheels": 3}))


def planned(tasks: Tasks, *names: str, quick: bool = False, agents: tuple[str, ...] = ()) -> list[tuple[str, str, int]]:
    plan = plan_of("mine", tasks, names, range(10, 13), quick, agents, 0)
    return [(job.task, job.agent, job.seed) for bundle in bundles_of(plan) for job in bundle.jobs]


def test_every_agent_runs_every_seed_beside_one_random_policy() -> None:
    tasks = read_tasks(mine(SUITE))[1]
    assert planned(tasks) == [
        ("pole", "random", 0),
        *(("pole", agent, seed) for agent in ("default", "cartpole") for seed in (10, 11, 12)),
    ]
    assert planned(tasks, quick=True) == [("pole", "random", 0), *(("pole", "default", seed) for seed in (10, 11, 12))]
    assert {agent for _, agent, _ in planned(tasks, agents=("cartpole", "random"))} == {"cartpole", "random"}


@pytest.mark.parametrize("quick", [False, True])
def test_baselines_have_as_many_seeds_as_asked_for(quick: bool) -> None:
    pytest.importorskip("stable_baselines3")
    plan = plan_of("mine", read_tasks(mine(SUITE))[1], (), range(10, 11), quick, (), 3)
    seeds = [[job.seed for job in bundle.jobs] for bundle in bundles_of(plan) if bundle.baseline]
    assert seeds
    assert all(found == [10, 11, 12] for found in seeds)


def test_the_same_seed_of_a_longer_study_is_the_same_run() -> None:
    tasks = read_tasks(mine(SUITE))[1]
    few, many = (
        {job.key for bundle in bundles_of(plan_of("mine", tasks, (), seeds, False, (), 0)) for job in bundle.jobs}
        for seeds in (range(10, 12), range(10, 20))
    )
    assert few < many


def test_unknown_names_and_agents_that_do_not_fit_are_refused() -> None:
    tasks = read_tasks(mine(SUITE))[1]
    with pytest.raises(BadInput, match="unknown task 'pol': did you mean 'pole'"):
        planned(tasks, "pol")
    with pytest.raises(BadInput, match="unknown agent 'carpole'"):
        planned(tasks, agents=("carpole",))
    with pytest.raises(BadInput, match=r"task 'pole', agent 'mountain-car': encoder\.normalise"):
        planned(tasks, agents=("mountain-car",))
    Path("cartpole.toml").write_text('kind = "random"\n')
    with pytest.raises(BadInput, match="task 'pole': two agents are called 'cartpole'"):
        planned(tasks, agents=("cartpole", "cartpole.toml"))


def test_a_suite_measured_has_figures_for_every_agent_and_a_row_for_every_run() -> None:
    tasks = read_tasks(mine(SUITE.replace("limit = 3000", "limit = 300")))[1]
    plan = plan_of("mine", tasks, (), range(10, 12), False, (), 0)
    bundles = bundles_of(plan)
    rows = {job.key: run(job) for bundle in bundles for job in bundle.jobs}
    suite = measured(plan, groups_of(plan, bundles, rows))
    figures = {figure.name: figure for figure in suite.figures}
    assert figures["pole_solved_fraction"].value == figures["cartpole.pole_solved_fraction"].value == 0.0
    assert figures["pole_random_mean"].value == pytest.approx(22.0, abs=6.0)
    assert [(row["agent"], row["seed"]) for row in suite.rows] == [
        (agent, seed) for agent in ("default", "cartpole") for seed in (10, 11)
    ]
    assert all("curve" not in row for row in suite.rows)


def test_a_world_of_your_own_that_changed_makes_other_runs(folder: Path) -> None:
    tasks = read_tasks(mine('[task.bad]\nenv = "bad_world:Bad-v0"\nlimit = 300'))[1]

    def keys() -> set[str]:
        plan = plan_of("mine", tasks, (), range(2), False, ("random",), 0)
        return {job.key for bundle in bundles_of(plan) for job in bundle.jobs}

    before = keys()
    assert keys() == before
    with (folder / "bad_world.py").open("a") as file:
        file.write("# another thought\n")
    assert keys().isdisjoint(before)
