"""From observations to spikes: `make` gives an encoder for use by itself, `SpikeEncoder` is what one of your own must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .protocol import SpikeEncoder as SpikeEncoder
    from .standalone import Encoder as Encoder
    from .standalone import make as make

_HOME = {"Encoder": "standalone", "SpikeEncoder": "protocol", "make": "standalone"}
__all__ = sorted(_HOME)
__getattr__ = lazily(__name__, _HOME)
