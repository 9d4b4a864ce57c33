"""What a controller's network does, for those who watch it: spikes of populations, cells, and named numbers, by views."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .controller import Controller, SpikingController

NUMBERS = ("value", "td_error", "modulator.critic", "modulator.others", "novelty", "success", "awake")


class Activity:
    """Views of the latest control step, which the next one overwrites; empty for a controller without a network.

    TD error and neuromodulator are those of the reward that came with the observation.
    """

    def __init__(self, controller: Controller) -> None:
        network = controller.network if isinstance(controller, SpikingController) else None
        names: list[str] = [] if network is None else network.names

        def views(pattern: str) -> dict[str, NDArray[Any]]:
            found = {name: re.fullmatch(pattern, name) for name in names}
            return {match[1]: network.view(name) for name, match in found.items() if match}  # type: ignore[union-attr]

        self.counts: dict[str, NDArray[np.int32]] = views(r"population\.(.+)\.counts")  # spikes of each neuron
        self.rasters: dict[str, NDArray[np.int32]] = views(r"(?:population\.)?(.+)\.raster")  # (words, n); inputs too
        self.cells: dict[str, NDArray[np.int32]] = views(r"(encoder.*)\.cells")  # conjunctive cells that fire
        self.numbers = tuple(name for name in NUMBERS if network is not None and name in network.signals)
        self._f8 = np.zeros(0) if network is None else network.pools["f8"]
        self._places = np.array([0 if network is None else network.place(name) for name in self.numbers], np.intp)

    def read(self) -> list[float]:
        """The numbers named by `numbers`."""
        numbers: list[float] = self._f8.take(self._places).tolist()
        return numbers
