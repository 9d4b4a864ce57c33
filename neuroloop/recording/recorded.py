"""A tick as a recording holds it."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..types import Tick


class Recorded(NamedTuple):
    """What a recording gives back of one turn of the ring."""

    tick: Tick  # `outcome.info` holds what was recorded of it: `timing` and `link`, where a plant tells of them
    spikes: dict[
        str, NDArray[Any]
    ]  # of populations and inputs: bits, step k of neuron i is bit k % 32 of [k // 32, i]; or ids
    numbers: dict[str, float]  # `Activity.numbers`: value, TD error, neuromodulator …; exact float64
    seq: int  # rises by one a tick that was offered to the recorder; a gap is a tick that was dropped
