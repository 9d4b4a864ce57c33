"""Decoders by themselves: the parts that agents have, fed with spikes from a `Network` or from anywhere else.

decoder = neuroloop.decoders.make("rate", env.action_space, neurons=10, dt=1e-3, n_steps=20)
decoder.reset(episode=0)
action = decoder.decode(net.run(observed))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .. import arguments, config
from ..checks import check_decision
from ..errors import BadInput, CheckpointError, unknown
from ..graph import Graph, Mode
from ..network.batch import as_int32
from ..network.decision.lif import Population
from ..network.engine import Engine
from ..rows import HEAD
from ..settings import Choosing, ClockConfig, DecoderConfig, WarmUp
from ..types import Spikes
from ..walk import BAD_OFFSETS, OK, OUT_OF_RANGE
from .actions import ActionCode
from .catalogue import add_decoder, code_for
from .decoded import Decoded
from .inlet import add_inlet, population_of, take

EPISODE = 2**20  # ticks that random numbers of an episode have to themselves
MOST_EPISODES = 2**32


class BuiltIn:
    """A decoder of this package as `protocol.Decoder`. Input ids run by dimension of the action, group, neuron."""

    def __init__(self, settings: DecoderConfig, space: Space[Any], neurons: int, clock: ClockConfig, seed: int) -> None:
        code = code_for(settings, space)
        self.settings, self.action_space, self.neurons, self.code = settings, space, neurons, code
        self.clock, self.n_steps, self.n_inputs = clock, clock.n_steps, neurons * sum(code.groups)
        self._engine = Engine(_graph(settings, code, neurons, clock, seed))
        self._ids, self._offsets = self._engine.view("spikes.ids"), self._engine.view("spikes.offsets")
        self._take, self._decoded, self._begins = take.now, Decoded(code, self._engine), True

    def reset(self, episode: int) -> None:
        """An episode begins."""
        number = arguments.whole("episode", episode, 0)
        if number >= MOST_EPISODES:
            raise BadInput(f"episode: must be below {MOST_EPISODES}, got {episode}")
        self._engine.begin_anew(self._engine.pools)
        self._engine.set_head(HEAD.tick, number * EPISODE)
        self._begins = True

    def decode(self, spikes: Spikes) -> Any:
        """The action for the spikes of a control step. Raises `BadInput` for spikes that cannot be."""
        try:
            ids, offsets = spikes
            verdict = self._take(ids, offsets, self.n_inputs, self._ids, self._offsets)
        except (TypeError, ValueError):  # arrays of another kind: bring them into shape, or say what is wrong with them
            given = as_int32(spikes, "decode")
            verdict = self._take(*given, self.n_inputs, self._ids, self._offsets)
        if verdict != OK:
            self._refuse(verdict)
        self._engine.run(Mode.LOOK, first=self._begins, fresh=self._begins)
        self._begins = False
        return self._decoded()

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that changes, as arrays."""
        return self._engine.state() | {"begins": np.array([self._begins])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit."""
        begins = state.get("begins") if isinstance(state, Mapping) else None
        if not isinstance(begins, np.ndarray) or begins.shape != (1,) or begins.dtype != np.bool_:
            raise CheckpointError("decoder: array 'begins' should be bool[1]")
        self._engine.restore(state)
        self._begins = bool(begins[0])

    def read(self, name: str) -> NDArray[Any]:
        """A copy of a named array, such as `decoder.weights` of a linear read-out."""
        if name not in self._engine.names:
            raise BadInput(unknown("array", name, self._engine.names))
        return self._engine.view(name).copy()

    def _refuse(self, verdict: int) -> None:
        if verdict == BAD_OFFSETS:
            raise BadInput(f"decode: offsets must be {self.n_steps + 1} rising numbers from 0 to the number of ids")
        if verdict == OUT_OF_RANGE:
            raise BadInput(f"decode: ids must be from 0 to {self.n_inputs - 1}")
        raise BadInput("decode: ids must rise within a step")


def _graph(settings: DecoderConfig, code: ActionCode, neurons: int, clock: ClockConfig, seed: int) -> Graph:
    graph = Graph(clock, seed)
    inlet = add_inlet(graph, neurons * sum(code.groups))
    starts = neurons * np.cumsum((0, *code.groups))

    def make(d: int, groups: int) -> Population:
        return population_of(graph, inlet, int(starts[d]), neurons * groups)

    add_decoder(graph, settings, WarmUp(), code, make)
    return graph


def settings_of(settings: DecoderConfig | Mapping[str, Any] | str, clock: ClockConfig) -> DecoderConfig:
    """Settings, a table as an agent's file has it, or only the kind, checked. Raises `ConfigError`.

    Where a table does not say when a choice is made, it is after half a control step.
    """
    if isinstance(settings, msgspec.Struct):
        settings = msgspec.to_builtins(settings)
    table = {"kind": settings} if isinstance(settings, str) else settings
    if not isinstance(table, Mapping):
        raise BadInput(f"settings: must be a decoder's table, or its kind, got {settings!r}")
    checked: DecoderConfig = config.part({"population": "outside", **table}, DecoderConfig, "decoder")
    if isinstance(checked, Choosing) and "decide_after" not in table:
        checked = msgspec.structs.replace(checked, decide_after=max(clock.n_steps // 2, 1) * clock.dt)
    check_decision(checked, clock)
    return checked


def make(
    settings: DecoderConfig | Mapping[str, Any] | str,
    action_space: Space[Any],
    *,
    neurons: int = 8,
    dt: float = 1e-3,
    n_steps: int = 20,
    period: float | None = None,
    seed: int = 0,
) -> BuiltIn:
    """A decoder that works by itself: `make("rate", env.action_space)`, or `make({"kind": "rate", "full_rate": 80.0}, …)`.

    It reads `neurons` a group, in control steps of `n_steps` × `dt` (s). `period` (s) is what a control step lasts for the
    actuator, by which slew is measured; without it, the same. Choices are made after half a control step, unless
    `decide_after` says otherwise. Raises `ConfigError` for settings and `UnsupportedSpace` for
    action spaces that the decoder cannot serve.
    """
    steps = arguments.whole("n_steps", n_steps, 1)
    table = {"dt": dt, "n_steps": steps, "period": dt * steps if period is None else period}
    clock: ClockConfig = config.part(table, ClockConfig, "clock")
    checked, each = settings_of(settings, clock), arguments.whole("neurons", neurons, 1)
    return BuiltIn(checked, action_space, each, clock, arguments.seed("seed", seed))
