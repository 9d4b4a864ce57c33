"""Parameters of models: a number, or one number for each neuron, checked where they are handed in."""

from __future__ import annotations

import functools
import math
import reprlib
import types
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, unknown

LARGEST, SMALLEST = 3e38, 2e-38  # float32
MOST_STEPS = 2**24  # of a time


class Range(NamedTuple):
    """What a parameter may be."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False  # whether `low` itself is not allowed
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.high):
            return "finite" if math.isinf(self.low) else f"{'>' if self.above else '≥'} {self.low:g}{unit}"
        return f"in {'(' if self.above else '['}{self.low:g}, {self.high:g}]{unit}"


Value = float | NDArray[Any]
Number = Annotated[Value, Range()]
Positive = Annotated[Value, Range(0.0, above=True)]
NonNegative = Annotated[Value, Range(0.0)]
Fraction = Annotated[Value, Range(0.0, 1.0)]
Time = Annotated[Value, Range(0.0, above=True, unit="s")]
Duration = Annotated[Value, Range(0.0, unit="s")]
Rate = Annotated[Value, Range(0.0, unit="Hz")]


class _Named(msgspec.StructMeta):
    """Constructors that know the closest match of an unknown parameter."""

    def __call__(self, *values: Any, **parameters: Any) -> Any:
        for key in parameters:
            if key not in self.__struct_fields__:
                raise ConfigError(f"{self.__name__}: {unknown('parameter', key, self.__struct_fields__)}")
        try:
            return super().__call__(*values, **parameters)
        except TypeError as error:
            raise ConfigError(f"{self.__name__}: {error}") from None


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, metaclass=_Named):
    """Base of everything that is configured by parameters. Constructors check nothing, `checked` does."""


@functools.cache
def _hints(model: type[Model]) -> dict[str, Any]:
    return {field: get_type_hints(model, include_extras=True)[field] for field in model.__struct_fields__}


def checked(model: Model, where: str, n: int | None = None) -> types.SimpleNamespace:
    """The parameters of `model` as float64: numbers, or arrays of shape (n,). Raises `ConfigError` for what is out of range.

    `where` names the part in messages; without `n` every parameter is one number. Other fields are passed on as they are.
    """
    return types.SimpleNamespace(
        **{name: _value(getattr(model, name), hint, f"{where}.{name}", n) for name, hint in _hints(type(model)).items()}
    )


def _value(value: Any, hint: Any, where: str, n: int | None) -> Any:
    if type(None) in get_args(hint):
        return None if value is None else _value(value, get_args(hint)[0], where, n)
    if get_origin(hint) is Annotated:
        return number(value, next(meta for meta in get_args(hint) if isinstance(meta, Range)), where, n)
    if get_origin(hint) is Literal and not (isinstance(value, str) and value in get_args(hint)):
        raise ConfigError(f"{where}: {unknown('choice', str(value), get_args(hint))}")
    if hint is bool and not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{where}: must be true or false, got {reprlib.repr(value)}")
    return whole(value, 0, 2**31 - 1, where) if hint is int else value


def number(value: Any, allowed: Range, where: str, n: int | None = None) -> Any:
    """`value` as a float64 number or array of shape (n,), or `ConfigError`."""
    array = numbers(value, where)
    if array.shape not in ((), (n,)):
        expected = "one number" if n is None else f"one number or {n} numbers"
        raise ConfigError(f"{where}: must be {expected}, got an array of shape {list(array.shape)}")
    low = array >= max(allowed.low, SMALLEST) if allowed.above else array >= allowed.low
    wrong = ~(np.isfinite(array) & low & (array <= allowed.high))
    if wrong.any():
        raise ConfigError(f"{where}: must be {allowed}, got {array[wrong].ravel()[0]}")
    if (np.abs(array) > LARGEST).any():
        raise ConfigError(f"{where}: must be within ±{LARGEST:g}, got {array.ravel()[np.abs(array).argmax()]:g}")
    return float(array) if array.ndim == 0 else array


def numbers(value: Any, where: str) -> NDArray[np.float64]:
    """`value` as a float64 array of any shape, or `ConfigError` for text, truth values and what else is no number."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.dtype.kind not in "iuf":
        raise ConfigError(f"{where}: must be a number, got {reprlib.repr(value)}")
    return array.astype(np.float64)


def whole(value: Any, low: int, high: int, where: str) -> int:
    """`value` as a whole number from `low` to `high`, or `ConfigError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ConfigError(f"{where}: must be a whole number from {low} to {high}, got {reprlib.repr(value)}")
    return int(value)


def one_of(kinds: tuple[type, ...], value: Any, where: str, example: str) -> Any:
    """`value`, if it is of one of these kinds and more than the mere base of them, or `ConfigError`."""
    if not isinstance(value, kinds) or type(value) in kinds:
        raise ConfigError(f"{where}: needs something like {example}, got {reprlib.repr(value)}")
    return value


def scalar(value: Value) -> float:
    """A checked parameter that is one number."""
    return float(np.asarray(value))


def steps(seconds: Any, dt: float, where: str) -> Any:
    """Times as whole numbers of steps, or `ConfigError` if they are not multiples of `dt`."""
    exact = np.asarray(seconds, np.float64) / dt
    rounded = np.rint(exact)
    wrong = np.abs(exact - rounded) > 1e-6 * np.maximum(1.0, rounded)
    if wrong.any():
        first = np.asarray(seconds)[wrong].ravel()[0]
        raise ConfigError(f"{where}: must be a multiple of dt = {dt:g} s, got {first:g} s")
    if np.max(rounded, initial=0.0) > MOST_STEPS:
        raise ConfigError(f"{where}: must be ≤ {MOST_STEPS * dt:g} s, {MOST_STEPS} steps, got {np.max(seconds):g} s")
    return rounded.astype(np.int64)


def slow_enough(p: types.SimpleNamespace, dt: float, where: str) -> None:
    """Raise `ConfigError` for checked parameters that are time constants, not zero, and shorter than a step."""
    for field, value in vars(p).items():
        tau = np.asarray(value) if field.startswith("tau") else np.zeros(0)
        if np.any((tau > 0.0) & (tau < dt)):
            raise ConfigError(f"{where}.{field}: must be ≥ dt = {dt:g} s, got {np.min(value):g} s")
