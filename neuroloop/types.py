"""What travels around the ring."""

from __future__ import annotations

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a plant answers to an action."""

    observation: Any
    reward: float  # native, summed over repeated plant steps
    terminated: bool  # the task ended: no future
    truncated: bool  # the episode was cut off: the future is not seen
    n_steps: int  # plant steps that the action was held for
