"""A suite of tasks as data: what is learnt, by which agents, and what counts as good; one TOML file a suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gymnasium
import msgspec

from ..config import read_toml, table
from ..errors import BadInput, ConfigError, MissingExtra, unknown
from ..loop.plant import criterion_of, make_env
from ..settings import Count, Fraction, Number, PlantConfig, Positive, Settings
from .quiet import stdout_to_stderr

SUITES = Path(__file__).parent / "suites"
OTHERS = ("engine", "sensors", "startup", "worlds")  # suites that are no tasks
NAME = re.compile("[a-z][a-z0-9_]*")  # a figure's name begins with it


class Target(Settings, frozen=True, kw_only=True):
    """What the first of a task's agents should reach."""

    solved: Fraction | None = None  # of the seeds
    median: Count | None = None  # environment steps to solve
    worst: Count | None = None
    before_window: Count | None = None  # median, before the 100 episodes that solve
    final: Number | None = None  # median of the last means of 100
    held: Fraction | None = None  # of the seeds, within 10 % of the criterion over the episodes that follow
    us_per_step: Positive | None = None  # of CPU


class Task(Settings, frozen=True, kw_only=True):
    """An environment, the agents that learn it, and what counts as solving it."""

    env: str  # a Gymnasium id, or module:id
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    criterion: Number | None = None  # mean of 100 training returns; absent: the environment's reward_threshold
    agents: tuple[str, ...] = ("default",)  # names or files; targets are for the first
    limit: Count = 100_000  # environment steps after which a seed counts as not solved
    area: Count | None = None  # environment steps that the area under the learning curve covers; absent: `limit`
    seconds: Positive = 10.0  # of CPU, roughly, for a run: the longest go first
    extra: str = ""  # of neuroloop, that installs the environment
    target: Target = Target()


class Tasks(Settings, frozen=True, kw_only=True):
    """A suite."""

    task: dict[str, Task]
    about: str = ""
    quick: tuple[str, ...] = ()  # tasks of `--quick`; absent: all
    fewer_steps_than_baselines: int | None = None  # target: tasks that take fewer steps than every baseline


def suites() -> dict[str, Path]:
    """Names and files of the suites that come with neuroloop."""
    return {path.stem: path for path in sorted(SUITES.glob("*.toml"))}


def read_tasks(suite: str) -> tuple[str, Tasks]:
    """Name and tasks of a suite: one that comes with neuroloop, or a TOML file. Raises `BadInput`."""
    path = Path(suite) if suite.endswith(".toml") else suites().get(suite)
    if path is None:
        raise BadInput(unknown("suite", suite, [*suites(), *OTHERS]))
    data = read_toml(path)
    try:
        tasks = table(data, Tasks)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    _check(tasks, path)
    return path.stem, tasks


def _check(tasks: Tasks, path: Path) -> None:
    if not tasks.task:
        raise ConfigError(f"{path}: task: is empty; a suite needs at least one [task.NAME]")
    for name, task in tasks.task.items():
        if not NAME.fullmatch(name):
            raise ConfigError(f"{path}: task.{name}: a name is made of a-z, 0-9 and _, and begins with a letter")
        if not task.agents:
            raise ConfigError(f"{path}: task.{name}.agents: is empty; name at least one agent")
    for name in tasks.quick:
        if name not in tasks.task:
            raise ConfigError(f"{path}: quick: {unknown('task', name, tasks.task)}")


def plant_of(task: Task) -> PlantConfig:
    """The plant as an agent's file would name it, with its criterion. Raises `BadInput` for what is missing.

    The environment is made once here, so that whatever it lacks is said before work begins.
    """
    plant = PlantConfig(env=task.env, arguments=task.arguments, criterion=task.criterion)
    try:
        with stdout_to_stderr():
            env = make_env(plant)
            env.close()
    except BadInput as error:
        missing = isinstance(error.__context__, ImportError | gymnasium.error.DependencyNotInstalled)
        if task.extra and missing:
            raise MissingExtra(task.env, task.extra) from None
        raise
    criterion = criterion_of(plant, env.spec)
    if criterion is None:
        raise BadInput(f"{task.env}: names no criterion of its own; give the task one, as in `criterion = 100.0`")
    return msgspec.structs.replace(plant, criterion=criterion)
