"""What the numerical tests share: a graph that keeps its parts readable and logs spikes, and small agents."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from neuroloop import assembly, config
from neuroloop._numba import kernel, places
from neuroloop.controller import SpikingController
from neuroloop.graph import Graph, Linked, Mode, Phase
from neuroloop.network.decision.lif import Population
from neuroloop.network.decision.source import Trace
from neuroloop.plasticity.broadcast import Rule as Broadcast
from neuroloop.rows import HEAD, i64
from neuroloop.settings import ClockConfig, SpikingConfig

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as shells start what runs behind: commands would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Log(NamedTuple):
    """Row of a log: what `source` holds, at every step of a control step."""

    n: int
    source: int
    log: int


at = places(Log)


@kernel
def write_down(f4, i4, row, f8):
    """Copy `source` into the log's line for this step."""
    line = row[at.log] + i64(f8[HEAD.step]) * row[at.n]
    for i in range(row[at.n]):
        f4[line + i] = f4[row[at.source] + i]


@kernel
def play(f4, i4, row, f8):
    """The opposite: `source` becomes the log's line for this step."""
    line = row[at.log] + i64(f8[HEAD.step]) * row[at.n]
    for i in range(row[at.n]):
        f4[row[at.source] + i] = f4[line + i]


class OpenGraph(Graph):
    """A graph whose parts can be read after linking. It logs the spikes of every population, and of neurons before one."""

    def __init__(self, clock: ClockConfig, seed: int) -> None:
        super().__init__(clock, seed)
        self.parts: list[Any] = []
        self.logs: dict[str, tuple[int, int]] = {}
        self._named_last = ""

    def name(self, name: str, pool: Any, symbol: int, shape: tuple[int, ...]) -> None:
        super().name(name, pool, symbol, shape)
        self._named_last = name

    def part(self, row: Any) -> int:
        self.parts.append(row)
        if isinstance(row, Population):  # `add_lif` named its arrays just before
            self.record(self._named_last.split(".")[1], row.fired, row.n)
        elif isinstance(row, Trace):
            self.record("pre", row.fired, row.n)
        elif isinstance(row, Broadcast):
            self.record("before", row.before, row.n_pre)
            self.record("after", row.after, row.n_post)
        return super().part(row)

    def record(self, name: str, source: int, n: int) -> None:
        """Log the float32 array `source` at every step, after all neurons were integrated."""
        self.logs[name] = self.f4(self.clock.n_steps * n), n
        part = super().part(Log(n, source, self.logs[name][0]))
        self.call(Phase.PAIR, write_down, part, Mode.ACT | Mode.LOOK)

    def script(self, lines: Any) -> int:
        """Symbol of a float32 array that is set to the next of `lines` at every step, before anything is delivered."""
        n = lines.shape[1]
        source, log = self.f4(n), self.f4(lines.size, lines)
        self.call(Phase.FIRE, play, super().part(Log(n, source, log)), Mode.ACT | Mode.LOOK)
        return source

    def link(self) -> Linked:
        linked = super().link()
        self._pools = linked.pools
        return linked

    def array(self, pool: Any, symbol: int, *shape: int) -> Any:
        """A live view of what a symbol stands for."""
        return self._pools[pool][self.place(symbol) :][: int(np.prod(shape))].reshape(shape)

    def log(self, name: str) -> Any:
        """What was logged in the latest control step, shape (n_steps, n)."""
        symbol, n = self.logs[name]
        return self.array("f4", symbol, self.clock.n_steps, n)

    def rows_of(self, kind: type) -> list[Any]:
        """The rows of a kind, with symbols as they are before linking."""
        return [row for row in self.parts if isinstance(row, kind)]


@pytest.fixture
def open_graph() -> Callable[..., OpenGraph]:
    """Makes a bare graph: `open_graph(n_steps=…, seed=…)`."""
    return lambda n_steps=20, seed=0: OpenGraph(ClockConfig(n_steps=n_steps), seed)


@pytest.fixture
def open_controller(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[SpikingController, OpenGraph]]:
    """Makes a controller and the graph that it was linked from."""
    made: list[OpenGraph] = []

    def make_graph(clock: ClockConfig, seed: int) -> OpenGraph:
        made.append(OpenGraph(clock, seed))
        return made[-1]

    def make(agent: SpikingConfig, observations: Any, actions: Any, seed: int) -> tuple[SpikingController, OpenGraph]:
        controller = SpikingController(agent, observations, actions, seed)
        return controller, made[-1]

    monkeypatch.setattr(assembly, "Graph", make_graph)
    return make


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(into.get(key), dict) and "kind" not in value
        into[key] = _merge(into[key], value) if nested else value
    return into


@pytest.fixture
def small_agent() -> Callable[..., SpikingConfig]:
    """Makes the configuration of a small actor-critic; keyword arguments are tables to change."""

    def make(**changes: Any) -> SpikingConfig:
        data = {
            "encoder": {"kind": "conjunctive", "modules": 6, "tiles": [3], "dimensions": [0.5, 0.5]},
            "population": {
                "critic": {"n": 20, "bias_spread": 0.12},
                "actor": {"n_per_action": 4, "tau_mem": 0.005, "bias": 2.0, "bias_spread": 0.12, "reset": "decision"},
            },
            "projection": {
                "value": {"pre": "encoder", "post": "critic", "bounds": [-6.0, 6.0], "plasticity": {"gain": 0.2}},
                "policy": {
                    "pre": "encoder", "post": "actor", "bounds": [-2.0, 2.0], "plasticity": {"gain": 0.5, "predictive": True}
                },
            },
            "decoder": {"population": "actor"},
            "learner": {"critic": "critic", "modulates": ["value", "policy"], "value_range": [-3.0, 3.0]},
        }  # fmt: skip
        made = config.from_dict(_merge(data, changes))
        assert isinstance(made, SpikingConfig)
        return made

    return make
