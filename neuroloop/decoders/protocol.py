"""What a decoder is to whoever uses one; `neuroloop.testing.check_decoder` says whether a user's own keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from ..types import Spikes


@runtime_checkable
class Decoder(Protocol):
    """From the spikes of a control step to an action. All that changes is in `state`, as arrays."""

    @property
    def n_inputs(self) -> int:
        """Neurons that it reads: ids are from 0 to `n_inputs` − 1. Known before anything is decoded."""

    @property
    def n_steps(self) -> int:
        """Steps of a control step."""

    def reset(self, episode: int) -> None:
        """An episode begins: nothing is left of the one before. The same number begins the same episode."""

    def decode(self, spikes: Spikes) -> Any:
        """The action, a new object inside the action space. Raises for spikes that cannot be, and changes nothing then."""

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that `decode` and `reset` change."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises if it does not fit, and changes nothing then."""
