"""What if: the same sensor stream through a changed rule or another network, beside what was recorded.

The changed controller sees what the recorded one saw and is paid what it was paid, whatever it would have done: its actions
change nothing in the stream. It begins as the recorded one did: where a setting changes numbers only, from the recorded
weights, with those numbers; where it changes what the network is made of, from fresh weights of the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..activity import Activity
from ..checkpoint import Checkpoint
from ..controller import Controller, SpikingController, make_controller
from ..errors import CheckpointError, NeuroloopError
from ..loop.seen import seen
from ..rows import HEAD
from ..settings import AgentConfig
from .comparing import Comparison, Difference
from .feeding import Feeder, state_of
from .recorded import Recorded

Spaces = tuple[Space[Any], Space[Any]]  # of observations and of actions
WEIGHTS = "weights"  # how the names of arrays of weights end


class Pair(NamedTuple):
    """A figure of the recorded run, and of the changed one; None where one has no such thing."""

    recorded: float | None
    changed: float | None


class Changed(NamedTuple):
    """How a changed controller differs."""

    settings: tuple[str, ...]  # what was changed: "learner.gamma: 0.99, now 0.9"
    begins: str  # with which weights
    ticks: int
    first: Difference | None  # the first thing that it does otherwise
    first_action: int | None  # the first tick with another action
    actions: float  # share of ticks with another action
    rms: tuple[float, ...]  # of actions that are numbers, by dimension
    spikes: dict[str, Pair]  # a tick, by population and input
    numbers: dict[str, Pair]  # means of value, TD error, neuromodulator, …
    numbers_rms: dict[str, float]  # of their differences
    weights: dict[str, float] | None  # norm of the difference to that of the recorded ones, at the end
    stopped: str | None  # why it went no further


def changed_controller(
    start: Checkpoint, own: AgentConfig, other: AgentConfig, both: Spaces, seed: int
) -> tuple[Controller, str]:
    """The controller of another configuration, and with which weights it begins. Raises `BadInput`."""
    controller, twin = make_controller(other, *both, seed), make_controller(own, *both, seed)
    fresh, before, recorded = controller.state(), twin.state(), state_of(start)
    if _built_alike(controller, twin, fresh, before):
        # what the settings changed is what differs between two newborn networks; all else is as it was recorded
        merged = {name: _merged(array, before.get(name), fresh.get(name)) for name, array in recorded.items()}
        try:
            controller.restore(merged)
            return controller, "the recorded weights"
        except CheckpointError:
            controller = make_controller(other, *both, seed)
    _draw_alike(controller, recorded)
    return controller, f"fresh weights, seed {seed}, since the network is another"


def _draw_alike(controller: Controller, recorded: Mapping[str, NDArray[Any]]) -> None:
    """Let the random numbers of a newborn network be those of the recorded ticks."""
    numbers = recorded.get("f8", np.zeros(0))
    if isinstance(controller, SpikingController) and numbers.size > max(HEAD.tick, HEAD.clock):
        for place in (HEAD.tick, HEAD.clock):
            controller.network.set_head(place, float(numbers[place]))


def _built_alike(a: Controller, b: Controller, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    if type(a) is not type(b) or mine.keys() != theirs.keys():
        return False
    if isinstance(a, SpikingController) and isinstance(b, SpikingController):
        return a.network.layout() == b.network.layout()
    return True


def _merged(recorded: NDArray[Any], own: NDArray[Any] | None, other: NDArray[Any] | None) -> NDArray[Any]:
    if own is None or other is None or not own.shape == other.shape == recorded.shape:
        return recorded  # rows that grew
    return np.where(own == other, recorded, other)


class Changes:
    """Runs the changed controller beside the recorded one, and gathers how they differ."""

    def __init__(
        self, recorded: Controller, start: Checkpoint, own: AgentConfig, other: AgentConfig, both: Spaces, seed: int
    ) -> None:
        changed, self._begins = changed_controller(start, own, other, both, seed)
        self._recorded, self._changed, self._box = recorded, changed, isinstance(both[1], spaces.Box)
        self._settings = tuple(_differences(msgspec.to_builtins(own), msgspec.to_builtins(other)))
        self._feeder = Feeder(changed, "actions" in start.arrays)
        self._comparison = Comparison(changed)
        self._activity = Activity(changed)
        self._alike: bool | None = None
        self._ticks = self._other_actions = 0
        self._first: Difference | None = None
        self._first_action: int | None = None
        self._squares: NDArray[np.float64] = np.zeros(0)
        self._spikes: dict[str, list[float]] = {}
        self._numbers: dict[str, list[float]] = {}
        self._stopped: str | None = None

    def act(self, recorded: Recorded, action: Any) -> None:
        """The next tick, in which the recorded controller did `action`."""
        if self._stopped is not None:
            return
        try:
            other = self._feeder.act(recorded)
        except NeuroloopError as error:
            self._stop(recorded, error)
            return
        self._ticks += 1
        self._note_action(recorded, action, other)
        self._note_activity(recorded)
        if self._first is None and self._is_alike(recorded):
            self._first = next(iter(self._comparison.differences(recorded, other)), None)

    def learn(self, recorded: Recorded) -> None:
        """What the plant answered."""
        if self._stopped is None:
            try:
                self._feeder.learn(recorded)
            except NeuroloopError as error:
                self._stop(recorded, error)

    def _stop(self, recorded: Recorded, error: NeuroloopError) -> None:
        self._stopped = f"tick {recorded.tick.tick}: {error}"

    def _is_alike(self, recorded: Recorded) -> bool:
        if self._alike is None:
            names = {*self._activity.rasters, *self._activity.cells, *self._activity.numbers}
            self._alike = names == {*recorded.spikes, *recorded.numbers}
        return self._alike

    def _note_action(self, recorded: Recorded, action: Any, other: Any) -> None:
        a, b = _flat(action), _flat(other)
        if a.shape != b.shape or (a != b).any():
            self._other_actions += 1
            if self._first_action is None:
                self._first_action = recorded.tick.tick
        if not self._squares.size:
            self._squares = np.zeros(a.shape)
        if a.shape == b.shape:
            self._squares += (a - b) ** 2

    def _note_activity(self, recorded: Recorded) -> None:
        now = {name: _count(array) for name, array in self._activity.rasters.items()}
        now |= {name: float(array.size) for name, array in self._activity.cells.items()}
        then = {
            name: _count(array) if array.ndim == 2 else float(array.size) for name, array in recorded.spikes.items()
        }
        _add(self._spikes, then, now)
        numbers = dict(zip(self._activity.numbers, self._activity.read(), strict=True))
        _add(self._numbers, recorded.numbers, numbers)

    def told(self) -> Changed:
        """What was gathered."""
        n = max(self._ticks, 1)
        rms = tuple(np.sqrt(self._squares / n).tolist()) if self._box else ()
        return Changed(
            self._settings, self._begins, self._ticks, self._first, self._first_action, self._other_actions / n, rms,
            {name: _pair(sums, n) for name, sums in sorted(self._spikes.items())},
            {name: _pair(sums, n) for name, sums in self._numbers.items()},
            {name: float(np.sqrt(sums[2] / n)) for name, sums in self._numbers.items() if not np.isnan(sums[2])},
            self._distances(), self._stopped,
        )  # fmt: skip

    def _distances(self) -> dict[str, float] | None:
        """How far weights are from each other, where both have the same."""
        if self._stopped is not None:
            return None
        a, b = weights_of(self._recorded), weights_of(self._changed)
        if a.keys() != b.keys() or any(a[name].shape != b[name].shape for name in a):
            return None
        return {
            name: float(np.linalg.norm(a[name] - b[name]) / max(float(np.linalg.norm(a[name])), 1e-12)) for name in a
        }


def weights_of(controller: Controller) -> dict[str, NDArray[np.float64]]:
    """Weights as they are stored, by projection; what rows are still owed is not in them."""
    if not isinstance(controller, SpikingController):
        return {}
    network = controller.network
    found = {name: network.rows_of(name) for name in network.growing if name.endswith(WEIGHTS)}
    found |= {name: network.view(name) for name in network.names if name.endswith(WEIGHTS)}
    return {name.rpartition(".")[0]: array.astype(np.float64) for name, array in sorted(found.items())}


def _count(raster: NDArray[Any]) -> float:
    return float(np.bitwise_count(raster.view(np.uint32)).sum())


def _add(sums: dict[str, list[float]], then: Mapping[str, float], now: Mapping[str, float]) -> None:
    """Add to sums of the recorded, of the changed, and of the squares of their differences."""
    for name in {**then, **now}:
        a, b = then.get(name, np.nan), now.get(name, np.nan)
        one = sums.setdefault(name, [0.0, 0.0, 0.0])
        one[0], one[1], one[2] = one[0] + a, one[1] + b, one[2] + (a - b) ** 2


def _pair(sums: list[float], n: int) -> Pair:
    return Pair(*(None if np.isnan(one) else float(one / n) for one in sums[:2]))


def _flat(action: Any) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(array.astype(np.float64).reshape(-1) for array in seen(action))])


def _differences(then: Any, now: Any, path: str = "") -> list[str]:
    """Settings that differ, as "key: before, now after"; where one has a table and the other none, all that is in it."""
    if isinstance(then, dict | list) or isinstance(now, dict | list):
        before, after = _named(then), _named(now)
        keys = [*before, *(key for key in after if key not in before)]
        return [
            line for key in keys if path or key not in ("about", "plant")
            for line in _differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        ]  # fmt: skip
    return [] if then == now else [f"{path}: {_short(then)}, now {_short(now)}"]


def _named(value: Any) -> dict[str, Any]:
    """What is in a table or a list, by its name."""
    if isinstance(value, list):
        return {str(k): one for k, one in enumerate(value)}
    return value if isinstance(value, dict) else {} if value is None else {"": value}


def _short(value: Any) -> str:
    return "–" if value is None else str(value)
