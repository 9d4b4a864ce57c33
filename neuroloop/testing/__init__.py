"""Contract tests for parts of your own, the same that ours must pass: `check_encoder(MyEncoder(), space)`.

Each takes an object, a built-in kind's name, a table or settings, and returns a list of what was checked. They raise
`ContractError`, an `AssertionError` that says what was expected, what came, and where. They need no test framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .contract import ContractError as ContractError
    from .decoders import check_decoder as check_decoder
    from .encoders import check_encoder as check_encoder

_HOME = {"ContractError": "contract", "check_decoder": "decoders", "check_encoder": "encoders"}
__all__ = sorted(_HOME)
__getattr__ = lazily(__name__, _HOME)
