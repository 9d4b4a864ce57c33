"""Reward-modulated STDP: pairings leave eligibility, and a neuromodulator turns eligibility into changes of weights.

Pairings are those of `stdp.py`, additive and all-to-all. At an arrival e −= a_minus y, at a postsynaptic spike e += a_plus x;
between them e decays with tau_elig (Izhikevich 2007; Florian 2007, MSTDPET, eq. 7-9). Once a control step, first of all,

    w ← clip(w + rate m e)

with e as the control step before left it: m answers what was done then, never the spikes to come. m is the `reward` handed
to `Network.run`, or a modulator of the network, one number or one for each postsynaptic neuron. A TD error of control step t
needs the value that step t + 1 reads out (TD-modulated STDP; Frémaux, Sprekeler and Gerstner 2013), so it is handed over
with t + 2; with `late`, it meets e as step t left it all the same, and the pairings of step t + 1 wait.

Cost follows spikes. Few spikes: a row of weights is only touched when its presynaptic neuron fires; until then it is *owed*
Σ m λ^k, with the extremes of the partial sums, so that bounds apply as if every change had been made when it was due (where
that is not certain, the changes are gone through one by one). Many spikes: all rows are touched once a control step. Which of
both is decided by the spikes counted in the control step before, so that a replay goes the same way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._numba import Kernel, specialised
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase, Shared
from ..network.devices import write_float
from ..network.modulator import Modulator
from ..network.parameters import NonNegative, Number, Time, scalar
from ..network.rule import Rule
from ..rows import HEAD
from . import rewarded_dense, rewarded_sparse
from .pairing import Numbers, add_pairing
from .rewarded_table import TICKS, Rewarded, RewardNumbers, reward

if TYPE_CHECKING:
    from ..network.projection import Asked, Wired


class RSTDP(Rule, frozen=True, kw_only=True):
    """Reward-modulated STDP with eligibility traces."""

    rate: Number = 1e-3  # of learning
    a_plus: NonNegative = 1.0
    a_minus: NonNegative = 1.0
    tau_plus: Time = 0.020  # s, of the presynaptic trace x
    tau_minus: Time = 0.020  # s, of the postsynaptic trace y
    tau_elig: Time = 0.200  # s
    modulator: Modulator | None = None  # None: the reward
    late: bool = False  # whether it pays for the control step before the last, as a TD error does
    schedule: Literal["by activity", "dense", "lazy"] = "by activity"

    def check(self, where: str, asked: Asked, dt: float) -> None:
        super().check(where, asked, dt)
        if self.late and self.schedule == "lazy":
            raise ConfigError(f"{where}.plasticity.schedule: 'lazy' does not go with late = True")
        if self.modulator is None:
            return
        if not isinstance(self.modulator, Modulator) or self.modulator.network is not asked.pre.network:
            raise ConfigError(f"{where}.plasticity.modulator: must come from this network's modulator(…)")
        if self.modulator.n not in (1, asked.post.n):
            raise ConfigError(
                f"{where}.plasticity.modulator: has {self.modulator.n} numbers, must have 1 or {asked.post.n}"
            )
        if self.modulator.n > 1 and self.schedule == "lazy":
            raise ConfigError(f"{where}.plasticity.schedule: 'lazy' needs one modulator for all neurons")

    def add(self, graph: Graph, wired: Wired, asked: Asked) -> tuple[Kernel, int]:
        dt, n_steps, n_post = graph.clock.dt, graph.clock.n_steps, wired.post.axon.n
        device = (0.0,) * 4 if asked.device is None else asked.device.parameters(wired.bounds, dt)
        tau_plus, tau_minus, tau_elig = scalar(self.tau_plus), scalar(self.tau_minus), scalar(self.tau_elig)
        numbers = Numbers(
            dt / tau_plus, 0.0, dt / tau_minus, 0.0, scalar(self.a_plus), 0.0, scalar(self.a_minus), 0.0,
            *wired.bounds, *device,
        )  # fmt: skip
        own = self.modulator is not None and self.modulator.n > 1
        lazy = {"by activity": 0, "dense": -1, "lazy": 1}[self.schedule]
        elapsed = RewardNumbers(scalar(self.rate), math.exp(-dt * n_steps / tau_elig))
        travel, settle, empty_log = kernels_of(wired.dense, write_float if asked.device is None else asked.device.write)
        pairing = add_pairing(graph, wired, numbers, nearest=False, triplet=False, settle=settle)
        eligibility = graph.f4(wired.n_synapses, arena=Arena.LASTING)
        row = Rewarded(
            *pairing, eligibility=eligibility, row_ticks=graph.i4(wired.pre.n), live=graph.i4(wired.pre.n),
            log_ticks=graph.i4(pairing.capacity), n_ticks=graph.i4(1), tick_begin=graph.i4(1),
            oldest=graph.i4(1), arrived=graph.i4(1),
            lazy=-1 if own or self.late or asked.device is not None else lazy, empty_log=Shared(empty_log.address),
            table=graph.f8(5 * TICKS, [0.0] * 3 * TICKS + [1.0] + [0.0] * (2 * TICKS - 1), Arena.TRANSIENT),
            modulator=HEAD.reward if self.modulator is None else self.modulator.symbol, own=int(own),
            elapsed=graph.f8(len(elapsed), elapsed),
            frames=graph.f4(n_steps, np.exp(-dt * np.arange(n_steps)[::-1] / tau_elig), Arena.LASTING),
            saved=graph.f4(2 * n_post), saved_ids=graph.i4(n_post),
            answers=graph.f4(n_post) if own else 0, answered=graph.f8(1, arena=Arena.TRANSIENT),
            fresh=graph.f4(wired.n_synapses, arena=Arena.LASTING) if self.late else eligibility,
        )  # fmt: skip
        graph.index(row.row_ticks, wired.pre.n, TICKS)
        graph.index(row.log_ticks, pairing.capacity, TICKS)
        graph.index(row.n_ticks, 1, TICKS)
        graph.index(row.oldest, 1, TICKS)
        graph.index(row.tick_begin, 1, pairing.capacity + 1)
        for kept in {eligibility, row.fresh}:
            graph.wipe("f4", kept, wired.n_synapses)
        graph.name(f"{wired.name}.eligibility", "f4", eligibility, wired.shape)
        part = graph.part(row)
        graph.call(Phase.REWARD, reward, part, Mode.ACT)
        graph.call(Phase.TRAVEL, travel, part, Mode.ACT)
        graph.settle(settle, part)
        return settle, part


@functools.cache
def kernels_of(dense: bool, write: Callable[..., Any]) -> tuple[Kernel, Kernel, Kernel]:
    """The kernels that make a step, that bring all weights up to date, and that empty the log."""
    if dense:
        touch = [rewarded_dense.pay_latest, rewarded_dense.touch_dense]
        kernels = rewarded_dense.travel_dense, rewarded_dense.settle_dense, rewarded_dense.empty_log_dense
    else:
        touch = [rewarded_sparse.touch_sparse]
        kernels = rewarded_sparse.travel_sparse, rewarded_sparse.settle_sparse, rewarded_sparse.empty_log_sparse
    names = ("rstdp_travel", "rstdp_settle", "rstdp_empty_log")
    travel, settle, empty_log = (specialised(n, [*touch, k], write=write) for n, k in zip(names, kernels, strict=True))
    return travel, settle, empty_log
