"""A linked graph at work: three pools, and one compiled call for each control step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .._numba import places
from ..errors import CheckpointError
from ..graph import DTYPES, Graph, Index, Mode, PoolName, Region
from ..rows import HEAD
from ..walk import Plan, walk

State = dict[str, NDArray[Any]]
_PLAN = places(Plan)


class Engine:
    """Owns all state of a network.

    `transient` state is what a forward pass overwrites (membranes, currents, spikes); the rest is what learning keeps.
    """

    def __init__(self, graph: Graph) -> None:
        linked = graph.link()
        self._linked = linked
        self._pools = linked.pools
        self._f8 = linked.pools["f8"]
        self._calls = linked.calls  # keeps the tables alive that the plans point to
        self._n_steps = graph.clock.n_steps
        self._plans = {mode: self.plan(mode) for mode in Mode}
        self._start = self.transient()

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a network cannot be copied, its plans hold addresses: save the agent and load it again")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a network cannot be pickled: save the agent and load it again")

    def plan(
        self,
        mode: Mode,
        source: int | None = None,
        output: int | None = None,
        pools: Mapping[PoolName, NDArray[Any]] | None = None,
    ) -> NDArray[np.int64]:
        """The control step of a mode, as `walk` takes it; `source`, `output`: parts whose axons take and give spikes.

        `pools`: those of an instance, if not the engine's own.
        """
        pools = self._pools if pools is None else pools
        table, sizes = self._calls[mode]
        rows = self._linked.rows
        address = [0 if part is None else rows.ctypes.data + rows.strides[0] * part for part in (source, output)]
        plan = Plan(
            f4=pools["f4"].ctypes.data, i4=pools["i4"].ctypes.data, f8=pools["f8"].ctypes.data, rows=rows.ctypes.data,
            row_length=rows.shape[1], calls=table.ctypes.data, n_begin=sizes[0], n_step=sizes[1], n_end=sizes[2],
            n_steps=self._n_steps if sizes[1] or source is not None else 0, source=address[0], output=address[1],
        )  # fmt: skip
        return np.array(plan, np.int64)

    @staticmethod
    def hand_out_to(plan: NDArray[np.int64], ids: NDArray[np.int32], offsets: NDArray[np.int32]) -> None:
        """Where the control steps of a plan copy the spikes of its output; the arrays must outlive the plan."""
        plan[_PLAN.output_ids], plan[_PLAN.output_offsets] = ids.ctypes.data, offsets.ctypes.data

    @property
    def pools(self) -> dict[PoolName, NDArray[Any]]:
        """The pools themselves."""
        return self._pools

    @property
    def settlers(self) -> NDArray[np.int64]:
        """Kernel and part of what must run before weights are read, shape (n, 2)."""
        return self._linked.settlers

    def head(self, place: int) -> float:
        """One of the numbers of `Head`."""
        return float(self._f8[place])

    def set_head(self, place: int, value: float) -> None:
        """Set one of the numbers of `Head`."""
        self._f8[place] = value

    def run(
        self, mode: Mode, *, reward: float = 0.0, first: bool = False, ended: bool = False, fresh: bool = False
    ) -> None:
        """Run one control step."""
        f8 = self._f8
        f8[HEAD.reward], f8[HEAD.first], f8[HEAD.ended], f8[HEAD.fresh] = reward, first, ended, fresh
        walk(self._plans[mode])

    def signal(self, name: str) -> float:
        """The value of a named scalar."""
        return float(self._f8[self._linked.signals[name]])

    def place(self, name: str) -> int:
        """Where in its pool a named array or scalar begins."""
        named = self._linked.named
        return named[name].offset if name in named else self._linked.signals[name]

    @property
    def tick(self) -> int:
        """Control steps run so far."""
        return int(self._f8[HEAD.tick])

    def view(self, name: str, pools: Mapping[PoolName, NDArray[Any]] | None = None) -> NDArray[Any]:
        """A live view of a named array; `names` lists them. In pools of instances, of all instances: shape (n, …)."""
        pool, offset, shape = self._linked.named[name]
        array = (self._pools if pools is None else pools)[pool]
        return array[..., offset : offset + int(np.prod(shape))].reshape((*array.shape[:-1], *shape))

    @property
    def names(self) -> list[str]:
        """Names of the arrays that `view` shows."""
        return sorted(self._linked.named)

    @property
    def signals(self) -> list[str]:
        """Names of the scalars that `signal` reads."""
        return sorted(self._linked.signals)

    @property
    def growing(self) -> list[str]:
        """Names of the arrays that `rows_of` shows."""
        return sorted(region.name for region in self._linked.regions)

    def rows_of(self, name: str) -> NDArray[Any]:
        """A live view of the rows in use of a growing array, shape (n_rows, width)."""
        return self._rows_of(next(region for region in self._linked.regions if region.name == name))

    def transient(self) -> State:
        """A copy of what a forward pass overwrites."""
        return {pool: array[: self._linked.transient[pool]].copy() for pool, array in self._pools.items()}

    def begin_anew(self, pools: Mapping[PoolName, NDArray[Any]]) -> None:
        """Overwrite what a forward pass overwrites by what it was at the start, and wipe eligibility; clocks go on.

        `pools`: the engine's own, or those of an instance.
        """
        head = pools["f8"][: len(HEAD)].copy()
        for name, start in self._start.items():
            pools[name][: start.size] = start  # type: ignore[index]
        pools["f8"][: len(HEAD)] = head
        for pool, offset, (size,) in self._linked.wiped:
            pools[pool][offset:][:size] = 0

    @contextlib.contextmanager
    def visiting(self, state: State | None) -> Iterator[None]:
        """Work from a transient `state` (None: at rest) for a while; afterwards all is as it was before."""
        mine = self.transient()
        self._overwrite(self._start if state is None else state)
        try:
            yield
        finally:
            self._overwrite(mine)

    def fits(self, state: Any) -> bool:
        """Whether `state` looks like a transient state of this network."""
        return isinstance(state, dict) and all(
            isinstance(state.get(pool), np.ndarray)
            and (state[pool].shape, state[pool].dtype) == (array.shape, array.dtype)
            for pool, array in self._start.items()
        )

    def _overwrite(self, transient: State) -> None:
        for pool, array in self._pools.items():
            array[: self._linked.transient[pool]] = transient[pool]

    def layout(self) -> tuple[Any, ...]:
        """What the network is made of and how its arrays lie: networks alike in this can have each other's state."""
        linked = self._linked
        calls = {mode: (table.tobytes(), sizes) for mode, (table, sizes) in linked.calls.items()}
        return linked.named, linked.signals, linked.fixed, linked.transient, linked.regions, linked.rows.shape, calls

    @property
    def n_rows(self) -> int:
        """Rows of weights that cells were given."""
        return 0 if self._linked.n_rows is None else int(self._pools["i4"][self._linked.n_rows])

    def state(self) -> State:
        """A copy of all that changes: the fixed part of each pool, and of the growing arrays the rows in use."""
        return {name: array.copy() for name, array in self.views().items()}

    def views(self) -> State:
        """What `state` copies, itself: good until the next control step."""
        fixed: State = {pool: array[: self._linked.fixed[pool]] for pool, array in self._pools.items()}
        return fixed | {region.name: self._rows_of(region) for region in self._linked.regions}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. If it does not fit, raises `CheckpointError` and changes nothing."""
        if not isinstance(state, Mapping):
            raise CheckpointError(f"network: state must be a dictionary of arrays, got {type(state).__name__}")
        expected = {pool: (self._linked.fixed[pool],) for pool in DTYPES}
        for pool, shape in expected.items():
            _check(state, pool, DTYPES[pool], shape)
        place = self._linked.n_rows
        n_rows = 0 if place is None else int(state["i4"][place])
        for region in self._linked.regions:
            if not 0 <= n_rows <= region.rows:
                raise CheckpointError(f"network: {n_rows} rows in use, but {region.name} has {region.rows}")
            _check(state, region.name, DTYPES[region.pool], (n_rows, region.width))
        for index in self._linked.indices:
            _check_index(state, index, n_rows)
        for pool, offset, (size,) in self._linked.constants:
            if not np.array_equal(state[pool][offset:][:size], self._pools[pool][offset:][:size]):
                raise CheckpointError("network: was built differently, by another version or with other settings")
        if not all(check(state["i4"]) for check in self._linked.checks):
            raise CheckpointError("network: array 'i4' contradicts itself")
        for name in ("f4", "f8", *(region.name for region in self._linked.regions)):
            if not np.isfinite(state[name]).all():
                raise CheckpointError(f"network: array {name!r} holds numbers that are not finite")
        for what in (HEAD.clock, HEAD.tick, HEAD.seed):
            if not 0.0 <= state["f8"][what] < 2.0**53 or state["f8"][what] % 1.0:
                raise CheckpointError("network: array 'f8' holds a time or a seed that is not a whole number")
        for pool, array in self._pools.items():
            array[: self._linked.fixed[pool]] = state[pool]
        for region in self._linked.regions:
            self._rows_of(region)[:] = state[region.name]

    def _rows_of(self, region: Region) -> NDArray[Any]:
        size = self.n_rows * region.width
        return self._pools[region.pool][region.offset : region.offset + size].reshape(-1, region.width)


def _check(state: Mapping[str, NDArray[Any]], name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if name not in state or not isinstance(state[name], np.ndarray):
        raise CheckpointError(f"network: array {name!r} is missing")
    if state[name].shape != shape or state[name].dtype != dtype:
        came = f"{state[name].dtype}{list(state[name].shape)}"
        raise CheckpointError(f"network: array {name!r} should be {np.dtype(dtype)}{list(shape)}, is {came}")


def _check_index(state: Mapping[str, NDArray[Any]], index: Index, n_rows: int) -> None:
    values = state[index.array].reshape(-1)[index.start : index.stop : index.stride]
    below = n_rows if index.below is None else index.below
    if values.size and not (values.min() >= index.least and values.max() < below):
        raise CheckpointError(f"network: array {index.array!r} holds an index outside {index.least} … {below - 1}")
