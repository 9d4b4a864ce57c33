"""Adaptive leaky integrate-and-fire neurons: each spike makes the next one harder (Gerstner et al. 2014, section 6.1).

The membrane is that of `lif.py`. Adaptation θ decays with `tau_adapt` and jumps by `jump` at every spike. With `acts_on =
"threshold"` the neuron fires at v ≥ v_th + θ (Bellec et al. 2018, eq. 5); with `"current"`, θ is subtracted from the input,
integrated exactly within a step.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np

from ..parameters import Duration, Number, Time
from ..synapses import response
from .base import Neuron


class ALIF(Neuron, frozen=True, kw_only=True):
    """Leaky integrate-and-fire with an adaptive threshold or an adaptation current."""

    tau_mem: Time = 0.020  # s
    t_ref: Duration = 0.0  # s
    v_rest: Number = 0.0
    v_th: Number = 1.0
    v_reset: Number = 0.0
    bias: Number = 0.0  # constant current
    tau_adapt: Time = 0.200  # s
    jump: Number = 0.1  # of the adaptation at a spike
    acts_on: Literal["threshold", "current"] = "threshold"

    STATE: ClassVar[dict[str, str | float]] = {"v": "v_rest", "theta": 0.0}

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {
            "decay": np.exp(-dt / p.tau_mem), "fade": np.exp(-dt / p.tau_adapt), "target": p.v_rest + p.bias,
            "v_th": p.v_th, "v_reset": p.v_reset, "step_up": p.jump,
            "share": response(dt, p.tau_adapt, p.tau_mem)[0],
        }  # fmt: skip

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance_threshold if self.acts_on == "threshold" else advance_current


def advance_threshold(v, theta, drive, jump, ready, decay, fade, target, v_th, v_reset, step_up):  # type: ignore[no-untyped-def]
    u = target + drive
    v = u + (v + jump - u) * decay if ready else v
    theta = theta * fade
    spike = ready and v >= v_th + theta
    return (v_reset if spike else v), (theta + step_up if spike else theta), spike


def advance_current(v, theta, drive, jump, ready, decay, fade, share, target, v_th, v_reset, step_up):  # type: ignore[no-untyped-def]
    u = target + drive - share * theta
    v = u + (v + jump - u) * decay if ready else v
    theta = theta * fade
    spike = ready and v >= v_th
    return (v_reset if spike else v), (theta + step_up if spike else theta), spike
