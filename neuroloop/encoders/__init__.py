"""From observations to spikes: `make` gives an encoder for use by itself, `SpikeEncoder` is what one of your own must be."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .protocol import SpikeEncoder as SpikeEncoder
    from .standalone import Encoder as Encoder
    from .standalone import make as make

_HOME = {"Encoder": "standalone", "SpikeEncoder": "protocol", "make": "standalone"}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
