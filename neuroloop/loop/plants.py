"""What several loops turn against at once, when each has a plant of its own; `in_vector.py` is for vector environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..types import Outcome
from .lockstep import Lockstep

Answers = list[tuple[int, Outcome | Exception]]


class Plants(Protocol):
    """The plants of several loops."""

    def begin(self, who: Sequence[int]) -> None:
        """A run of the loops `who` begins."""

    def prepare(self, who: Sequence[int]) -> None:
        """The loops `who` go on."""

    def enter(self, b: int) -> bool:
        """Whether loop `b` is to decide now; then its observation is there, and its episode has begun."""

    def exchange(self, actions: Mapping[int, Any]) -> Answers:
        """Apply actions; what came of them, or of earlier ones that were held until now."""

    @property
    def holding(self) -> bool:
        """Whether an action waits for its answer."""

    def end(self) -> None:
        """The run ended."""


class OwnPlants:
    """Every loop has its own plant."""

    holding = False

    def __init__(self, loops: Sequence[Lockstep]) -> None:
        self._loops = loops

    def begin(self, who: Sequence[int]) -> None:
        pass

    def prepare(self, who: Sequence[int]) -> None:
        pass

    def enter(self, b: int) -> bool:
        self._loops[b].enter()
        return True

    def exchange(self, actions: Mapping[int, Any]) -> Answers:
        return [(b, self._exchange(b, action)) for b, action in actions.items()]

    def _exchange(self, b: int, action: Any) -> Outcome | Exception:
        try:
            return self._loops[b].plant.exchange(action)
        except Exception as error:
            return error

    def end(self) -> None:
        pass
