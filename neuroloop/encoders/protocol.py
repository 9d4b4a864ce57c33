"""What an encoder in Python is: observation in, spikes of one control step out. `neuroloop.testing.check_encoder` tests one.

An agent plays what it returns into the network (`[encoder] kind = "python"`); it also goes with `neuroloop.Network`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from ..settings import ClockConfig
from ..types import Spikes

METHODS = ("bind", "reset", "encode", "state", "restore")


class Monotone(NamedTuple):
    """A promise: where the value of a dimension rises, all else the same, a neuron's answer never falls.

    Arrays of shape (m,), one promise each.
    """

    answer: Literal["count", "soonness"]  # spikes of a control step; or how soon the first comes, none being the latest
    neurons: NDArray[np.int64]
    dimensions: NDArray[np.int64]  # of a Box, flattened
    signs: NDArray[np.int64]  # −1: the answer never rises instead


@runtime_checkable
class SpikeEncoder(Protocol):
    """From observations to spikes of `n_inputs` neurons.

    `bind` is called once, before all others. The same calls with the same seed give the same spikes. An encoder may have an
    attribute `monotone: Monotone`, which `check_encoder` then tests.
    """

    def bind(self, space: Space[Any], clock: ClockConfig, seed: int) -> int:
        """Make ready for observations of `space`; returns the number of neurons. Raises `BadInput` if it cannot."""

    def reset(self, episode: int) -> None:
        """Begin an episode: forget the one before. What was learned of observations, such as ranges, stays."""

    def encode(self, observation: Any, tick: int) -> Spikes:
        """Spikes of control step `tick`: `clock.n_steps` steps, ids rising within each.

        They belong to the encoder and are valid until the next call. Raises `PlantError` for what cannot be encoded, with
        the name of the key, and is then as if it had not been called.
        """

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that changes, as arrays of numbers: restored, it goes on bit for bit."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit."""
