"""From spikes to actions: `make` builds a decoder that works by itself, `Decoder` is what one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .protocol import Decoder as Decoder
    from .standalone import make as make

_HOME = {"Decoder": "protocol", "make": "standalone"}
__all__ = sorted(_HOME)
__getattr__ = lazily(__name__, _HOME)
