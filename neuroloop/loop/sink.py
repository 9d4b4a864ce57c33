"""Those who watch the ring: recorders, taps, views."""

from __future__ import annotations

from typing import Protocol

from ..types import Tick


class Sink(Protocol):
    """Is told of every turn of the ring, within it: it must not block, and rather drops what it is told, and counts that."""

    def put(self, tick: Tick) -> bool:
        """The plant answered an action, or failed; the network still is as it decided. False: dropped."""

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        """The controller learned from an episode's end: its return, and how many plant steps it had."""
