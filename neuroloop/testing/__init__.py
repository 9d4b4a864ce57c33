"""Checks for parts of your own: what every encoder and decoder of neuroloop keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decoders import check_decoder as check_decoder

__all__ = ["check_decoder"]


def __getattr__(name: str) -> Any:
    if name == "check_decoder":
        from .decoders import check_decoder

        return check_decoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
