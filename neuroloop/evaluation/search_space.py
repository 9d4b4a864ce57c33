"""The settings that a sweep searches: ranges and choices as points of a unit cube, as Optuna's distributions, as `--set`.

Points of a quasi-random search are u_n = frac(u_0 + n · (φ⁻¹, φ⁻², …)), with φ the root of φ^(d+1) = φ + 1 (Roberts 2018,
"The unreasonable effectiveness of quasirandom sequences": R_d).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import numpy as np
import tomli_w
from msgspec import Meta

from ..errors import ConfigError, unknown
from ..settings import AgentConfig, Settings

if TYPE_CHECKING:
    from optuna import Trial

AUTOMATIC = "automatic"  # what a setting may be in place of a number
Value = float | int | str  # of a parameter; a choice is written as TOML
Parameters = dict[str, Value]


class Range(NamedTuple):
    """A setting between two bounds, both included."""

    low: float
    high: float
    log: bool
    whole: bool
    points: int | None

    def at(self, u: float) -> Value:
        """The value at `u` in [0, 1)."""
        if self.whole:
            low, high = self.low - 0.5, self.high + 0.5
            value = low * (high / low) ** u if self.log else low + u * (high - low)
            return min(max(round(value), int(self.low)), int(self.high))
        return self.low * (self.high / self.low) ** u if self.log else self.low + u * (self.high - self.low)

    def grid(self) -> list[Value]:
        """Values of a grid."""
        if self.points is None:
            return [*range(int(self.low), int(self.high) + 1)] if self.whole else []
        space = np.geomspace if self.log else np.linspace
        values = space(self.low, self.high, self.points).tolist()
        return sorted({round(value) for value in values}) if self.whole else values

    def own(self, value: Any) -> Value | None:
        """The parameter for the agent's own value, if it lies here."""
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return value if numeric and self.low <= value <= self.high else None

    def extremes(self) -> tuple[Value, ...]:
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    def suggest(self, trial: Trial, path: str) -> Value:
        """The value of this trial, proposed by its sampler unless it has one already."""
        if self.whole:
            return trial.suggest_int(path, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(path, self.low, self.high, log=self.log)


class Choice(NamedTuple):
    """A setting that takes one of several values, each written as TOML."""

    texts: tuple[str, ...]

    def at(self, u: float) -> Value:
        return self.texts[int(u * len(self.texts))]

    def grid(self) -> list[Value]:
        return list(self.texts)

    def own(self, value: Any) -> Value | None:
        return next((text for text in self.texts if value is not None and text == toml(value)), None)

    def extremes(self) -> tuple[Value, ...]:
        return self.texts

    def suggest(self, trial: Trial, path: str) -> Value:
        return trial.suggest_categorical(path, self.texts)


class Searched(Settings, frozen=True, kw_only=True):
    """What a setting may become: from `low` to `high`, or one of `choices`."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False  # proposals are even in the logarithm
    points: Annotated[int, Meta(ge=2)] | None = None  # of a range, for the grid
    choices: Annotated[tuple[Any, ...], Meta(min_length=2)] | None = None


class SearchSpace:
    """What the table `[search]` spans."""

    def __init__(self, search: Mapping[str, Searched], agent: AgentConfig) -> None:
        settings = msgspec.to_builtins(agent)
        found = {path: _look_up(settings, path) for path in search}
        self.dimensions = {path: _dimension(path, entry, found[path]) for path, entry in search.items()}
        own = {path: dimension.own(found[path]) for path, dimension in self.dimensions.items()}
        self.outside = [path for path, value in own.items() if value is None]  # where the agent's own value lies
        self._own = {path: value for path, value in own.items() if value is not None}

    @property
    def own(self) -> Parameters | None:
        """The agent's own settings, if they lie in the space."""
        return None if self.outside else dict(self._own)

    @property
    def logarithmic(self) -> set[str]:
        """Settings that are searched evenly in the logarithm."""
        return {path for path, dimension in self.dimensions.items() if isinstance(dimension, Range) and dimension.log}

    @property
    def n_points(self) -> int:
        """Points of the grid."""
        return math.prod(len(dimension.grid()) for dimension in self.dimensions.values())

    def check_grid(self) -> None:
        for path, dimension in self.dimensions.items():
            if not dimension.grid():
                raise ConfigError(f"search.{path}.points: is missing; a grid needs to know how many there are")

    def suggest(self, trial: Trial) -> Parameters:
        """The parameters of a trial, proposed by its sampler unless it has them already."""
        return {path: dimension.suggest(trial, path) for path, dimension in self.dimensions.items()}

    def grid(self, n: int) -> Parameters:
        """Point `n` of the grid; the last setting varies fastest."""
        values = next(itertools.islice(itertools.product(*(d.grid() for d in self.dimensions.values())), n, None))
        return dict(zip(self.dimensions, values, strict=True))

    def random(self, n: int, seed: int) -> Parameters:
        """Point `n` of a random search."""
        return self._at(np.random.default_rng([seed, n]).random(len(self.dimensions)))

    def quasi_random(self, n: int, seed: int) -> Parameters:
        """Point `n` of a sequence that fills the space evenly."""
        d, phi = len(self.dimensions), 2.0
        for _ in range(60):  # the iteration contracts
            phi = (1 + phi) ** (1 / (d + 1))
        steps = phi ** -np.arange(1.0, d + 1)
        return self._at((np.random.default_rng(seed).random(d) + n * steps) % 1.0)

    def _at(self, point: Sequence[float] | np.ndarray[Any, Any]) -> Parameters:
        return {
            path: dimension.at(float(u)) for (path, dimension), u in zip(self.dimensions.items(), point, strict=True)
        }

    def extremes(self) -> Iterator[tuple[str, str]]:
        """Each bound and each choice by itself: the setting and the override."""
        for path, dimension in self.dimensions.items():
            for value in dimension.extremes():
                yield path, overrides({path: value})[0]


def overrides(parameters: Mapping[str, Any]) -> list[str]:
    """What `--set` takes; six digits of a number."""
    return [f"{path}={f'{value:.6g}' if isinstance(value, float) else value}" for path, value in parameters.items()]


def toml(value: Any) -> str:
    """A value on one line, as TOML writes it."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_key(key)} = {toml(entry)}" for key, entry in value.items() if entry is not None) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(entry) for entry in value) + "]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else toml(name)


def _look_up(settings: dict[str, Any], path: str) -> Any:
    """The agent's own value of a setting. Raises `ConfigError` if it has no such setting."""
    table: Any = settings
    names = path.split(".")
    for depth, name in enumerate(names):
        where = ".".join(names[:depth])
        if not isinstance(table, dict):
            what = "is absent in this agent" if table is None else "is a value, not a table"
            raise ConfigError(f"search.{path}: {where} {what}")
        if name not in table and where != "plant.arguments":  # whose keys belong to the environment
            raise ConfigError(f"search.{path}: " + unknown("setting", name, table) + (f" in {where}" if where else ""))
        table = table.get(name)
    return table


def _dimension(path: str, entry: Searched, own: Any) -> Range | Choice:
    where = f"search.{path}"
    if entry.choices is not None:
        if entry.low is not None or entry.high is not None or entry.log or entry.points is not None:
            raise ConfigError(f"{where}: has choices, so it takes no low, high, log or points")
        texts = tuple(toml(choice) for choice in entry.choices)
        if len(set(texts)) < len(texts):
            raise ConfigError(f"{where}.choices: names a value twice")
        return Choice(texts)
    if entry.low is None or entry.high is None:
        raise ConfigError(f"{where}.{'low' if entry.low is None else 'high'}: is missing; or give choices")
    if entry.low >= entry.high:
        raise ConfigError(f"{where}: low must be below high, got {entry.low} and {entry.high}")
    if entry.log and entry.low <= 0:
        raise ConfigError(f"{where}.low: must be above 0 with log = true, got {entry.low}")
    if own != AUTOMATIC and (not isinstance(own, int | float | None) or isinstance(own, bool)):
        raise ConfigError(f"{where}: is {toml(own)} in this agent, not a number; give choices")
    whole = isinstance(entry.low, int) and isinstance(entry.high, int) and not isinstance(own, float)
    return Range(entry.low, entry.high, entry.log, whole, entry.points)
