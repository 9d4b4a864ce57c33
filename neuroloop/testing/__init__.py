"""Contract tests for parts of your own, the same that ours must pass: `check_encoder(MyEncoder(), space)`.

Each takes an object, a built-in kind's name, a table or settings, and returns a list of what was checked. They raise
`ContractError`, an `AssertionError` that says what was expected, what came, and where. They need no test framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import ContractError as ContractError
    from .decoders import check_decoder as check_decoder
    from .encoders import check_encoder as check_encoder

_HOME = {"ContractError": "contract", "check_decoder": "decoders", "check_encoder": "encoders"}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
