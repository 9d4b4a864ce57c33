"""From spikes to actions: `make` builds a decoder that works by itself, `Decoder` is what one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .protocol import Decoder as Decoder
    from .standalone import make as make

__all__ = ["Decoder", "make"]


def __getattr__(name: str) -> Any:
    if name == "make":
        from .standalone import make

        return make
    if name == "Decoder":
        from .protocol import Decoder

        return Decoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
