"""Short-term plasticity: synapses that tire and facilitate (Tsodyks, Uziel and Markram 2000, Journal of Neuroscience 20).

When a spike arrives, s after the last one: u ← u e^(−s/τ_fac), u ← u + U (1 − u), x ← 1 − (1 − x) e^(−s/τ_rec); it is passed
on with u x times the weight, and x ← x − u x. At first u = 0, x = 1. All synapses of a neuron share u and x.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32, i64
from .axon import Axon
from .parameters import Duration, Fraction, Model, Time, scalar


class ShortTerm(Model, frozen=True, kw_only=True):
    """Tsodyks-Markram synapses; the defaults are depressing ones."""

    u: Fraction = 0.5  # utilisation, U
    tau_rec: Time = 0.8  # s, of recovery
    tau_fac: Duration = 0.0  # s, of facilitation; 0: none

    def add(self, graph: Graph, name: str, axon: Axon, delay: int) -> int:
        """Add state; returns the symbol of the gains of the spikes that arrive, by their place in the line."""
        n, dt = axon.n, graph.clock.dt
        tau_rec, tau_fac = scalar(self.tau_rec), scalar(self.tau_fac)
        numbers = [scalar(self.u), dt / tau_rec, dt / tau_fac if tau_fac > 0.0 else 1e30]
        row = Tired(
            axon.ring, axon.starts, axon.counts, axon.mask, delay, graph.f4(n), graph.f4(n, 1.0),
            graph.f8(n, -1e18, Arena.TRANSIENT), graph.f4(n), graph.f8(3, numbers),
        )  # fmt: skip
        graph.name(f"{name}.u", "f4", row.u, (n,))
        graph.name(f"{name}.x", "f4", row.x, (n,))
        graph.call(Phase.TRAVEL, use, graph.part(row), Mode.ACT)
        return row.gains


class Tired(NamedTuple):
    """Row of short-term plasticity."""

    ring: int
    starts: int
    counts: int
    mask: int
    delay: int
    u: int  # f4[n]
    x: int  # f4[n]
    last: int  # f8[n]: step of the latest arrival
    gains: int  # f4[n]
    numbers: int  # f8[3]: U, dt/τ_rec, dt/τ_fac


at = places(Tired)


@kernel
def use(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """What each of the arriving spikes is passed on with."""
    now, p = f8[HEAD.clock], row[at.numbers]
    line = (i64(now) - row[at.delay]) & row[at.mask]
    first = row[at.ring] + i4[row[at.starts] + line]
    for a in range(i4[row[at.counts] + line]):
        i = i64(i4[first + a])
        since = now - f8[row[at.last] + i]
        u = f4[row[at.u] + i] * math.exp(-since * f8[p + 2])
        u += f8[p] * (1.0 - u)
        x = 1.0 - (1.0 - f4[row[at.x] + i]) * math.exp(-since * f8[p + 1])
        f4[row[at.gains] + a], f4[row[at.u] + i], f4[row[at.x] + i] = f32(u * x), f32(u), f32(x - u * x)
        f8[row[at.last] + i] = now
