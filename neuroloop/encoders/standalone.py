"""Encoders by themselves: the same compiled parts as in an agent, for `neuroloop.Network` or anything else.

encoder = make({"kind": "spindle", "velocity": ["speeds"], "on": ["angles"]}, space, n_steps=20)
spikes = encoder.encode(observation)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .. import arguments, config
from ..errors import BadInput, CheckpointError, NeuroloopError
from ..graph import Graph, Mode
from ..network.engine import Engine
from ..settings import AnyEncoder, ClockConfig
from ..types import Spikes
from ..walk import OK, encode
from .gather import add_gatherers
from .kinds import add_parts
from .monotone import monotone_of
from .normaliser import OBSERVATION
from .senses import Senses

MOST_TICKS = 2**40  # far beyond any robot's life, and still exact times n_steps
FIRST = "first"  # the name in its state of whether an episode begins


class Encoder:
    """An encoder by itself; see `SpikeEncoder` for its methods. `make` makes one that is bound."""

    def __init__(self, settings: AnyEncoder | Mapping[str, Any] | str) -> None:
        self.settings = settings_of(settings)
        self.n = 0  # neurons, once it is bound

    def bind(self, space: Space[Any], clock: ClockConfig, seed: int) -> int:
        """Make ready for observations of `space`; returns the number of neurons."""
        seed = arguments.seed("seed", seed)
        graph = Graph(clock, seed)
        graph.signal("awake", 1.0)
        self.space, self.clock = space, clock
        self._senses = Senses(self.settings, space, clock, seed)
        parts = add_parts(graph, self._senses, memory=1)
        self.n = add_gatherers(graph, parts)
        self._engine = Engine(graph)
        self._senses.hosts.attach(self._engine)
        self._spikes = Spikes(self._engine.view("ids"), self._engine.view("offsets"))
        self._plan, self._place = self._engine.plan(Mode.ACT), self._engine.place(OBSERVATION)
        self._encode, self._first, self._hosted = encode.now, True, len(self._senses.hosts) > 0
        self.monotone = monotone_of(self._senses)
        return self.n

    def reset(self, episode: int = 0) -> None:
        """Begin an episode: forget the one before. Ranges stay as they are."""
        self._must_be_bound()
        arguments.whole("episode", episode, 0)
        self._engine.begin_anew(self._engine.pools)
        self._first = True

    def encode(self, observation: Any, tick: int | None = None) -> Spikes:
        """Spikes of a control step; views, overwritten by the next call. Without `tick` control steps are counted here.

        Raises `PlantError` for what is no observation of the space, and is then as if it had not been called.
        """
        if not self.n:
            self._must_be_bound()
        if tick is not None and (type(tick) is not int or not 0 <= tick < MOST_TICKS):
            tick = _tick(tick)
        senses = self._senses
        flat = senses.flat(observation)
        if self._hosted:
            senses.check_finite(flat)
            senses.hosts.encode(observation, self._engine.tick if tick is None else tick, first=self._first)
        if self._encode(self._plan, self._place, flat, self._first, -1 if tick is None else tick) != OK:
            senses.check_finite(flat)
        self._first = False
        return self._spikes

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that changes."""
        self._must_be_bound()
        return self._engine.state() | self._senses.hosts.state() | {FIRST: np.array([self._first])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. If it does not fit, raises `CheckpointError` and changes nothing."""
        self._must_be_bound()
        first = state.get(FIRST) if isinstance(state, Mapping) else None
        if not isinstance(first, np.ndarray) or first.shape != (1,) or first.dtype.kind != "b":
            raise CheckpointError(f"encoder: array {FIRST!r} should be bool[1]")
        with self._senses.hosts.restoring(state):
            self._engine.restore(state)
        self._first = bool(first[0])

    def _must_be_bound(self) -> None:
        if not self.n:
            raise NeuroloopError("the encoder is not bound to an observation space; call bind, or use make")


def _tick(value: Any) -> int:
    number = arguments.whole("tick", value, 0)
    if number >= MOST_TICKS:
        raise BadInput(f"tick: must be below {MOST_TICKS}, got {number}")
    return number


def settings_of(settings: AnyEncoder | Mapping[str, Any] | str) -> AnyEncoder:
    """Settings, a table as an agent's file has it, or only the kind, checked. Raises `BadInput`."""
    if isinstance(settings, msgspec.Struct):
        settings = msgspec.to_builtins(settings)
    table = {"kind": settings} if isinstance(settings, str) else settings
    if not isinstance(table, Mapping):
        raise BadInput(f"settings: must be an encoder's table, or its kind, got {settings!r}")
    return config.encoder(table)


def make(
    settings: AnyEncoder | Mapping[str, Any] | str,
    space: Space[Any],
    *,
    dt: float = 1e-3,
    n_steps: int = 20,
    period: float | None = None,
    seed: int = 0,
) -> Encoder:
    """An encoder for observations of `space`, by itself.

    `settings`: a table as in an agent's file, such as `{"kind": "rate", "max_rate": 100.0}`, its struct, or only its kind. A
    control step has `n_steps` of `dt` (s); `period` (s) is what it lasts for the plant, n_steps × dt unless given.
    """
    clock = config.table(
        {"dt": dt, "n_steps": n_steps, "period": dt * n_steps if period is None else period}, ClockConfig
    )
    if not isinstance(space, Space):
        raise BadInput(f"make: space must be a Gymnasium space, got {space!r}")
    encoder = Encoder(settings)
    encoder.bind(space, clock, seed)
    return encoder
