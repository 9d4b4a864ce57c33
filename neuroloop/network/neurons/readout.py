"""Leaky readouts: membranes that never fire, for critics, linear decoders and error-driven learning.

τ dv/dt = −v + I, exact between steps as in `lif.py`; delta synapses make v a sum of exponentially filtered spikes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from ..parameters import Number, Time
from .base import Neuron


class Readout(Neuron, frozen=True, kw_only=True):
    """A leaky integrator without a threshold."""

    tau_mem: Time = 0.020  # s
    bias: Number = 0.0  # constant current

    STATE: ClassVar[dict[str, str | float]] = {"v": "bias"}
    SPIKES: ClassVar[bool] = False

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {"decay": np.exp(-dt / p.tau_mem), "target": p.bias}

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance


def advance(v, drive, jump, decay, target):  # type: ignore[no-untyped-def]
    u = target + drive
    return u + (v + jump - u) * decay, False
