"""What may vary in a world: named parameters that are fixed, drawn at every reset, or changed while an episode runs.

A fault is a parameter that leaves its default: a weak actuator, a late or noisy sensor, a push.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ON_THE_GRID = 1e-6  # of a control step, that a time may be off by rounding
Value = float | tuple[float, ...]
Values = dict[str, Value]


def number(values: Values, name: str) -> float:
    """A parameter that is one number."""
    value = values[name]
    assert isinstance(value, float)
    return value


def numbers(values: Values, name: str) -> tuple[float, ...]:
    """A parameter of several numbers."""
    value = values[name]
    assert isinstance(value, tuple)
    return value


@dataclass(frozen=True)
class Parameter:
    """A number, or `size` numbers, from `low` to `high`. `unit` and `about` are for people."""

    default: float
    low: float
    high: float
    unit: str
    about: str
    size: int | None = None  # None: one number
    at_reset: bool = False  # whether it stays as it is until the next reset, so that a schedule cannot change it

    @property
    def start(self) -> Value:
        """The default, as a value."""
        return self.default if self.size is None else (self.default,) * self.size


def common(n_actuators: int, n_readings: int) -> dict[str, Parameter]:
    """Parameters that every world has."""
    return {
        "action_delay": Parameter(0.0, 0.0, 1.0, "s", "until actuators follow, in whole control steps"),
        "actuator_strength": Parameter(1.0, 0.0, 2.0, "1", "what an actuator gives of what was asked", n_actuators),
        "sensor_delay": Parameter(0.0, 0.0, 1.0, "s", "age of observations, in whole control steps"),
        "sensor_dropout": Parameter(0.0, 0.0, 1.0, "1", "chance that a reading is lost and stays as it was"),
        "sensor_noise": Parameter(0.0, 0.0, 1.0, "1", "standard deviation, in units of half a reading's range"),
        "sensor_strength": Parameter(1.0, 0.0, 2.0, "1", "what a sensor shows of what there is; 0: dead", n_readings),
        "push": Parameter(0.0, -1e4, 1e4, "N", "force on the robot along x, y and z of the world", 3),
    }


COMMON = tuple(common(1, 1))  # what the base of all worlds sees to


@dataclass(frozen=True)
class Change:
    """At control step `step` of an episode, `name` takes `value`, or goes back to what the episode began with (None)."""

    step: int
    name: str
    value: Value | None


class Variation:
    """The parameters of a world with what its user fixed, has drawn, and scheduled. Raises `ValueError` for what is wrong.

    `fixed`: values by name. `drawn`: (low, high) by name, uniform at every reset. `schedule`: rows such as
    {"at": 2.0, "until": 2.2, "push": (0, 20, 0)}, times in s since the episode began; without `until` a change stays.
    """

    def __init__(
        self,
        world: str,
        known: Mapping[str, Parameter],
        fixed: Mapping[str, Any] | None = None,
        drawn: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self.known, self._world = dict(known), world
        for name, table in (("parameters", fixed), ("randomise", drawn)):
            if not isinstance(table, Mapping | None):
                raise ValueError(f"{world}.{name}: must be a dict by parameter, got {table!r}")
        self._fixed = {name: self._value("parameters", name, value) for name, value in (fixed or {}).items()}
        self._drawn = {name: self._range(name, ends) for name, ends in (drawn or {}).items()}
        for name in self._fixed.keys() & self._drawn.keys():
            raise ValueError(f"{world}.randomise.{name}: is set in parameters as well; leave one of them out")
        self._schedule = () if schedule is None else schedule

    def check(self, dt: float) -> None:
        """Raise `ValueError` for a schedule that does not go with control steps of `dt` s."""
        self.changes(self._schedule, dt)

    def given(self, options: Mapping[str, Any], dt: float) -> tuple[Values, list[Change]]:
        """Parameters in the options of a reset, which go before what is drawn or fixed, and the episode's changes."""
        if not isinstance(options, Mapping):
            raise ValueError(f"{self._world}.options: must be a dict, got {options!r}")
        values = {name: self._value("options", name, value) for name, value in options.items() if name != "schedule"}
        return values, self.changes(options.get("schedule", self._schedule), dt)

    def drawn(self, rng: np.random.Generator) -> Values:
        """Every parameter: its default, or as fixed, or drawn."""
        values = {name: parameter.start for name, parameter in self.known.items()} | self._fixed
        for name, (low, high) in self._drawn.items():
            drawn = rng.uniform(low, high, self.known[name].size)
            values[name] = tuple(drawn.tolist()) if isinstance(drawn, np.ndarray) else float(drawn)
        return values

    def changes(self, schedule: Any, dt: float) -> list[Change]:
        """The rows of a schedule as changes in order."""
        found: list[Change] = []
        if isinstance(schedule, str) or not isinstance(schedule, Sequence):
            raise ValueError(
                f"{self._world}.schedule: must be rows such as {{'at': 2.0, 'push': [0, 20, 0]}}, got {schedule!r}"
            )
        for k, row in enumerate(schedule):
            where = f"schedule[{k}]"
            if not isinstance(row, Mapping) or "at" not in row:
                raise ValueError(f"{self._world}.{where}: needs 'at' (s since the episode began), got {row!r}")
            begin = self._step(f"{where}.at", row["at"], dt)
            end = self._step(f"{where}.until", row["until"], dt) if "until" in row else None
            if end is not None and end <= begin:
                raise ValueError(
                    f"{self._world}.{where}.until: must be later than 'at' = {row['at']}, got {row['until']}"
                )
            names = [name for name in row if name not in ("at", "until")]
            if not names:
                raise ValueError(f"{self._world}.{where}: changes nothing; name a parameter beside 'at', got {row!r}")
            for name in names:
                if self._parameter(where, name).at_reset:
                    raise ValueError(
                        f"{self._world}.{where}.{name}: is read at a reset only; set, draw or hand it over there"
                    )
                found.append(Change(begin, name, self._value(where, name, row[name])))
                if end is not None:
                    found.append(Change(end, name, None))
        return sorted(
            found, key=lambda change: (change.step, change.value is not None)
        )  # what ends, before what begins

    def _step(self, where: str, value: Any, dt: float) -> int:
        """The control step that begins at a time."""
        good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not good or not 0.0 <= value < math.inf:
            raise ValueError(f"{self._world}.{where}: must be a time in s, at least 0, got {value!r}")
        step = round(float(value) / dt)
        if abs(value / dt - step) > ON_THE_GRID:
            raise ValueError(f"{self._world}.{where}: must be a multiple of the control step, {dt:g} s, got {value!r}")
        return step

    def _range(self, name: str, ends: Any) -> tuple[float, float]:
        if not isinstance(ends, Sequence | np.ndarray) or isinstance(ends, str) or len(ends) != 2:
            raise ValueError(f"{self._world}.randomise.{name}: must be (low, high), got {ends!r}")
        parameter = self._parameter("randomise", name)
        low, high = (self._number(f"randomise.{name}", parameter, end) for end in ends)
        if low > high:
            raise ValueError(f"{self._world}.randomise.{name}: low must not exceed high, got {ends!r}")
        return low, high

    def _value(self, where: str, name: str, value: Any) -> Value:
        parameter = self._parameter(where, name)
        if parameter.size is None:
            return self._number(f"{where}.{name}", parameter, value)
        values = (
            value
            if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
            else [value] * parameter.size
        )
        if len(values) != parameter.size:
            raise ValueError(f"{self._world}.{where}.{name}: must be one number or {parameter.size}, got {value!r}")
        return tuple(self._number(f"{where}.{name}", parameter, one) for one in values)

    def _parameter(self, where: str, name: str) -> Parameter:
        if name not in self.known:
            close = difflib.get_close_matches(str(name), self.known, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(self.known)}"
            raise ValueError(f"{self._world}.{where}: unknown parameter {name!r}{hint}")
        return self.known[name]

    def _number(self, where: str, parameter: Parameter, value: Any) -> float:
        good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not good or not parameter.low <= value <= parameter.high:
            ends = f"{parameter.low:g} to {parameter.high:g}" + (f" {parameter.unit}" if parameter.unit != "1" else "")
            raise ValueError(f"{self._world}.{where}: must be a number from {ends}, got {value!r}")
        return float(value)
