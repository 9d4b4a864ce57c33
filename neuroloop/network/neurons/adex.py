"""Adaptive exponential integrate-and-fire neurons (Brette and Gerstner 2005, Journal of Neurophysiology 94).

C v' = g_l (e_l − v) + g_l Δ e^((v − v_t)/Δ) − w + I, τ_w w' = a (v − e_l) − w; at v ≥ v_peak a spike, v ← v_reset, w ← w + b.
SI units: V, A, S, F. Forward Euler, both from old values; the exponent is bounded where it only says "now".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

from ...rows import f32
from ..parameters import Duration, Number, Positive, Time
from .base import Neuron


class AdEx(Neuron, frozen=True, kw_only=True):
    """Adaptive exponential integrate-and-fire; the defaults are those of the paper."""

    c_m: Positive = 281e-12  # F
    g_l: Positive = 30e-9  # S
    e_l: Number = -70.6e-3  # V
    v_t: Number = -50.4e-3  # V
    delta: Positive = 2e-3  # V
    tau_w: Time = 0.144  # s
    a: Number = 4e-9  # S
    b: Number = 80.5e-12  # A
    v_reset: Number = -70.6e-3  # V
    v_peak: Number = 20e-3  # V
    t_ref: Duration = 0.0  # s
    bias: Number = 0.0  # A

    STATE: ClassVar[dict[str, str | float]] = {"v": "e_l", "w": 0.0}

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {
            "leak_rate": dt * p.g_l / p.c_m, "per_amp": dt / p.c_m, "e_l": p.e_l, "v_t": p.v_t, "delta": p.delta,
            "rate_w": dt / p.tau_w, "a": p.a, "b": p.b, "v_reset": p.v_reset, "v_peak": p.v_peak, "bias": p.bias,
        }  # fmt: skip

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance


def advance(v, w, drive, jump, ready, leak_rate, per_amp, e_l, v_t, delta, rate_w, a, b, v_reset, v_peak, bias):  # type: ignore[no-untyped-def]
    v = v + jump if ready else v
    rise = delta * math.exp(min((v - v_t) / delta, f32(40.0)))
    new = v + leak_rate * (e_l - v + rise) + per_amp * (bias + drive - w)
    w = w + rate_w * (a * (v - e_l) - w)
    v = new if ready else v
    spike = ready and v >= v_peak
    return (v_reset if spike else v), (w + b if spike else w), spike
