"""Parameters of models: a number, or one number for each neuron, checked where they are handed in."""

from __future__ import annotations

import functools
import math
import types
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, unknown


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


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    if get_origin(hint) is Annotated:
        return number(value, next(meta for meta in get_args(hint) if isinstance(meta, Range)), where, n)
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise ConfigError(f"{where}: {unknown('choice', str(value), get_args(hint))}")
    return value


def number(value: Any, allowed: Range, where: str, n: int | None = None) -> Any:
    """`value` as a float64 number or array of shape (n,), or `ConfigError`."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{where}: must be a number, got {value!r}") from None
    if array.shape not in ((), (n,)):
        expected = "one number" if n is None else f"one number or {n} numbers"
        raise ConfigError(f"{where}: must be {expected}, got an array of shape {list(array.shape)}")
    low = array > allowed.low if allowed.above else array >= allowed.low
    wrong = ~(np.isfinite(array) & low & (array <= allowed.high))
    if wrong.any():
        raise ConfigError(f"{where}: must be {allowed}, got {array[wrong].ravel()[0]}")
    return float(array) if array.ndim == 0 else array


def scalar(value: Value) -> float:
    """A checked parameter that is one number."""
    return float(np.asarray(value))


def steps(seconds: Any, dt: float, where: str) -> Any:
    """Times as whole numbers of steps, or `ConfigError` if they are not multiples of `dt`."""
    exact = np.asarray(seconds, np.float64) / dt
    whole = np.rint(exact)
    wrong = np.abs(exact - whole) > 1e-6 * np.maximum(1.0, whole)
    if wrong.any():
        first = np.asarray(seconds)[wrong].ravel()[0]
        raise ConfigError(f"{where}: must be a multiple of dt = {dt:g} s, got {first:g} s")
    return whole.astype(np.int64)
