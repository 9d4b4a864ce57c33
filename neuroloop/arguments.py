"""Arguments of public calls, checked: a message names the argument, what was expected and what came."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import BadInput

CHECKPOINT = ".zip"  # how the name of a checkpoint ends


def whole(name: str, value: Any, least: int) -> int:
    """A whole number from `least`. Raises `BadInput`."""
    number = _index(name, value)
    if number < least:
        raise BadInput(f"{name}: must be at least {least}, got {number}")
    return number


def optional_whole(name: str, value: Any, least: int) -> int | None:
    """A whole number from `least`, or None. Raises `BadInput`."""
    return None if value is None else whole(name, value, least)


def positive(name: str, value: Any, unit: str = "") -> float:
    """A finite number above 0. Raises `BadInput`."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0.0 < value < math.inf:
        raise BadInput(f"{name}: must be a number{unit and ' of '}{unit} above 0, got {value!r}")
    return float(value)


def switch(name: str, value: Any) -> bool:
    """True or False. Raises `BadInput`."""
    if not isinstance(value, bool):
        raise BadInput(f"{name}: must be True or False, got {value!r}")
    return value


def seed(name: str, value: Any) -> int:
    """A seed that a checkpoint can hold. Raises `BadInput`."""
    number = _index(name, value)
    if not 0 <= number < 2**53:
        raise BadInput(f"{name}: must be from 0 to 2**53 - 1, got {number}")
    return number


def function(name: str, value: Any) -> None:
    """Raises `BadInput` for what is neither None nor can be called."""
    if value is not None and not callable(value):
        raise BadInput(f"{name}: must be a function, got {value!r}")


def checkpoint_path(name: str, value: Any) -> Path:
    """Where a checkpoint goes. Raises `BadInput`."""
    try:
        path = Path(value)
    except TypeError:
        raise BadInput(f"{name}: must be a path, got {value!r}") from None
    if path.suffix != CHECKPOINT:
        raise BadInput(f"{name}: the name of a checkpoint ends in {CHECKPOINT}, got {path}")
    return path


def overrides(name: str, value: Any) -> list[str]:
    """Settings such as "learner.gamma=0.98". Raises `BadInput`."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise BadInput(f'{name}: must be a list of settings, such as ["learner.gamma=0.98"], got {value!r}')
    settings = list(value)
    for setting in settings:
        if not isinstance(setting, str):
            raise BadInput(f'{name}: a setting is text, such as "learner.gamma=0.98", got {setting!r}')
    return settings


def _index(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise BadInput(f"{name}: must be a whole number, got {value!r}") from None
