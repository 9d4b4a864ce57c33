"""The action of the latest control step, read out of a network's state."""

from __future__ import annotations

from typing import Any

from ..network.engine import Engine
from .actions import ActionCode


class Decoded:
    """Called for the action: the winners of all selections, or the numbers of the output stage, put into the action's form."""

    def __init__(self, code: ActionCode, network: Engine) -> None:
        self._decode = code.decode
        self._numbers = network.view("decoder.action") if code.staged else None
        names = () if code.staged else [f"selection.{d}.winner" for d in range(len(code.groups))]
        self._winners = [network.view(name) for name in names]

    def __call__(self) -> Any:
        if self._numbers is not None:
            return self._decode(self._numbers)
        return self._decode([int(winner[0]) for winner in self._winners])
