"""Leaky integrate-and-fire neurons (Lapicque 1907), exact between steps (Rotter and Diesmann 1999).

τ dv/dt = v_rest − v + I, with synaptic conductances + Σ g (E − v). At v ≥ v_th a spike, then v = v_reset, or for reset by
subtraction v_reset + (v − v_th), held for t_ref. Membranes are dimensionless: any linear unit will do, the defaults have
rest 0 and threshold 1; currents are in the unit of the membrane, conductances in units of the leak.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np

from ...errors import ConfigError
from ...rows import f32
from ..parameters import Duration, NonNegative, Number, Time
from .base import Neuron


class LIF(Neuron, frozen=True, kw_only=True):
    """Leaky integrate-and-fire."""

    tau_mem: Time = 0.020  # s
    t_ref: Duration = 0.0  # s
    v_rest: Number = 0.0
    v_th: Number = 1.0
    v_reset: Number = 0.0
    bias: Number = 0.0  # constant current
    noise: NonNegative = 0.0  # standard deviation of the threshold, drawn anew at every step
    reset: Literal["value", "subtract"] = "value"

    STATE: ClassVar[dict[str, str | float]] = {"v": "v_rest"}

    def check(self, p: SimpleNamespace, where: str, dt: float) -> None:
        if np.any(np.asarray(p.v_reset) >= np.asarray(p.v_th)):
            raise ConfigError(f"{where}.v_reset: must be < v_th, got {np.max(p.v_reset):g} and {np.min(p.v_th):g}")

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        rate = dt / p.tau_mem
        return {
            "decay": np.exp(-rate), "rate": rate, "target": p.v_rest + p.bias, "v_th": p.v_th, "v_reset": p.v_reset,
            "keep": float(p.reset == "subtract"), "sigma": p.noise,
        }  # fmt: skip

    def update(self, leaky: bool) -> Callable[..., Any]:
        if np.any(self.noise):
            return advance_leaky_noisy if leaky else advance_noisy
        if leaky:
            return advance_leaky
        return advance if self.reset == "value" else advance_subtracting


def advance(v, drive, jump, ready, decay, target, v_th, v_reset):  # type: ignore[no-untyped-def]
    u = target + drive
    v = u + (v + jump - u) * decay if ready else v
    spike = v >= v_th  # never while it is held at v_reset
    return (v_reset if spike else v), spike


def advance_subtracting(v, drive, jump, ready, decay, target, v_th, v_reset):  # type: ignore[no-untyped-def]
    u = target + drive
    v = u + (v + jump - u) * decay if ready else v
    spike = ready and v >= v_th
    return (v_reset + v - v_th if spike else v), spike


def advance_noisy(v, drive, jump, ready, noise, decay, target, v_th, v_reset, keep, sigma):  # type: ignore[no-untyped-def]
    u = target + drive
    v = u + (v + jump - u) * decay if ready else v
    spike = ready and v >= v_th + sigma * noise
    return (v_reset + keep * (v - v_th) if spike else v), spike


def advance_leaky(v, drive, jump, leak, ready, rate, target, v_th, v_reset, keep):  # type: ignore[no-untyped-def]
    total = f32(1.0) + leak
    u = (target + drive) / total
    v = u + (v + jump - u) * np.exp(-rate * total) if ready else v
    spike = ready and v >= v_th
    return (v_reset + keep * (v - v_th) if spike else v), spike


def advance_leaky_noisy(v, drive, jump, leak, ready, noise, rate, target, v_th, v_reset, keep, sigma):  # type: ignore[no-untyped-def]
    total = f32(1.0) + leak
    u = (target + drive) / total
    v = u + (v + jump - u) * np.exp(-rate * total) if ready else v
    spike = ready and v >= v_th + sigma * noise
    return (v_reset + keep * (v - v_th) if spike else v), spike
