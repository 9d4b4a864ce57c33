"""Many copies of a network side by side, advanced by one call: each with its own state, weights, input and reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BadInput, DivergedError
from ..rows import HEAD
from ..types import Spikes
from ..walk import FAULT, FULL, OK, call_all, tick_all

if TYPE_CHECKING:
    from .network import Network
    from .population import Population
    from .projection import Projection


class Batch:
    """`n` copies of a network as it stands, state and weights included; structure that never changes is shared.

    `seeds` gives each its own random numbers; a copy with the seed of the network does what the network alone would do, bit
    for bit.
    """

    def __init__(self, network: Network, n: int, seeds: Sequence[int] | None = None) -> None:
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise BadInput(f"n: must be a whole number ≥ 1, got {n!r}")
        if seeds is not None and (len(seeds) != n or not all(0 <= seed < 2**53 for seed in seeds)):
            raise BadInput(f"seeds: must be {n} whole numbers from 0 to 2**53 - 1, got {seeds!r}")
        engine = network._build()
        if network._monitors:
            raise BadInput("batch: copies are not recorded; make the network without monitors")
        self.network, self.n = network, n
        self._pools = {name: np.stack([pool] * n) for name, pool in engine.pools.items()}
        if seeds is not None:
            self._pools["f8"][:, HEAD.seed] = seeds
        self._plans, self._out = network._plans_for(self._pools, n)
        self._verdicts = np.zeros(n, np.int64)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a batch cannot be pickled: its plans hold addresses")

    def run(self, spikes: Sequence[Spikes | None], rewards: ArrayLike = 0.0) -> list[Spikes]:
        """One control step of every copy, on several threads: see `Network.run`. Returns views of each copy's output."""
        if len(spikes) != self.n:
            raise BadInput(f"run: needs Spikes for each of {self.n} copies, got {len(spikes)}")
        paid = np.broadcast_to(np.asarray(rewards, np.float64), (self.n,))
        if not np.isfinite(paid).all():
            raise BadInput(f"rewards: must be finite, got {rewards!r}")
        ids, offsets = self._stacked(spikes)
        tick_all(self._plans, ids, offsets, np.ascontiguousarray(paid), self._verdicts)
        for b in np.flatnonzero((self._verdicts != OK) & (self._verdicts != FULL)):
            if self._verdicts[b] == FAULT:
                raise DivergedError(f"copy {b}: state is no longer finite, or a delay overflowed")
            try:
                self.network._answer(int(self._verdicts[b]))
            except BadInput as error:
                raise BadInput(f"copy {b}: {error}") from None
        return self._out

    def _stacked(self, spikes: Sequence[Spikes | None]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        given = [self.network._silence if one is None else one for one in spikes]
        for b, one in enumerate(given):
            if not isinstance(one, Spikes) or np.shape(one.offsets) != (self.network.n_steps + 1,):
                raise BadInput(f"run: copy {b} needs Spikes with {self.network.n_steps + 1} offsets")
        width = max(1, max(len(one.ids) for one in given))
        ids = np.full((self.n, width), -1, np.int32)
        for b, one in enumerate(given):
            ids[b, : len(one.ids)] = one.ids
        return ids, np.stack([np.asarray(one.offsets, np.int32) for one in given])

    def view(self, part: Population | Projection, variable: str) -> NDArray[Any]:
        """A live view of an array of all copies, shape (n, …): a population's state, a projection's weights."""
        engine = self.network._build()
        settlers = engine.settlers
        for plan in self._plans if len(settlers) else ():
            call_all(plan, settlers[:, 0].copy(), settlers[:, 1].copy())
        return engine.view(f"{part.name}.{variable}", self._pools)
