"""Leaky integrate-and-fire with escape noise (Gerstner and van Hemmen 1992; Gerstner et al. 2014, section 9.1).

The membrane is that of `lif.py`; there is no sharp threshold. A neuron fires with the rate ρ(v) = rate · e^((v − v_th)/width),
so in a step of dt with probability 1 − e^(−ρ dt).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from ...rows import f32
from ..parameters import Duration, Number, Positive, Time
from .base import Neuron


class StochasticLIF(Neuron, frozen=True, kw_only=True):
    """Leaky integrate-and-fire that fires by chance, the likelier the higher its membrane."""

    tau_mem: Time = 0.020  # s
    t_ref: Duration = 0.0  # s
    v_rest: Number = 0.0
    v_th: Number = 1.0
    v_reset: Number = 0.0
    bias: Number = 0.0  # constant current
    rate: Positive = 100.0  # Hz, at the threshold
    width: Positive = 0.1  # of the membrane, for e times the rate

    STATE: ClassVar[dict[str, str | float]] = {"v": "v_rest"}

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {
            "decay": np.exp(-dt / p.tau_mem), "target": p.v_rest + p.bias, "v_th": p.v_th, "v_reset": p.v_reset,
            "rate_dt": p.rate * dt, "width": p.width,
        }  # fmt: skip

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance


def advance(v, drive, jump, ready, chance, decay, target, v_th, v_reset, rate_dt, width):  # type: ignore[no-untyped-def]
    u = target + drive
    v = u + (v + jump - u) * decay if ready else v
    expected = rate_dt * math.exp(min((v - v_th) / width, f32(40.0)))
    spike = ready and chance < f32(1.0) - math.exp(-expected)
    return (v_reset if spike else v), spike
