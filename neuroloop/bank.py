"""Controllers side by side: one compiled call is a control step of all of them.

Each keeps its own network. Which cells there are follows from a seed, so seeds do not share their structure either: an
instance is a plan (`walk.Plan`), which holds the addresses of a network's own pools and parts, and the call takes a stack
of plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .controller import Controller, SpikingController, diverged
from .encoders.normaliser import OBSERVATION
from .graph import Mode
from .network.engine import Engine
from .walk import BAD_OBSERVATION, FAULT, Door, decide

MODES = (Mode.ACT, Mode.WARM_UP)


class Bank:
    """Decides for several controllers. Those without a spiking network decide by themselves, one after the other.

    It holds for one run: what is set from outside meanwhile, such as a restored state, it does not see.
    """

    def __init__(self, controllers: Sequence[Controller]) -> None:
        self._controllers = controllers
        self._spiking = {b: one for b, one in enumerate(controllers) if isinstance(one, SpikingController)}
        self._alone: dict[int, Any] = {}  # actions of the others
        self._awake = [False] * len(controllers)
        n = len(controllers)
        self._sizes = {b: one.network.view(OBSERVATION).size for b, one in self._spiking.items()}
        self._plans_of = {b: [one.network.plan(mode) for mode in MODES] for b, one in self._spiking.items()}
        length = max((plans[0].size for plans in self._plans_of.values()), default=0)
        self._plans = np.zeros((n, length), np.int64)
        self._doors = np.zeros((n, len(Door._fields)), np.int64)
        for b, one in self._spiking.items():
            self._doors[b] = _door(one.network)
        self._observations = np.zeros((n, max(self._sizes.values(), default=0)))
        self._told = np.zeros((n, 3))
        self._verdicts = np.zeros(n, np.int64)

    def sense(self, b: int, observation: Any, reward: float, *, first: bool) -> None:
        """Tell controller `b` what it will decide on next; see `Controller.act`. Raises `PlantError` as that does."""
        if b not in self._spiking:
            self._alone[b] = self._controllers[b].act(observation, reward, first=first)
            return
        controller = self._spiking[b]
        self._observations[b, : self._sizes[b]] = controller.flat(observation)
        if controller.hosts:
            controller.check_finite(self._observations[b, : self._sizes[b]])
            controller.play(observation, first=first)
        mode, fresh = (Mode.ACT, first) if self._awake[b] else controller.mode(first)
        if not self._awake[b]:
            self._plans[b] = self._plans_of[b][MODES.index(mode)]
            self._awake[b] = controller.awake  # and stays so
        self._told[b] = 0.0 if first else controller.paid(reward), first, fresh

    def decide(self, who: Sequence[int]) -> None:
        """One control step of each of `who`, which were told before."""
        spiking = np.array([b for b in who if b in self._spiking], np.int64)
        if spiking.size:
            decide(spiking, self._plans, self._doors, self._observations, self._told, self._verdicts)

    def action(self, b: int) -> Any:
        """What controller `b` decided. Raises `PlantError` or `DivergedError` if it could not."""
        if b not in self._spiking:
            return self._alone.pop(b)
        controller, verdict = self._spiking[b], self._verdicts[b]
        if verdict == BAD_OBSERVATION:
            controller.check_finite(self._observations[b, : self._sizes[b]])
        if verdict == FAULT:
            raise diverged()
        return controller.action()


def _door(network: Engine) -> Door:
    return Door(network.place(OBSERVATION), network.view(OBSERVATION).size, network.place("td_error"))
