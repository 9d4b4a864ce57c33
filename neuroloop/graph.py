"""The linker: parts ask for state, rows and calls; `Graph.link` lays everything out in three pools and lists of calls.

Whoever adds a population, a projection, a selection or a learner asks the graph for its arrays, gets symbols back, writes
them into a row, and says which kernel runs on that row in which phase of a control step.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence
from enum import Flag, IntEnum, auto
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._numba import Kernel
from .errors import ConfigError
from .rows import BLOCK, HEAD, Head
from .settings import ClockConfig

PoolName = Literal["f4", "i4", "f8"]
DTYPES: dict[PoolName, type[np.generic]] = {"f4": np.float32, "i4": np.int32, "f8": np.float64}


class Arena(IntEnum):
    """How long state lives: what a forward pass overwrites, what learning keeps, what grows row by row as cells first fire."""

    TRANSIENT = 0
    LASTING = 1
    GROWING = 2


class Phase(IntEnum):
    """The order inside a control step; hundreds separate the lists that run once before, at every step, and once after."""

    SENSE = 0  # normalise the observation
    STATISTICS = 1  # of rewards
    RANGE = 2  # of values
    ENCODE = 3  # which input neurons are active, and how
    RESET = 4  # counters, and membranes that forget at every decision
    PAY = 5  # weights of active rows are made, or brought up to date
    SUM = 6  # weights that act together are added up
    CORRECT = 7  # such sums, where weights must stay as they are
    EXPECT = 8  # what the weights alone predict; an episode's first currents
    COMPETE = 9  # the predicted policy, exploration; an episode's first membranes
    REWARD = 10  # neuromodulators that were given change weights by the eligibility as the step before left it
    FIRE = 100  # input neurons fire, traces follow
    DELIVER = 101  # spikes become currents
    SELECT = 102  # competition among groups
    INTEGRATE = 103  # membranes; spikes
    PAIR = 104  # plasticity notes what fired together
    TRAVEL = 105  # spikes reach their targets; plasticity on the way
    RECORD = 106  # monitors
    TEACH = 200  # value, TD error, neuromodulators
    CHANGE = 201  # weights by the eligibility as it was, then eligibility by the new pairings
    FORGET = 202  # traces and slots
    WATCH = 203  # numbers that are not finite
    DECODE = 204  # spikes become commands
    LIMIT = 205  # and commands actions


class Mode(Flag):
    """What a control step is for."""

    ACT = auto()  # decide, and learn from the reward of the decision before
    WARM_UP = auto()  # decide at random, gather statistics
    LOOK = auto()  # decide without learning
    TERMINATE = auto()  # the episode ended: its last reward, no future
    CLOSE = auto()  # the episode was cut off: traces end
    CLOSE_WARM_UP = auto()  # an episode of the warm-up ended: its last reward counts in the statistics


class Region(NamedTuple):
    """An array in the growing arena: `width` numbers for each row that a cell was given."""

    name: str
    pool: PoolName
    offset: int
    rows: int
    width: int


class Array(NamedTuple):
    """An array that has a name."""

    pool: PoolName
    offset: int
    shape: tuple[int, ...]


class Index(NamedTuple):
    """Numbers of an int32 array that kernels use as indices, so that a damaged checkpoint cannot make them stray."""

    array: str  # "i4", or the name of a growing array
    start: int
    stop: int | None
    stride: int
    least: int
    below: int | None  # None: the number of rows in use


class _Call(NamedTuple):
    phase: Phase
    kernel: Kernel
    part: int
    modes: Mode


class Linked(NamedTuple):
    """What `Graph.link` made: the pools, where their arenas end, the rows, the calls of every mode, names for the rest."""

    pools: dict[PoolName, NDArray[Any]]
    transient: dict[PoolName, int]  # a pool's transient part ends here
    fixed: dict[PoolName, int]  # and its growing part begins here
    rows: NDArray[np.int64]
    calls: dict[Mode, tuple[NDArray[np.int64], tuple[int, int, int]]]
    signals: dict[str, int]
    named: dict[str, Array]
    regions: tuple[Region, ...]
    indices: tuple[Index, ...]
    constants: tuple[Array, ...]
    checks: tuple[Callable[[NDArray[Any]], bool], ...]  # of the int32 pool
    shared: tuple[NDArray[Any], ...]  # arrays outside the pools that rows point to
    wiped: tuple[Array, ...]  # lasting arrays that an episode begins without
    settlers: NDArray[np.int64]  # (n, 2): kernel and part of what must run before weights are read
    n_rows: int | None  # where in the int32 pool the number of rows in use stands


class Shared(int):
    """The address of an array outside the pools: structure that never changes, common to all instances."""


class RowOf(int):
    """The number of a part; in a row it becomes the address of that part's own row."""


Fill = Callable[[NDArray[Any]], None]
_POSITION_BITS = 40  # a symbol is an offset before linking: (pool and arena) << 40 | position


Check = Callable[[Callable[[int, int], NDArray[Any]]], bool]


class Graph:
    """Collects the parts of a network. All randomness of construction comes from `rng`."""

    def __init__(self, clock: ClockConfig, seed: int) -> None:
        self.clock = clock
        self.seed = seed
        self.rng = np.random.default_rng([seed, 0x6E6C])
        self._sizes = {(pool, arena): 0 for pool in DTYPES for arena in Arena}
        self._fills: list[tuple[PoolName, int, int, Fill]] = []
        self._shared: list[NDArray[Any]] = []
        self._settlers: list[tuple[Kernel, int]] = []
        self._wiped: list[Array] = []
        self._rows: list[tuple[int, ...]] = []
        self._calls: list[_Call] = []
        self._regions: list[Region] = []
        self._signals: dict[str, int] = {}
        self._named: dict[str, Array] = {}
        self._indices: list[Index] = []
        self._constants: list[Array] = []
        self._checks: list[Check] = []
        self._n_rows: int | None = None
        self.f8(len(Head._fields), arena=Arena.TRANSIENT)

    def steps(self, seconds: float) -> float:
        """A time in steps of the network."""
        return seconds / self.clock.dt

    def f4(self, size: int, value: ArrayLike | Fill | None = None, arena: Arena = Arena.TRANSIENT) -> int:
        """Symbol of a new float32 array."""
        return self._take("f4", size, value, arena)

    def i4(self, size: int, value: ArrayLike | Fill | None = None, arena: Arena = Arena.TRANSIENT) -> int:
        """Symbol of a new int32 array."""
        return self._take("i4", size, value, arena)

    def f8(self, size: int, value: ArrayLike | Fill | None = None, arena: Arena = Arena.LASTING) -> int:
        """Symbol of a new float64 array."""
        return self._take("f8", size, value, arena)

    def fill(self, pool: PoolName, symbol: int, values: NDArray[Any]) -> None:
        """Have numbers of an array that was taken before begin with `values`."""
        self._fills.append((pool, symbol, values.size, functools.partial(np.copyto, src=values)))

    def shared(self, array: NDArray[Any]) -> Shared:
        """The address of an array that never changes; the graph, and what it links to, keep the array alive."""
        self._shared.append(np.ascontiguousarray(array))
        return Shared(self._shared[-1].ctypes.data)

    def growing(self, name: str, pool: PoolName, rows: int, width: int) -> int:
        """Symbol of an array of `rows` × `width`, of which only the rows given to cells are in use and are saved.

        The whole of it is reserved at once; the operating system commits memory when a row is first touched.
        """
        offset = self._take(pool, rows * width, None, Arena.GROWING)
        self._regions.append(Region(name, pool, offset, rows, width))
        return offset

    def rows_in_use(self, n_rows: int) -> None:
        """Name the i4 number that counts the rows in use of all growing arrays."""
        self._n_rows = n_rows

    def name(self, name: str, pool: PoolName, symbol: int, shape: tuple[int, ...]) -> None:
        """Make an array readable by name."""
        self._named[name] = Array(pool, symbol, shape)

    def symbol_of(self, name: str) -> int:
        """Symbol of an array that was named before."""
        return self._named[name].offset

    def index(self, symbol: int, size: int, below: int | None, least: int = 0, stride: int = 1) -> None:
        """Say that numbers of an int32 array are indices from `least` to `below` − 1 (None: the rows in use)."""
        self._indices.append(Index("i4", symbol, symbol + size, stride, least, below))

    def constant(self, pool: PoolName, symbol: int, size: int) -> None:
        """Say that an array never changes: a checkpoint must hold the same, or it belongs to another network."""
        self._constants.append(Array(pool, symbol, (size,)))

    def consistent(self, check: Check) -> None:
        """Have int32 state of a checkpoint checked: `check(read)` with `read(symbol, size)` says whether it can be."""
        self._checks.append(check)

    def row_index(self, array: str, column: int, width: int, below: int, least: int = 0) -> None:
        """The same for a column of a growing array."""
        self._indices.append(Index(array, column, None, width, least, below))

    def signal(self, name: str, value: float = 0.0) -> int:
        """Symbol of the scalar `name` in the float64 pool, the same for every part that names it; the first one sets it."""
        if name not in self._signals:
            self._signals[name] = self.f8(1, value)
        return self._signals[name]

    @staticmethod
    def stream(name: str) -> int:
        """The number of the random stream `name`."""
        return zlib.crc32(name.encode())

    @property
    def n_parts(self) -> int:
        """Rows added so far: the number of the next one."""
        return len(self._rows)

    def part(self, row: Sequence[int]) -> int:
        """Add a row; returns the number of the part."""
        self._rows.append(tuple(value if isinstance(value, Shared | RowOf) else int(value) for value in row))
        return len(self._rows) - 1

    def call(self, phase: Phase, kernel: Kernel, part: int, modes: Mode) -> None:
        """Run `kernel` on `part` in `phase` of the control steps of `modes`; calls of one phase keep the order of adding."""
        self._calls.append(_Call(phase, kernel, part, modes))

    def wipe(self, pool: PoolName, symbol: int, size: int) -> None:
        """Say that an array is zero when an episode begins, though it lies in the lasting arena."""
        self._wiped.append(Array(pool, symbol, (size,)))

    def settle(self, kernel: Kernel, part: int) -> None:
        """Have `kernel` run on `part` before anybody reads weights: it brings up to date what was put off."""
        self._settlers.append((kernel, part))

    def fingerprint(self) -> int:
        """A number for what was built so far: rows, and arrays that never change. Addresses do not count."""
        rows = [[0 if isinstance(entry, Shared) else int(entry) for entry in row] for row in self._rows]
        number = zlib.crc32(repr(rows).encode())
        for array in self._shared:
            number = zlib.crc32(array.reshape(-1).view(np.uint8).data, number)
        return number

    def _take(self, pool: PoolName, size: int, value: ArrayLike | Fill | None, arena: Arena) -> int:
        position = self._sizes[pool, arena]
        self._sizes[pool, arena] += -(-size // BLOCK) * BLOCK
        symbol = (list(self._sizes).index((pool, arena)) + 1 << _POSITION_BITS) | position
        if callable(value):
            self._fills.append((pool, symbol, size, value))
        elif value is not None:
            array = np.broadcast_to(np.asarray(value, DTYPES[pool]).ravel(), (size,))
            self._fills.append((pool, symbol, size, functools.partial(np.copyto, src=array)))
        return symbol

    def place(self, symbol: int) -> int:
        """Where a symbol lies in its pool; other numbers stay as they are. Sizes must be final."""
        section = 0 if isinstance(symbol, Shared) else symbol >> _POSITION_BITS
        if section <= 0:
            return symbol
        pool, arena = list(self._sizes)[section - 1]
        return (symbol & (1 << _POSITION_BITS) - 1) + sum(self._sizes[pool, a] for a in Arena if a < arena)

    def link(self) -> Linked:
        """Lay out the pools and resolve every row; loads or compiles the kernels that are used."""
        try:
            pools = {pool: np.zeros(sum(self._sizes[pool, a] for a in Arena), DTYPES[pool]) for pool in DTYPES}
        except (MemoryError, ValueError):
            raise ConfigError("the network does not fit into memory: fewer modules, tiles or neurons") from None
        for pool, symbol, size, fill in self._fills:
            fill(pools[pool][self.place(symbol) :][:size])
        pools["f8"][HEAD.seed] = self.seed
        rows = np.zeros((len(self._rows), max(map(len, self._rows))), np.int64)
        for part, row in enumerate(self._rows):
            rows[part, : len(row)] = [
                rows.ctypes.data + entry * rows.strides[0] if isinstance(entry, RowOf) else self.place(entry)
                for entry in row
            ]
        ends = {
            arena: {pool: sum(self._sizes[pool, a] for a in Arena if a <= arena) for pool in DTYPES} for arena in Arena
        }
        return Linked(
            pools=pools,
            transient=ends[Arena.TRANSIENT],
            fixed=ends[Arena.LASTING],
            rows=rows,
            calls={mode: self._calls_of(mode) for mode in Mode},
            signals={name: self.place(symbol) for name, symbol in self._signals.items()},
            named={name: array._replace(offset=self.place(array.offset)) for name, array in self._named.items()},
            regions=tuple(region._replace(offset=self.place(region.offset)) for region in self._regions),
            constants=tuple(array._replace(offset=self.place(array.offset)) for array in self._constants),
            checks=tuple(self._bind(check) for check in self._checks),
            indices=tuple(self._place_index(index) for index in self._indices),
            shared=tuple(self._shared),
            wiped=tuple(array._replace(offset=self.place(array.offset)) for array in self._wiped),
            settlers=np.array([(kernel.address, part) for kernel, part in self._settlers], np.int64).reshape(-1, 2),
            n_rows=None if self._n_rows is None else self.place(self._n_rows),
        )

    def _place_index(self, index: Index) -> Index:
        start = self.place(index.start)
        return index._replace(start=start, stop=None if index.stop is None else start + index.stop - index.start)

    def _bind(self, check: Check) -> Callable[[NDArray[Any]], bool]:
        return lambda i4: check(lambda symbol, size: i4[self.place(symbol) :][:size])

    def _calls_of(self, mode: Mode) -> tuple[NDArray[np.int64], tuple[int, int, int]]:
        chosen = sorted((call for call in self._calls if mode in call.modes), key=lambda call: call.phase)
        table = np.array([(call.kernel.address, call.part) for call in chosen], np.int64).reshape(-1, 2)
        per_list = [sum(call.phase // 100 == which for call in chosen) for which in range(3)]
        return table, (per_list[0], per_list[1], per_list[2])
