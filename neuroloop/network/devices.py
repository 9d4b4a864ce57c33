"""Synapse devices: what becomes of a change that plasticity wants when it is written into the memory of a chip.

A device is a `write(w, dw, low, high, a, b, c, d, h)` that returns the new weight: w and dw as they are, the bounds of the
projection, four parameters of the device, and a hash that is different for every synapse and event. Training runs on the
device: whatever is read afterwards is what was written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import call_kernel, i8_at, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Mode, Phase, RowOf, Shared
from ..rows import f32, mixed, u64, unit
from .parameters import Duration, Model, NonNegative, checked, scalar

if TYPE_CHECKING:
    from ..graph import Graph
    from .projection import Wired


class Device(Model, frozen=True, kw_only=True):
    """Base of devices."""

    def check(self, where: str, bounds: tuple[float, float]) -> None:
        """Raise `ConfigError` for what cannot be; all but float weights need bounds."""
        checked(self, where)
        if not all(map(math.isfinite, bounds)):
            raise ConfigError(f"{where}: {type(self).__name__} needs bounds = (low, high), got {bounds}")

    def parameters(self, bounds: tuple[float, float], dt: float) -> tuple[float, float, float, float]:
        """The numbers a, b, c and d."""
        return 0.0, 0.0, 0.0, 0.0

    def prepare(self, weights: NDArray[Any], bounds: tuple[float, float]) -> None:
        """Bring initial weights into a form that the device can hold."""

    def age(self, graph: Graph, wired: Wired, settler: Any) -> None:
        """Add what happens to weights between writes."""

    @property
    def write(self) -> Callable[..., Any]:
        """The function that writes."""
        raise NotImplementedError


class FixedPoint(Device, frozen=True, kw_only=True):
    """Weights of `bits` bits between the bounds; changes are rounded up or down by chance, right on average.

    Stochastic rounding (Höhfeld and Fahlman 1992, Neurocomputing 4): small changes are not lost, they happen rarely.
    """

    bits: int = 8

    def check(self, where: str, bounds: tuple[float, float]) -> None:
        super().check(where, bounds)
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 1 <= self.bits <= 16:
            raise ConfigError(f"{where}.bits: must be a whole number from 1 to 16, got {self.bits!r}")

    def parameters(self, bounds: tuple[float, float], dt: float) -> tuple[float, float, float, float]:
        step = (bounds[1] - bounds[0]) / (2**self.bits - 1)
        return step, 1.0 / step, 0.0, 0.0

    def prepare(self, weights: NDArray[Any], bounds: tuple[float, float]) -> None:
        step = self.parameters(bounds, 0.0)[0]
        weights[:] = bounds[0] + np.rint((weights - bounds[0]) / step) * step

    @property
    def write(self) -> Callable[..., Any]:
        return write_fixed_point


class Memristive(Device, frozen=True, kw_only=True):
    """A bounded conductance that resists the more the closer it is to its bound, with write noise and drift.

    With g from 0 to 1 between the bounds, a change is scaled by e^(−up g) upwards and e^(−down (1 − g)) downwards (Querlioz
    et al. 2013, IEEE Transactions on Nanotechnology 12, eq. 1-2) and by 1 + noise ξ, ξ standard normal. Between writes g
    relaxes towards the lower bound with `drift`, s (0: not at all).
    """

    up: NonNegative = 3.0
    down: NonNegative = 3.0
    noise: NonNegative = 0.0  # standard deviation of a change, relative to it
    drift: Duration = 0.0  # s

    def parameters(self, bounds: tuple[float, float], dt: float) -> tuple[float, float, float, float]:
        return scalar(self.up), scalar(self.down), scalar(self.noise), 0.0

    def age(self, graph: Graph, wired: Wired, settler: Any) -> None:
        drift = scalar(self.drift)
        if drift > 0.0:
            keep = math.exp(-graph.clock.n_steps * graph.clock.dt / drift)
            settle, part = settler
            row = Drift(
                Shared(settle.address), RowOf(part), wired.weights, wired.n_synapses,
                graph.f4(2, [wired.bounds[0], keep], Arena.LASTING),
            )  # fmt: skip
            graph.call(Phase.CHANGE, relax, graph.part(row), Mode.ACT)

    @property
    def write(self) -> Callable[..., Any]:
        return write_memristive


class Drift(NamedTuple):
    """Row of weights that drift."""

    settle: int  # address of the kernel that brings weights up to date
    settled: int  # address of its row
    weights: int
    n_synapses: int
    numbers: int  # f4[2]: the lower bound, and what is left of the rest after a control step


at = places(Drift)


@kernel
def relax(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Weights drift towards their lower bound, a control step."""
    call_kernel(row[at.settle], f4, i4, i8_at(row[at.settled]), f8)
    w, low, keep = row[at.weights], f4[row[at.numbers]], f4[row[at.numbers] + 1]
    for p in range(row[at.n_synapses]):
        f4[w + p] = low + (f4[w + p] - low) * keep


def write_float(w, dw, low, high, a, b, c, d, h):  # type: ignore[no-untyped-def]
    return min(max(w + dw, low), high)


def write_fixed_point(w, dw, low, high, a, b, c, d, h):  # type: ignore[no-untyped-def]
    if dw == f32(0.0):
        return w
    change = abs(dw) * b  # in levels
    whole = np.floor(change)
    whole += f32(1.0) if f32(unit(h)) < change - whole else f32(0.0)
    level = np.floor((w - low) * b + f32(0.5)) + (whole if dw > f32(0.0) else -whole)
    return min(max(low + level * a, low), high)


def write_memristive(w, dw, low, high, a, b, c, d, h):  # type: ignore[no-untyped-def]
    g = (w - low) / (high - low)
    change = dw * (math.exp(-a * g) if dw > f32(0.0) else math.exp(-b * (f32(1.0) - g)))
    if c > f32(0.0):
        radius = math.sqrt(-2.0 * math.log(1.0 - unit(h)))
        change *= f32(1.0) + c * f32(radius * math.cos(2.0 * math.pi * unit(mixed(h ^ u64(0x5851F42D4C957F2D)))))
    return min(max(w + f32(change), low), high)
