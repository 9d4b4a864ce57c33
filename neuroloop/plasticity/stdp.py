"""Spike-timing dependent plasticity of pairs and triplets: weights change when spikes arrive and when neurons fire.

Traces decay in every step and count spikes: x of presynaptic arrivals, y of postsynaptic spikes. All-to-all pairs let them
add up, nearest ones set them to 1.

- `STDP` (Song, Miller and Abbott 2000): at an arrival w −= a_minus y, at a postsynaptic spike w += a_plus x. Multiplicative
  (van Rossum, Bi and Turrigiano 2000; Rubin, Lee and Sompolinsky 2001): times w − low and high − w.
- `TripletSTDP` (Pfister and Gerstner 2006, eq. 3-4): w −= y (a2_minus + a3_minus x2), w += x (a2_plus + a3_plus y2), with
  slower traces x2 and y2 as they were before the spike.

A spike is sent with the weight as it was before its own arrival. Spikes of one step do not pair with each other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .._numba import Kernel, specialised
from ..errors import ConfigError
from ..graph import Arena, Mode, Phase, Shared
from ..network.devices import write_float
from ..network.parameters import NonNegative, Time, scalar
from ..network.rule import Rule
from . import stdp_rows as rows
from . import summed_rows
from .pairing import Numbers, add_pairing

if TYPE_CHECKING:
    from ..graph import Graph
    from ..network.projection import Asked, Wired


class STDP(Rule, frozen=True, kw_only=True):
    """Pair-based STDP."""

    a_plus: NonNegative = 0.01
    a_minus: NonNegative = 0.0105
    tau_plus: Time = 0.020  # s, of the presynaptic trace x
    tau_minus: Time = 0.020  # s, of the postsynaptic trace y
    dependence: Literal["additive", "multiplicative"] = "additive"
    pairs: Literal["all", "nearest"] = "all"

    def check(self, where: str, asked: Asked, dt: float) -> None:
        super().check(where, asked, dt)
        if self.dependence == "multiplicative" and not all(map(math.isfinite, asked.bounds)):
            raise ConfigError(f"{where}.bounds: multiplicative STDP needs bounds = (low, high), got {asked.bounds}")

    def add(self, graph: Graph, wired: Wired, asked: Asked) -> tuple[Kernel, int]:
        rules = (add_pair, subtract_pair) if self.dependence == "additive" else (add_towards, subtract_towards)
        amplitudes = (scalar(self.a_plus), 0.0, scalar(self.a_minus), 0.0)
        return add_stdp(
            graph,
            wired,
            asked,
            amplitudes,
            (scalar(self.tau_plus), scalar(self.tau_minus)),
            (0.0, 0.0),
            self.pairs,
            rules,
        )


class TripletSTDP(Rule, frozen=True, kw_only=True):
    """Triplet-based STDP; the defaults are the paper's minimal model of visual cortex (all-to-all, table 4)."""

    a2_plus: NonNegative = 0.0
    a3_plus: NonNegative = 6.5e-3
    a2_minus: NonNegative = 7.1e-3
    a3_minus: NonNegative = 0.0
    tau_plus: Time = 0.0168  # s, of x
    tau_minus: Time = 0.0337  # s, of y
    tau_x: Time = 0.101  # s, of x2
    tau_y: Time = 0.114  # s, of y2
    pairs: Literal["all", "nearest"] = "all"

    def add(self, graph: Graph, wired: Wired, asked: Asked) -> tuple[Kernel, int]:
        amplitudes = (scalar(self.a2_plus), scalar(self.a3_plus), scalar(self.a2_minus), scalar(self.a3_minus))
        times, slower = (scalar(self.tau_plus), scalar(self.tau_minus)), (scalar(self.tau_x), scalar(self.tau_y))
        return add_stdp(graph, wired, asked, amplitudes, times, slower, self.pairs, (add_pair, subtract_pair))


def add_pair(w, x, slow, pair, triplet, low, high):  # type: ignore[no-untyped-def]
    return x * (pair + triplet * slow)


def subtract_pair(w, y, slow, pair, triplet, low, high):  # type: ignore[no-untyped-def]
    return -y * (pair + triplet * slow)


def add_towards(w, x, slow, pair, triplet, low, high):  # type: ignore[no-untyped-def]
    return pair * x * (high - w)


def subtract_towards(w, y, slow, pair, triplet, low, high):  # type: ignore[no-untyped-def]
    return -pair * y * (w - low)


def add_stdp(
    graph: Graph,
    wired: Wired,
    asked: Asked,
    amplitudes: tuple[float, float, float, float],
    taus: tuple[float, float],
    slower: tuple[float, float],
    pairs: str,
    rules: tuple[Callable[..., Any], Callable[..., Any]],
) -> tuple[Kernel, int]:
    """Add the state and the kernels of a rule; `amplitudes`: pair and triplet, of potentiation and of depression."""
    dt, triplet = graph.clock.dt, slower[0] > 0.0
    device = (0.0,) * 4 if asked.device is None else asked.device.parameters(wired.bounds, dt)
    x_rate, x2_rate, y_rate, y2_rate = (
        0.0 if tau == 0.0 else dt / tau for tau in (taus[0], slower[0], taus[1], slower[1])
    )
    numbers = Numbers(x_rate, x2_rate, y_rate, y2_rate, *amplitudes, *wired.bounds, *device)
    if asked.device is None and rules[0] is add_pair:
        return add_summed(graph, wired, numbers, pairs == "nearest", triplet)
    travel, settle = kernels_of(wired.dense, *rules, write_float if asked.device is None else asked.device.write)
    part = graph.part(add_pairing(graph, wired, numbers, pairs == "nearest", triplet, settle))
    graph.call(Phase.TRAVEL, travel, part, Mode.ACT)
    graph.settle(settle, part)
    return settle, part


def add_summed(graph: Graph, wired: Wired, numbers: Numbers, nearest: bool, triplet: bool) -> tuple[Kernel, int]:
    """The same for rules whose potentiation is a sum."""
    n_pre, post = wired.pre.n, wired.post.axon
    settle = summed_rows.settle_dense if wired.dense else summed_rows.settle_sparse
    row = summed_rows.Summed(
        *wired.pre[1:5], wired.delay, *post[1:5], n_pre, post.n, wired.pointers, wired.targets, wired.weights, wired.arrivals,
        x=graph.f4(n_pre), x2=graph.f4(n_pre) if triplet else 0, y=graph.f4(post.n), y2=graph.f4(post.n) if triplet else 0,
        sums=graph.f4(post.n), seen=graph.f4(wired.n_synapses, arena=Arena.LASTING),
        taken_in=graph.i4(n_pre, -1), generation=graph.i4(1),
        base=graph.f8(1, arena=Arena.TRANSIENT), reach=max(1, int(summed_rows.REACH / max(numbers[:4]))),
        numbers=graph.f4(len(numbers), numbers, Arena.LASTING), nearest=int(nearest), settle=Shared(settle.address),
        part=graph.n_parts + 1,
    )  # fmt: skip
    part = graph.part(row)
    graph.call(Phase.TRAVEL, summed_rows.travel_dense if wired.dense else summed_rows.travel_sparse, part, Mode.ACT)
    graph.settle(settle, part)
    return settle, part


@functools.cache
def kernels_of(
    dense: bool, potentiate: Callable[..., Any], depress: Callable[..., Any], write: Callable[..., Any]
) -> tuple[Kernel, Kernel]:
    """The kernel of a step, and the one that brings all weights up to date."""
    plugged = {"potentiate": potentiate, "depress": depress, "write": write}
    catch_up = rows.catch_up_dense if dense else rows.catch_up_sparse
    return (
        specialised("stdp_travel", [catch_up, rows.travel_dense if dense else rows.travel_sparse], **plugged),
        specialised("stdp_settle", [catch_up, rows.settle_dense if dense else rows.settle_sparse], **plugged),
    )
