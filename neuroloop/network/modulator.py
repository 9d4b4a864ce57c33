"""A neuromodulator: numbers that arrive from outside and turn eligibility, or activity, into changes of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, ConfigError
from ..graph import Arena, Graph

if TYPE_CHECKING:
    from .network import Network


class Modulator:
    """One number for everybody, or one for each of `n` postsynaptic neurons. Holds until it is set again."""

    def __init__(self, network: Network, name: str, n: int) -> None:
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ConfigError(f"{name}.n: must be a whole number ≥ 1, got {n!r}")
        self.network, self.name, self.n = network, name, n
        self.symbol = 0

    def build(self, graph: Graph) -> None:
        """Add it to the graph."""
        self.symbol = graph.f8(self.n, 0.0, Arena.LASTING)
        graph.name(f"modulator.{self.name}", "f8", self.symbol, (self.n,))

    @property
    def value(self) -> NDArray[np.float64]:
        """A live view, shape (n,)."""
        return self.network._view(f"modulator.{self.name}")

    @value.setter
    def value(self, value: Any) -> None:
        array = np.asarray(value, np.float64)
        if array.shape not in ((), (self.n,)) or not np.isfinite(array).all():
            raise BadInput(f"modulator {self.name}: must be finite, one number or {self.n}, got {value!r}")
        self.value[:] = array
