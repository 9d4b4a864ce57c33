"""Muscle afferents for each joint, as an agonist and an antagonist: position, velocity, load, closeness to limits.

The agonist pulls its joint towards positive q and is stretched by negative motion; the antagonist pulls towards negative q and
is stretched by positive motion. Of every pair of neurons the first is the agonist's, the second the antagonist's, as in
the decoders' pairs. For a joint at q within [low, high], u = (q − low) / (high − low), at speed v, whose actuator produces the
torque f (positive: towards positive q), a pair's intensities are
position (group II): lengths, 1 − u and u;
velocity (Ia): stretch, max(∓v / v_most, 0)^exponent with an exponent of 0.5 to 0.6 (Prochazka and Gorassini 1998);
load (Golgi Ib): the muscle's own force, max(±f / f_most, 0) (Crago, Houk and Rymer 1982);
limit: max(1 − u / margin, 0) and max(1 − (1 − u) / margin, 0), as joint receptors near the ends (Burgess and Clark 1969).
v_most and f_most are the greatest sizes in the normaliser's ranges. Neurons fire at intensity × max_rate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numba import inline, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, f32
from ..settings import Adaptive, Fixed, Spindles
from .firing import Firing
from .normaliser import Inputs, add_normaliser
from .observation import Layout
from .rate import add_train, check_rate

NO_LIMIT = 1e6  # bounds of a space beyond this are no joint's
USUAL = {"position": 1.0, "velocity": 0.5, "load": 0.3, "limit": 0.1}  # sum of a pair's intensities, roughly


class Speed(NamedTuple):
    """Row of what finds velocities from positions: backward differences over a control period."""

    n: int
    position: int  # f8[n]
    velocity: int  # f8[n]
    before: int  # f8[n]: the position before
    period: int  # f8: s


class Pair(NamedTuple):
    """Row of pairs of afferents, agonist and antagonist of each joint. What it feels lies in the arrays of a normaliser."""

    n: int
    raw: int  # f8[n]
    low: int  # f8[n]: the range in use
    high: int
    limit_low: int  # f8[n]: limits of a joint; as `low` and `high` if none are known
    limit_high: int
    rate: int  # f4[n, 2]: spikes a step
    level: int  # f4[n, 2]: the trace that this rate settles at
    most: int  # f4: spikes a step at intensity 1
    tau: int  # f4: of the trace, in steps
    shape: int  # f8: exponent or margin


to, at = places(Speed), places(Pair)


@kernel
def differ(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Velocities; an episode begins at rest."""
    for j in range(row[to.n]):
        q = f8[row[to.position] + j]
        moved = 0.0 if f8[HEAD.first] != 0.0 else q - f8[row[to.before] + j]
        f8[row[to.velocity] + j] = moved / f8[row[to.period]]
        f8[row[to.before] + j] = q


@inline
def _set(f4, row, k, intensity):  # type: ignore[no-untyped-def]
    """The rate of one neuron of a pair."""
    rate = f4[row[at.most]] * f32(min(max(intensity, 0.0), 1.0))
    f4[row[at.rate] + k] = rate
    f4[row[at.level] + k] = rate * f4[row[at.tau]]


@inline
def _place(f8, row, j):  # type: ignore[no-untyped-def]
    """Where a joint is between its limits, from 0 to 1."""
    low, high = f8[row[at.limit_low] + j], f8[row[at.limit_high] + j]
    return (f8[row[at.raw] + j] - low) / (high - low + 1e-8)


@inline
def _size(f8, row, j):  # type: ignore[no-untyped-def]
    """A signed value in units of the greatest in its range."""
    most = max(abs(f8[row[at.low] + j]), abs(f8[row[at.high] + j]))
    return f8[row[at.raw] + j] / (most + 1e-8)


@kernel
def feel_position(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Length of both muscles: the agonist is long where q is low."""
    for j in range(row[at.n]):
        u = _place(f8, row, j)
        _set(f4, row, 2 * j, 1.0 - u)
        _set(f4, row, 2 * j + 1, u)


@kernel
def feel_velocity(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Stretch of the muscle that is stretched: the agonist by negative motion."""
    for j in range(row[at.n]):
        v = _size(f8, row, j)
        a = min(abs(v), 1.0) ** f8[row[at.shape]]
        _set(f4, row, 2 * j, a if v < 0.0 else 0.0)
        _set(f4, row, 2 * j + 1, a if v > 0.0 else 0.0)


@kernel
def feel_load(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Force of the muscle that pulls."""
    for j in range(row[at.n]):
        f = _size(f8, row, j)
        _set(f4, row, 2 * j, f)
        _set(f4, row, 2 * j + 1, -f)


@kernel
def feel_limit(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Closeness to the limits where the agonist, and where the antagonist, is stretched most: the lower and the upper one."""
    margin = f8[row[at.shape]]
    for j in range(row[at.n]):
        u = _place(f8, row, j)
        _set(f4, row, 2 * j, 1.0 - u / margin)
        _set(f4, row, 2 * j + 1, 1.0 - (1.0 - u) / margin)


KERNELS = {"position": feel_position, "velocity": feel_velocity, "load": feel_load, "limit": feel_limit}


def add_spindles(graph: Graph, config: Spindles, layout: Layout, inputs: Inputs, path: str = "encoder") -> Firing:
    """Add the encoder to the graph; `layout` holds positions, then velocities and loads where they are observed.

    Neurons: for each sense in the order of the settings, agonist and antagonist of the first joint, of the second, …
    """
    senses = [sense for sense in config.senses if sense != "load" or config.load]
    if not senses or len(set(senses)) < len(senses):
        raise ConfigError(f"{path}.senses: must name some of {list(USUAL)}, each once, got {list(config.senses)}")
    n = layout.size // (1 + bool(config.velocity) + bool(config.load))
    most = check_rate(graph, config.max_rate, path)
    felt = _add_felt(graph, config, layout, inputs, n, path)
    limits = _limits(graph, config, layout, felt["position"], n, path)
    size, lasting = 2 * n * len(senses), Arena.LASTING
    rate, level, tau = graph.f4(size), graph.f4(size), graph.steps(config.tau_trace)
    shapes = {"velocity": config.exponent, "limit": config.margin}
    for k, sense in enumerate(senses):
        of = felt["position" if sense == "limit" else sense]
        pair = Pair(
            n=n, raw=of.raw, low=of.low, high=of.high, limit_low=limits[0], limit_high=limits[1], rate=rate + 2 * n * k,
            level=level + 2 * n * k, most=graph.f4(1, most, lasting), tau=graph.f4(1, tau, lasting),
            shape=graph.f8(1, shapes.get(sense, 1.0)),
        )  # fmt: skip
        graph.call(Phase.ENCODE, KERNELS[sense], graph.part(pair), Mode.ACT | Mode.LOOK)
    fired = add_train(graph, size, rate, config.spikes, path)
    return Firing(size, fired, level, most * tau, n * sum(USUAL[sense] for sense in senses), config.tau_trace)


def _add_felt(graph: Graph, config: Spindles, layout: Layout, inputs: Inputs, n: int, path: str) -> dict[str, Inputs]:
    """Normalise what is observed, and velocities that are not; returns where each lies."""
    ranges, n_all = config.normalise, n * (2 + bool(config.load))
    moving: Adaptive | Fixed = ranges
    if isinstance(ranges, Fixed) and not config.velocity:
        if len(ranges.low) != n_all or len(ranges.high) != n_all:
            raise ConfigError(
                f"{path}.normalise: needs {n_all} values for {n} joints, positions, then velocities, then loads, "
                f"got {len(ranges.low)} and {len(ranges.high)}"
            )
        moving = Fixed(low=ranges.low[n : 2 * n], high=ranges.high[n : 2 * n])
        ranges = Fixed(low=ranges.low[:n] + ranges.low[2 * n :], high=ranges.high[:n] + ranges.high[2 * n :])
    add_normaliser(graph, ranges, layout, inputs, path)
    if config.velocity:
        return {"position": inputs, "velocity": inputs.after(n), "load": inputs.after(2 * n)}
    found = Inputs(graph.f8(n, arena=Arena.TRANSIENT), graph.f8(n), graph.f8(n))
    period = graph.f8(1, graph.clock.period)
    speed = graph.part(Speed(n, inputs.raw, found.raw, graph.f8(n, arena=Arena.TRANSIENT), period))
    graph.call(Phase.SENSE, differ, speed, Mode.ACT | Mode.WARM_UP | Mode.LOOK)
    add_normaliser(graph, moving, layout.take(np.arange(n)).unbounded(), found, path)
    return {"position": inputs, "velocity": found, "load": inputs.after(n)}


def _limits(graph: Graph, config: Spindles, layout: Layout, position: Inputs, n: int, path: str) -> tuple[int, int]:
    """Symbols of the joints' limits: those given, those of the space, or the ranges in use."""
    if config.low:
        low, high = np.array(config.low), np.array(config.high)
        if low.size != n or not (low < high).all():
            raise ConfigError(f"{path}.low: needs {n} limits below those of high, got {list(config.low)}")
    else:
        low, high = layout.low[:n], layout.high[:n]
    if np.abs([low, high]).max() < NO_LIMIT:
        return graph.f8(n, low), graph.f8(n, high)
    return position.low, position.high
