"""A neuromodulator: numbers that arrive from outside and turn eligibility, or activity, into changes of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Arena, Graph
from .parameters import Range, number

if TYPE_CHECKING:
    from .network import Network


class Modulator:
    """One number for everybody, or one for each of `n` postsynaptic neurons. Holds until it is set again."""

    def __init__(self, network: Network, name: str, n: int) -> None:
        self.network, self.name, self.n = network, name, n
        self.symbol = 0

    def build(self, graph: Graph) -> None:
        """Add it to the graph."""
        self.symbol = graph.f8(self.n, 0.0, Arena.LASTING)
        graph.name(f"{self.name}.value", "f8", self.symbol, (self.n,))

    @property
    def value(self) -> NDArray[np.float64]:
        """A live view, shape (n,)."""
        return self.network.view(f"{self.name}.value")

    @value.setter
    def value(self, value: Any) -> None:
        self.value[:] = number(value, Range(), f"{self.name}.value", self.n)
