"""Event packets in observations: beside what was observed, or in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import BadInput
from ..types import EVENT
from .space import EventSpace, Packet
from .thinning import thinned

EVENTS, OBSERVATION = "events", "observation"


class Seen:
    """Puts packets into the observations of a `space`; with `only` they are the observation. Raises `BadInput`."""

    def __init__(self, space: spaces.Space[Any], events: EventSpace, only: bool) -> None:
        self._events, self._only = events, only
        self._inside = isinstance(space, spaces.Dict)
        self.space = self._with(space)
        self.latest = np.zeros(0, EVENT)  # events of the latest step, for those who watch

    def _with(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        if self._only:
            return self._events
        if not isinstance(space, spaces.Dict):
            return spaces.Dict({OBSERVATION: space, EVENTS: self._events})
        if EVENTS in space.spaces:
            raise BadInput(f"observation space {space}: has a key {EVENTS!r} already")
        return spaces.Dict({**space.spaces, EVENTS: self._events})

    def put(
        self, observation: Any, packets: list[NDArray[Any]], start_us: int, end_us: int
    ) -> tuple[Any, dict[str, Any]]:
        """The observation with the events of a step, and what `info["events"]` says of them."""
        events = packets[0] if len(packets) == 1 else np.concatenate([np.zeros(0, EVENT), *packets])
        self.latest = shown = thinned(events, self._events.most_events)
        facts = {"start_us": start_us, "end_us": end_us, "dropped": events.size - shown.size}
        new: Any = shown.view(Packet)
        if not self._only:
            new = {**(observation if self._inside else {OBSERVATION: observation}), EVENTS: new}
        return new, facts
