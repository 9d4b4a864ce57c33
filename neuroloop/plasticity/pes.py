"""The prescribed error sensitivity rule (MacNeil and Eliasmith 2011, PLoS ONE 6): an error changes what is read out.

Once a control step of length T, first of all, w_ij ← w_ij + rate T a_i e_j with the activity a_i = Σ e^(−s/τ)/τ (Hz) of the
presynaptic neuron as the control step before left it, and the error e_j that answers that step: what is missing, desired
minus actual (Nengo's PES takes the opposite sign).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from .._numba import Kernel, i4_at, i8_at, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..network import wires
from ..network.modulator import Modulator
from ..network.parameters import Number, Time, scalar
from ..network.rule import Rule
from ..rows import HEAD, f32, i64

if TYPE_CHECKING:
    from ..network.projection import Asked, Wired


class PES(Rule, frozen=True, kw_only=True):
    """Error-driven learning."""

    error: Modulator  # one number for each postsynaptic neuron
    rate: Number = 1e-4
    tau: Time = 0.020  # s, of the activity

    def check(self, where: str, asked: Asked, dt: float) -> None:
        super().check(where, asked, dt)
        if not isinstance(self.error, Modulator) or self.error.network is not asked.pre.network:
            raise ConfigError(f"{where}.plasticity.error: must come from this network's modulator(…)")
        if self.error.n != asked.post.n:
            raise ConfigError(f"{where}.plasticity.error: has {self.error.n} numbers, must have {asked.post.n}")
        if asked.device is not None:
            raise ConfigError(f"{where}.device: PES writes float weights only; leave it out")

    def add(self, graph: Graph, wired: Wired, asked: Asked) -> tuple[Kernel, int]:
        pre, post, dt, tau = wired.pre, wired.post.axon, graph.clock.dt, scalar(self.tau)
        numbers = [math.exp(-dt / tau), scalar(self.rate) * graph.clock.n_steps * dt / tau, *wired.bounds]
        row = Activity(
            pre.ring, pre.starts, pre.counts, pre.mask, wired.delay, pre.n, post.n, graph.f4(pre.n), wired.weights,
            wired.pointers, wired.targets, self.error.symbol,
            graph.f4(4, numbers, Arena.LASTING),
        )  # fmt: skip
        part = graph.part(row)
        graph.call(Phase.REWARD, learn, part, Mode.ACT)
        graph.call(Phase.TRAVEL, follow, part, Mode.ACT)
        wire = wires.Wire(
            pre.ring, pre.starts, pre.counts, pre.mask, wired.delay, post.n, wired.arrivals, wired.weights, 0, -1,
            wired.pointers, wired.targets,
        )  # fmt: skip
        graph.call(Phase.TRAVEL, wires.dense if wired.dense else wires.sparse, graph.part(wire), Mode.ACT)
        graph.name(f"{wired.name}.activity", "f4", row.trace, (pre.n,))
        return up_to_date, part


class Activity(NamedTuple):
    """Row of PES."""

    ring: int
    starts: int
    counts: int
    mask: int
    delay: int
    n_pre: int
    n_post: int
    trace: int  # f4[n_pre]
    weights: int
    pointers: int  # 0: dense
    targets: int
    error: int  # f8[n_post]
    numbers: int  # f4[4]: decay a step, rate × T/τ, bounds


at = places(Activity)


@kernel
def up_to_date(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Nothing is put off."""


@kernel
def follow(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Traces decay and count arrivals."""
    trace, decay = row[at.trace], f4[row[at.numbers]]
    for i in range(row[at.n_pre]):
        x = f4[trace + i] * decay
        f4[trace + i] = x if x > f32(1e-9) else f32(0.0)
    line = (i64(f8[HEAD.clock]) - row[at.delay]) & row[at.mask]
    first = row[at.ring] + i4[row[at.starts] + line]
    for a in range(i4[row[at.counts] + line]):
        f4[trace + i4[first + a]] += f32(1.0)


@kernel
def learn(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The error changes the weights of neurons that were active."""
    n, error, q, events = row[at.n_post], row[at.error], row[at.numbers], i64(0)
    low, high = f4[q + 2], f4[q + 3]
    for i in range(row[at.n_pre]):
        change = f4[q + 1] * f4[row[at.trace] + i]
        if change == f32(0.0):
            continue
        if row[at.pointers] == 0:
            w = row[at.weights] + i * n
            for j in range(n):
                f4[w + j] = min(max(f4[w + j] + change * f32(f8[error + j]), low), high)
            events += n
        else:
            pointers, targets = i8_at(row[at.pointers]), i4_at(row[at.targets])
            for p in range(pointers[i], pointers[i + 1]):
                w = row[at.weights] + p
                f4[w] = min(max(f4[w] + change * f32(f8[error + targets[p]]), low), high)
            events += pointers[i + 1] - pointers[i]
    f8[HEAD.changes] += events
