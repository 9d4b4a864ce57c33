"""What travels around the ring."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadInput


class Spikes(NamedTuple):
    """Spikes of one control step: those of its step k are `ids[offsets[k]:offsets[k + 1]]`, rising.

    What a network returns are views that the next control step overwrites; `ids` may be longer than what is used.
    """

    ids: NDArray[np.int32]  # (capacity,)
    offsets: NDArray[np.int32]  # (n_steps + 1,)

    @classmethod
    def of(cls, steps: ArrayLike, ids: ArrayLike, n_steps: int) -> Spikes:
        """From the step and the neuron of each spike, in any order. Raises `BadInput`."""
        steps, ids = np.asarray(steps, np.int64), np.asarray(ids, np.int64)
        if steps.ndim != 1 or steps.shape != ids.shape:
            raise BadInput(
                f"Spikes: steps and ids must be lists of one length, got shapes {steps.shape} and {ids.shape}"
            )
        if steps.size and not (steps.min() >= 0 and steps.max() < n_steps):
            raise BadInput(f"Spikes: steps must be from 0 to {n_steps - 1}, got {steps.min()} to {steps.max()}")
        order = np.lexsort((ids, steps))
        offsets = np.searchsorted(steps[order], np.arange(n_steps + 1))
        return cls(ids[order].astype(np.int32), offsets.astype(np.int32))

    @classmethod
    def none(cls, n_steps: int) -> Spikes:
        """Silence."""
        return cls(np.empty(0, np.int32), np.zeros(n_steps + 1, np.int32))

    @property
    def n(self) -> int:
        """Number of spikes."""
        return int(self.offsets[-1])

    def at(self, step: int) -> NDArray[np.int32]:
        """Ids that fire in a step."""
        return self.ids[self.offsets[step] : self.offsets[step + 1]]


class Outcome(NamedTuple):
    """What a plant answers to an action."""

    observation: Any
    reward: float  # native, summed over repeated plant steps
    terminated: bool  # the task ended: no future
    truncated: bool  # the episode was cut off: the future is not seen
    n_steps: int  # plant steps that the action was held for
