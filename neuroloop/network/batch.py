"""Many copies of a network side by side, advanced by one call: each with its own state, weights, input and reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BadInput
from ..rows import HEAD
from ..types import Spikes
from ..walk import FULL, OK, tick_all
from .parameters import numbers, whole

if TYPE_CHECKING:
    from .modulator import Modulator
    from .network import Network
    from .population import Population
    from .projection import Projection
    from .running import Running


class Batch:
    """`n` copies of a network as it stands, state and weights included; structure that never changes is shared.

    `seeds` gives each its own random numbers; a copy with the seed of the network does what the network alone would do, bit
    for bit.
    """

    def __init__(self, network: Network, running: Running, n: int, seeds: Sequence[int] | None = None) -> None:
        self.network, self.n, self._running = network, whole(n, 1, 2**20, "batch"), running
        if network.monitors:
            raise BadInput("batch: copies are not recorded; make the network without monitors")
        if len(running.inputs) > 1:
            raise BadInput(f"batch: needs a network with at most one input, got {', '.join(running.inputs)}")
        self._pools: Any = {name: np.stack([pool] * n) for name, pool in running.engine.pools.items()}
        if seeds is not None:
            if not isinstance(seeds, Sequence | np.ndarray) or len(seeds) != n:
                raise BadInput(f"seeds: must be {n} whole numbers, got {seeds!r}")
            own = [whole(seed, 0, 2**53 - 1, f"seeds[{b}]") for b, seed in enumerate(seeds)]
            self._pools["f8"][:, HEAD.seed] = own
        self._plans, self._out = running.instances(self._pools, n)
        self._verdicts = np.zeros(n, np.int64)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a batch cannot be pickled: its plans hold addresses")

    def run(self, spikes: Sequence[Spikes | None], rewards: ArrayLike = 0.0) -> list[Spikes]:
        """One control step of every copy, on several threads: see `Network.run`. Returns views of each copy's output.

        Spikes that are refused name the copy, which stays where it was; the others have gone on.
        """
        if not isinstance(spikes, Sequence) or isinstance(spikes, Spikes) or len(spikes) != self.n:
            raise BadInput(f"run: needs a list of Spikes, one for each of {self.n} copies")
        paid = numbers(rewards, "rewards")
        if paid.shape not in ((), (self.n,)) or not np.isfinite(paid).all():
            raise BadInput(f"rewards: must be finite, one number or {self.n}, got {rewards!r}")
        tick_all(
            self._plans, *self._stacked(spikes), np.ascontiguousarray(np.broadcast_to(paid, self.n)), self._verdicts
        )
        for b in np.flatnonzero((self._verdicts != OK) & (self._verdicts != FULL)):
            pools = {name: pool[b] for name, pool in self._pools.items()}
            self._running.refuse(int(self._verdicts[b]), pools=pools, copy=f"copy {b}: ")
        return self._out

    def reset(self, copies: Sequence[int] | None = None) -> None:
        """Begin an episode in some of the copies, or in all: see `Network.reset`."""
        for b in range(self.n) if copies is None else [whole(b, 0, self.n - 1, "reset") for b in copies]:
            self._running.settle(self._plans[b])
            self._running.engine.begin_anew({name: pool[b] for name, pool in self._pools.items()})

    def _stacked(self, spikes: Sequence[Spikes | None]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        n_steps = self.network.n_steps
        silence = Spikes.none(n_steps)
        given = [as_int32(silence if one is None else one, f"copy {b}") for b, one in enumerate(spikes)]
        width = max(1, *(ids.size for ids, _ in given))
        all_ids, all_offsets = np.full((self.n, width), -1, np.int32), np.empty((self.n, n_steps + 1), np.int32)
        for b, (ids, offsets) in enumerate(given):
            if offsets.size != n_steps + 1 or offsets[-1] > ids.size:
                raise BadInput(f"copy {b}: offsets must be {n_steps + 1} rising numbers from 0 to the number of ids")
            all_ids[b, : ids.size], all_offsets[b] = ids, offsets
        return all_ids, all_offsets

    def view(self, part: Population | Projection | Modulator, variable: str) -> NDArray[Any]:
        """A live view of an array of all copies, shape (n, …): a population's state, a projection's weights."""
        for plan in self._plans:
            self._running.settle(plan)
        return self.network.view(f"{getattr(part, 'name', part)}.{variable}", self._pools)


def as_int32(spikes: Any, where: str = "run") -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Arrays of the right kind, or `BadInput`."""
    if not isinstance(spikes, Spikes):
        raise BadInput(f"{where}: needs Spikes, got {type(spikes).__name__}")
    try:
        ids, offsets = np.asarray(spikes.ids), np.asarray(spikes.offsets)
    except (TypeError, ValueError):
        raise BadInput(f"{where}: ids and offsets must be whole numbers in one dimension") from None
    for name, array in (("ids", ids), ("offsets", offsets)):
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise BadInput(
                f"{where}: {name} must be whole numbers in one dimension, got {array.dtype} of shape {array.shape}"
            )
        if array.size and not (array.min() >= -(2**31) and array.max() < 2**31):
            raise BadInput(f"{where}: {name} are out of range")
    return np.ascontiguousarray(ids, np.int32), np.ascontiguousarray(offsets, np.int32)
