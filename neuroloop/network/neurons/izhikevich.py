"""Izhikevich's neuron (2003, IEEE Transactions on Neural Networks 14): many firing patterns from two equations.

v' = 0.04 v² + 5 v + 140 − u + I, u' = a (b v − u), v in mV and time in ms; at v ≥ 30 a spike, v ← c, u ← u + d. Forward
Euler, both from old values; steps of at most 0.5 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

from ...errors import ConfigError
from ...rows import f32
from ..parameters import Number
from .base import Neuron


class Izhikevich(Neuron, frozen=True, kw_only=True):
    """Izhikevich's neuron; the defaults are a regularly spiking cell."""

    a: Number = 0.02
    b: Number = 0.2
    c: Number = -65.0  # mV
    d: Number = 8.0
    v_start: Number = -65.0  # mV
    u_start: Number = -13.0
    bias: Number = 0.0  # constant current, in the units of the model

    STATE: ClassVar[dict[str, str | float]] = {"v": "v_start", "u": "u_start"}

    def check(self, p: SimpleNamespace, where: str, dt: float) -> None:
        if dt > 0.5e-3 + 1e-12:
            raise ConfigError(f"{where}: Izhikevich needs dt ≤ 0.5 ms for forward Euler, got {dt * 1e3:g} ms")

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {"a": p.a, "b": p.b, "c": p.c, "d": p.d, "bias": p.bias, "h": dt * 1e3}

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance


def advance(v, u, drive, jump, a, b, c, d, bias, h):  # type: ignore[no-untyped-def]
    v = v + jump
    new = v + h * (f32(0.04) * v * v + f32(5.0) * v + f32(140.0) - u + bias + drive)
    u = u + h * a * (b * v - u)
    spike = new >= f32(30.0)
    return (c if spike else new), (u + d if spike else u), spike
