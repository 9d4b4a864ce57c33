"""What travels around the ring."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadInput

EVENT = np.dtype([("t_us", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
"""An address-event: µs, column from the left, row from the top, polarity 1 (ON, brighter) or 0 (OFF). 13 bytes, packed."""
LINK = "link"
"""The key of `info` under which a plant at the other end of a link says how the link did."""


class Spikes(NamedTuple):
    """Spikes of one control step: those of its step k are `ids[offsets[k]:offsets[k + 1]]`, rising.

    What a network or an encoder returns are views that the next control step overwrites. Beyond `ids[:n]` may lie spikes of
    earlier control steps: `used` are those of this one.
    """

    ids: NDArray[np.int32]  # (capacity,), of which the first `n` count
    offsets: NDArray[np.int32]  # (n_steps + 1,)

    @classmethod
    def of(cls, steps: ArrayLike, ids: ArrayLike, n_steps: int) -> Spikes:
        """From the step and the neuron of each spike, in any order. Raises `BadInput`."""
        silence = cls.none(n_steps)
        steps, ids = _whole_numbers(steps, "steps", n_steps), _whole_numbers(ids, "ids", 2**31)
        if steps.shape != ids.shape:
            raise BadInput(f"Spikes: steps and ids must be of one length, got {steps.size} and {ids.size}")
        if not ids.size:
            return silence
        order = np.lexsort((ids, steps))
        steps, ids = steps[order], ids[order]
        twice = np.flatnonzero((np.diff(steps) == 0) & (np.diff(ids) == 0))
        if twice.size:
            raise BadInput(f"Spikes: neuron {ids[twice[0]]} fires twice in step {steps[twice[0]]}")
        offsets = np.searchsorted(steps, np.arange(n_steps + 1))
        return cls(ids.astype(np.int32), offsets.astype(np.int32))

    @classmethod
    def none(cls, n_steps: int) -> Spikes:
        """Silence."""
        if isinstance(n_steps, bool) or not isinstance(n_steps, int | np.integer) or n_steps < 1:
            raise BadInput(f"Spikes: n_steps must be a whole number ≥ 1, got {n_steps!r}")
        return cls(np.empty(0, np.int32), np.zeros(n_steps + 1, np.int32))

    @property
    def n(self) -> int:
        """Number of spikes."""
        return int(self.offsets[-1])

    @property
    def used(self) -> NDArray[np.int32]:
        """Ids of all spikes of the control step, step after step, without what is left of earlier ones behind them."""
        return self.ids[: self.offsets[-1]]

    def at(self, step: int) -> NDArray[np.int32]:
        """Ids that fire in a step."""
        return self.ids[self.offsets[step] : self.offsets[step + 1]]


def _whole_numbers(value: ArrayLike, what: str, below: int) -> NDArray[np.int64]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty((), object)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise BadInput(
            f"Spikes: {what} must be a list of whole numbers, got {array.dtype} of shape {list(array.shape)}"
        )
    if array.size and not (array.min() >= 0 and array.max() < below):
        raise BadInput(f"Spikes: {what} must be from 0 to {below - 1}, got {array.min()} to {array.max()}")
    return array.astype(np.int64)


class Outcome(NamedTuple):
    """What a plant answers to an action."""

    observation: Any
    reward: float  # native, summed over repeated plant steps
    terminated: bool  # the task ended: no future
    truncated: bool  # the episode was cut off: the future is not seen
    n_steps: int  # plant steps that the action was held for
    info: Mapping[str, Any] = MappingProxyType({})  # of the last plant step

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated

    @property
    def lost(self) -> bool:
        """Whether the plant went away with the episode: this is no answer to learn from, the episode is to begin anew."""
        facts = self.info.get(LINK) if isinstance(self.info, Mapping) else None
        return isinstance(facts, Mapping) and facts.get("lost") is True


class Timed(NamedTuple):
    """How a control step kept its time, ns: what a plant in real time says in `info["timing"]`."""

    late: int  # that it began
    period: int  # since the one before began; 0 for the first
    compute: int  # from the observation to the action
    age: int  # of the observation when the action was done
    left_out: int  # plant steps before it whose time went by


class Tick(NamedTuple):
    """One turn of the ring, as it is told to those who watch. Arrays are the loop's own: what is kept must be copied."""

    tick: int  # control steps of the run before this one
    episode: int  # of the run, from 0
    first: bool  # whether an episode begins
    t_ns: int  # when the observation was there, on this process's monotonic clock
    observation: Any
    reward: float  # that came with the observation and answers the action before; not used where an episode begins
    action: Any
    outcome: Outcome | None  # what the plant answered; None: it failed, and the episode broke off
