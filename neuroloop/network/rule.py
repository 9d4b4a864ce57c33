"""What every rule of plasticity on a projection has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parameters import Model, checked

if TYPE_CHECKING:
    from .._numba import Kernel
    from ..graph import Graph
    from .projection import Asked, Wired


class Rule(Model, frozen=True, kw_only=True):
    """Base of rules. A rule also lets the spikes travel, since both walk the same rows of weights."""

    def check(self, where: str, asked: Asked, dt: float) -> None:
        """Raise `ConfigError` if the rule cannot be on such a projection."""
        checked(self, f"{where}.plasticity")

    def add(self, graph: Graph, wired: Wired, asked: Asked) -> tuple[Kernel, int]:
        """Add state and calls to the graph. Returns the kernel and the part that bring all weights up to date."""
        raise NotImplementedError
