"""The tap of a plant that keeps its own time: what it did at each tick, and whether it had to help itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import messages
from ..keys import Keys
from ..live import LivePlant
from .facts import PLANT, RUN, PlantFacts, RunFacts
from .gathering import Travelling, body_of, sizes_of
from .publishing import Teller


class PlantTap:
    """Publishes what a plant does. `period` (s): of a tick. Raises `BadInput`."""

    def __init__(self, endpoint: str, plant: LivePlant, env_id: str, period: float, keys: Keys | None = None) -> None:
        self._plant, self._env_id, self._period_ns = plant, env_id, round(1e9 * period)
        self._observations = Travelling(plant.env.observation_space)
        self._actions = Travelling(plant.env.action_space)
        self._helped = plant.helped
        self._publisher = Teller(endpoint, keys)
        self.url = self._publisher.url

    def put(self, late_ns: int, left_out: int) -> bool:
        """Tell of a tick that was done; False: the queue of a reader ran full just now."""
        publisher, plant, now = self._publisher, self._plant, time.monotonic_ns()
        if publisher.due(now):
            publisher.send([RUN, messages.packed(self._run())])
        head = publisher.head(PLANT)
        helped, self._helped = plant.helped - self._helped, plant.helped
        if PLANT not in publisher.wanted:
            return True
        done = [] if plant.done is None else self._actions.write(plant.done)
        facts = PlantFacts(
            **head, tick=plant.ticks, mode="idle" if plant.done is None else "fail-safe" if helped else "live",
            helped=plant.helped, lapses=plant.lapses, refused=plant.session.refused, late_ns=late_ns, left_out=left_out,
            action=sizes_of(done),
        )  # fmt: skip
        return publisher.send([PLANT, messages.packed(facts), body_of(done)])

    def _run(self) -> RunFacts:
        from ... import __version__

        return RunFacts(
            **self._publisher.head(RUN), source="plant", by=f"neuroloop {__version__}", unix_ns=time.time_ns(), agent=None,
            env=self._env_id, seed=None, observation_space=self._observations.spec, action_space=self._actions.spec,
            populations={}, cells={}, numbers=(), period_ns=self._period_ns, deadline_ns=self._plant.deadline_ns,
        )  # fmt: skip

    def close(self) -> None:
        """Say bye. A second call does nothing."""
        self._publisher.close()


@contextmanager
def tapped(endpoint: str | None, *of: Any) -> Iterator[PlantTap | None]:
    """The tap of a plant for a while, if it is to have one."""
    if endpoint is None:
        yield None
        return
    tap = PlantTap(endpoint, *of)
    try:
        yield tap
    finally:
        tap.close()
