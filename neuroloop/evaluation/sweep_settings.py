"""A sweep as data: the tables of a STUDY.toml, read and checked against the agent whose settings it searches."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from .. import config
from ..agent import Agent, read_config
from ..errors import BadInput, ConfigError
from ..settings import AgentConfig, Count, NonNegative, Number, Settings
from .search_space import Searched, SearchSpace

RESERVED = 6000  # seeds from here on are never tuned on: they are for figures to report
Natural = Annotated[int, Meta(ge=0)]


class EnvConfig(Settings, frozen=True, kw_only=True):
    """How an environment counts."""

    steps: Count  # environment steps that a run may take
    criterion: Number | None = None  # mean of 100 returns; absent: the agent's or the environment's own
    scale: tuple[Number, Number] | None = None  # returns that count as 0 and as 1; needed to compare environments


class ObjectiveConfig(Settings, frozen=True, kw_only=True):
    """What is searched for."""

    kind: Literal["steps", "final", "area"] = "steps"
    penalty: NonNegative = 1.0  # of a run that did not solve its environment, in budgets on top of the whole budget
    across: Literal["mean", "median", "worst"] = "mean"  # of the runs of a trial

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        return "minimize" if self.kind == "steps" else "maximize"


class SweepConfig(Settings, frozen=True, kw_only=True):
    """A STUDY.toml."""

    about: str = ""
    agent: str  # a ready-made one, or a TOML file beside this one
    set: tuple[str, ...] = ()  # settings of every trial, as with --set
    trials: Count | None = None  # the grid has as many as it has points
    seeds: Count = 3  # runs of each trial on each environment
    first_seed: Natural = 0
    sampler: Literal["tpe", "random", "quasi-random", "grid"] = "tpe"
    seed: Natural = 0  # of the sampler
    pruner: Literal["none", "median"] = "none"
    objective: ObjectiveConfig = ObjectiveConfig()
    env: dict[str, EnvConfig]
    search: dict[str, Searched]


class Study(NamedTuple):
    """A sweep that was checked."""

    settings: SweepConfig
    agent: str  # its name
    base: AgentConfig  # what every trial starts from
    space: SearchSpace
    trials: int

    def agent_of(self, overrides: list[str], env_id: str | None = None) -> AgentConfig:
        """The agent with a trial's settings, on one of the environments. Raises `ConfigError` if they do not go together."""
        data = tomllib.loads(config.to_toml(self.base if env_id is None else self._on(env_id)))
        for override in overrides:
            config.apply(data, override)
        return config.from_dict(data)

    def _on(self, env_id: str) -> AgentConfig:
        """The agent on an environment, which has its own arguments and criterion if it is not the agent's own."""
        plant, criterion = self.base.plant, self.settings.env[env_id].criterion
        if plant.env != env_id:
            plant = msgspec.structs.replace(plant, env=env_id, arguments={}, criterion=None)
        if criterion is not None:
            plant = msgspec.structs.replace(plant, criterion=criterion)
        return msgspec.structs.replace(self.base, plant=plant)


def read(path: Path) -> Study:
    """Read a STUDY.toml. Raises `BadInput` with the path of the bad key."""
    data = config.read_toml(path)
    if isinstance(data.get("search"), dict):
        data["search"] = _flat(data["search"], "")
    try:
        settings = config.table(data, SweepConfig)
        _check(settings)
        beside = path.parent / settings.agent
        name, base = read_config(beside if beside.is_file() else settings.agent, settings.set)
        space = SearchSpace(settings.search, base)
        study = Study(settings, name, base, space, settings.trials or space.n_points)
        if settings.sampler == "grid":
            space.check_grid()
        _try_extremes(study)
        _try_environments(study)
    except BadInput as error:
        raise ConfigError(f"{path}: {error}") from None
    return study


def _flat(table: dict[str, Any], prefix: str) -> dict[str, Any]:
    """`a.b = {…}` as TOML nests it and `"a.b" = {…}` become the same."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        nested = isinstance(value, dict) and value and not _says_a_range(value)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat


def _says_a_range(table: dict[str, Any]) -> bool:
    return any(key in Searched.__struct_fields__ and not isinstance(value, dict) for key, value in table.items())


def _check(settings: SweepConfig) -> None:
    if not settings.search:
        raise ConfigError('search: names no setting, such as "learner.gamma" = { low = 0.95, high = 0.999 }')
    if not settings.env:
        raise ConfigError("env: names no environment, such as [env.CartPole-v1] with steps = 60_000")
    if (settings.trials is None) != (settings.sampler == "grid"):
        raise ConfigError("trials: is missing" if settings.trials is None else "trials: a grid has its own number")
    if settings.first_seed + settings.seeds > RESERVED:
        raise ConfigError(
            f"first_seed: seeds from {RESERVED} on are kept for figures to report and never tuned on; "
            f"{settings.first_seed} with {settings.seeds} seeds goes up to {settings.first_seed + settings.seeds - 1}"
        )
    for env_id, env in settings.env.items():
        if env.scale is not None and env.scale[0] >= env.scale[1]:
            raise ConfigError(f"env.{env_id}.scale: the return that counts as 0 must be below the one that counts as 1")
        if env.scale is None and len(settings.env) > 1 and settings.objective.kind != "steps":
            raise ConfigError(
                f"env.{env_id}.scale: is missing; returns of several environments compare only as shares of a scale"
            )
    if settings.pruner == "median" and settings.seeds == 1:
        raise ConfigError("pruner: 'median' compares trials between their seeds, and needs more than one")


def _try_extremes(study: Study) -> None:
    """Each bound and each choice by itself is a setting that the agent may have."""
    for path, override in study.space.extremes():
        try:
            study.agent_of([override])
        except ConfigError as error:
            raise ConfigError(f"search.{error}" if str(error).startswith(path) else f"search.{path}: {error}") from None


def _try_environments(study: Study) -> None:
    """The agent fits every environment, and each names what solving it means if steps count up to there."""
    for env_id in study.settings.env:
        try:
            with Agent(study.agent_of([], env_id), None, study.settings.first_seed, study.agent) as agent:
                criterion = agent.progress.criterion
        except BadInput as error:
            raise ConfigError(f"env.{env_id}: {error}") from None
        if criterion is None and study.settings.objective.kind == "steps":
            raise ConfigError(
                f"env.{env_id}.criterion: is missing: the environment names none, and steps count up to it"
            )
