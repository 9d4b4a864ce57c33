"""A suite of tasks measured: every run that it needs, in one list; and the groups that figures are made of."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..agent import Agent, read_config
from ..config import to_toml
from ..errors import BadInput, MissingExtra, unknown
from ..settings import AgentConfig, PlantConfig, RandomConfig
from .figures import Figure, Suite
from .made_with import made_with
from .quiet import stdout_to_stderr
from .runs import Job
from .scores import Group, aggregates, comparisons, figures_of
from .task import Target, Task, Tasks, plant_of

HOLD = 500  # episodes after a task was solved
RANDOM_EPISODES = 100
QUICK_LIMIT = 100_000  # environment steps
SEEDS, QUICK_SEEDS = 5, 2  # unless the user says how many
BASELINE_SEEDS, QUICK_BASELINE_SEEDS = 3, 1
SLOWER = {"ppo": 10.0, "a2c": 10.0, "dqn": 40.0, "sac": 100.0}  # than ours, roughly, step by step


class Plan(NamedTuple):
    """What is to be measured."""

    suite: str
    tasks: Mapping[str, Task]
    seeds: range
    hold: int
    agents: Sequence[str] = ()  # instead of the tasks' own
    baseline_seeds: int = 0
    fewer_steps_than_baselines: int | None = None


class Bundle(NamedTuple):
    """The runs of an agent on a task, before they are done."""

    task: str
    agent: str
    plant: PlantConfig
    target: Target
    jobs: list[Job]
    main: bool = False
    baseline: bool = False
    config: AgentConfig | None = None  # of ours

    @property
    def random(self) -> bool:
        """Whether this is the random policy beside which all others stand."""
        return self.jobs[0].episodes is not None


def plan_of(
    suite: str, tasks: Tasks, names: Sequence[str], seeds: range, quick: bool, agents: Sequence[str], baselines: int
) -> Plan:
    """The plan for the tasks that are named, or for all. Raises `BadInput` for unknown names."""
    for name in names:
        if name not in tasks.task:
            raise BadInput(unknown("task", name, tasks.task))
    chosen = {name: tasks.task[name] for name in names or (quick and tasks.quick) or tasks.task}
    target = tasks.fewer_steps_than_baselines
    if not quick:
        return Plan(suite, chosen, seeds, HOLD, agents, baselines, target)
    short = {
        name: msgspec.structs.replace(
            task,
            limit=min(task.limit, QUICK_LIMIT),
            area=min(task.area or task.limit, QUICK_LIMIT),
            agents=task.agents[:1],
        )
        for name, task in chosen.items()
    }
    return Plan(suite, short, seeds, 0, agents, baselines, target)


def baseline_seeds(plan: Plan) -> range:
    """Seeds of the baselines: they begin with ours, and may be fewer or more."""
    return range(plan.seeds.start, plan.seeds.start + plan.baseline_seeds)


def bundles_of(plan: Plan) -> list[Bundle]:
    """Every run that a plan needs. Raises `BadInput` for agents, environments or extras that are not there."""
    bundles = []
    for name, task in plan.tasks.items():
        plant = plant_of(task)
        bundles.append(_random(plan, name, task, plant))
        ours = [_ours(plan, name, task, plant, agent) for agent in dict.fromkeys(plan.agents or task.agents)]
        _refuse_twins(name, [bundle.agent for bundle in ours])
        bundles += ours
        if plan.baseline_seeds:
            bundles += [_baseline(plan, name, task, plant, algorithm) for algorithm in _algorithms(plant.env)]
    return bundles


def groups_of(plan: Plan, bundles: Sequence[Bundle], rows: Mapping[str, dict[str, Any]]) -> list[Group]:
    """Bundles with the rows of their runs, which are found by the jobs' keys."""
    random = {bundle.task: rows[bundle.jobs[0].key]["final_mean"] for bundle in bundles if bundle.random}
    return [
        Group(
            bundle.task, bundle.agent, bundle.plant.env, float(bundle.plant.criterion or 0.0), bundle.jobs[0].limit,
            bundle.jobs[0].hold, [rows[job.key] for job in bundle.jobs], random[bundle.task], bundle.main,
            bundle.baseline, bundle.target, bundle.config,
        )
        for bundle in bundles
        if not bundle.random
    ]  # fmt: skip


def measured(plan: Plan, groups: Sequence[Group]) -> Suite:
    """All figures and all runs; curves stay out of the rows."""
    figures: list[Figure] = []
    for group in groups:
        figures += figures_of(group)
    figures += comparisons(groups, plan.fewer_steps_than_baselines) + aggregates(groups)
    rows = [{k: v for k, v in row.items() if k != "curve"} for group in groups for row in group.rows]
    return Suite(plan.suite, figures, rows)


def _ours(plan: Plan, name: str, task: Task, plant: PlantConfig, agent: str) -> Bundle:
    found, config = read_config(agent, env=task.env)
    config = msgspec.structs.replace(config, plant=_put(plant, config.plant))
    try:
        with stdout_to_stderr():
            Agent(config).close()
    except BadInput as error:
        raise BadInput(f"task {name!r}, agent {found!r}: {error}") from None
    area, depends = task.area or task.limit, made_with(task.env)
    job = Job(name, found, 0, to_toml(config), task.limit, plan.hold, area, depends, seconds=task.seconds)
    jobs = [job._replace(seed=seed) for seed in plan.seeds]
    return Bundle(name, found, plant, task.target, jobs, main=agent == task.agents[0], config=config)


def _refuse_twins(task: str, agents: Sequence[str]) -> None:
    """Figures are told apart by the agents' names."""
    for agent in agents:
        if agents.count(agent) > 1:
            raise BadInput(f"task {task!r}: two agents are called {agent!r}; rename a file")


def _random(plan: Plan, name: str, task: Task, plant: PlantConfig) -> Bundle:
    job = Job(
        name, "random", 0, to_toml(RandomConfig(plant=plant)), task.limit, 0, task.limit, made_with(task.env),
        episodes=RANDOM_EPISODES, seconds=task.seconds / 5,
    )  # fmt: skip
    return Bundle(name, "random", plant, Target(), [job])


def _baseline(plan: Plan, name: str, task: Task, plant: PlantConfig, algorithm: str) -> Bundle:
    settings = to_toml(RandomConfig(plant=plant))
    depends = made_with(task.env, baseline=True)
    job = Job(name, algorithm, 0, settings, task.limit, 0, task.area or task.limit, depends, baseline=True)
    job = job._replace(seconds=task.seconds * SLOWER.get(algorithm, 10.0))
    jobs = [job._replace(seed=seed) for seed in baseline_seeds(plan)]
    return Bundle(name, algorithm, plant, Target(), jobs, baseline=True)


def _algorithms(env: str) -> Sequence[str]:
    """Algorithms that are tuned for an environment. Raises `MissingExtra`."""
    if importlib.util.find_spec("stable_baselines3") is None:
        raise MissingExtra("--baseline sb3", "baselines")
    tuned: Mapping[str, Sequence[str]] = importlib.import_module("neuroloop_agents.sb3").TUNED
    return tuned.get(env) or tuned.get(env.rpartition(":")[2]) or ()


def _put(plant: PlantConfig, own: PlantConfig) -> PlantConfig:
    """The task's environment and criterion, with how the agent acts on it."""
    return msgspec.structs.replace(own, env=plant.env, arguments=plant.arguments, criterion=plant.criterion)


def journal_path(suite: str) -> Path:
    """Where the journal of a suite lies."""
    return Path("recordings/runs") / f"bench-{suite}" / "journal.jsonl"
