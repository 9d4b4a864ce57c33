"""What a spike does to the neuron that it reaches: a jump of the membrane, a current or a conductance.

Exponential: s ← s e^(−dt/τ), a spike adds its weight to s. Alpha: s(t) = w (t/τ) e^(1 − t/τ), peak w at τ (Rall 1967).
Synapses of one kind and time constant add up linearly, so a population keeps one *receptor* for all of them. The effect on a
LIF membrane is exact for currents (Rotter and Diesmann 1999, eq. 3): what a decaying current does within a step is known.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._numba import inline
from ..errors import ConfigError
from ..graph import Arena, Graph
from ..rows import f32
from .parameters import Model, Number, Time, checked


class Synapse(Model, frozen=True, kw_only=True):
    """Base of the kinds of synapses."""


class Delta(Synapse, frozen=True, kw_only=True):
    """A spike moves the membrane by its weight at once."""


class Exponential(Synapse, frozen=True, kw_only=True):
    """A current that jumps by the weight and decays; with `reversal`, a conductance in units of the leak."""

    tau: Time = 0.005  # s
    reversal: Number | None = None


class Alpha(Synapse, frozen=True, kw_only=True):
    """A current that rises to the weight within `tau` and falls again; with `reversal`, a conductance."""

    tau: Time = 0.005  # s
    reversal: Number | None = None


class Receptor(NamedTuple):
    """Five numbers of a population's row for each of its receptors."""

    kind: int
    arrivals: int  # f4[n]: where spikes add their weights
    level: int  # f4[n]: of an alpha receptor, its current or conductance
    factors: int  # f4[5]: decay, rise of an alpha, what arrivals and level amount to within a step, reversal
    coefficients: int  # f4[2, n] where they differ between neurons, else 0


JUMP, CURRENT, ALPHA_CURRENT, CONDUCTANCE, ALPHA_CONDUCTANCE, OWN_CURRENT, OWN_ALPHA_CURRENT = range(7)
FIELDS = len(Receptor._fields)


@inline
def receive(f4, row, place, n_receptors, start, size, drive, jump, leak, v):  # type: ignore[no-untyped-def]
    """Add what all receptors do to neurons `start … start + size` in this step to the blocks `drive`, `jump` and `leak`.

    A model that knows no leak (`leak` < 0) gets conductances as the current g (E − v).
    """
    for r in range(n_receptors):
        at = place + FIELDS * r
        kind, a, b, p, c = row[at], row[at + 1] + start, row[at + 2] + start, row[at + 3], row[at + 4] + start
        decay, rise, of_a, of_b, reversal = f4[p], f4[p + 1], f4[p + 2], f4[p + 3], f4[p + 4]
        if kind == JUMP:
            for k in range(size):
                f4[jump + k] += f4[a + k]
                f4[a + k] = f32(0.0)
        elif kind == CURRENT:
            for k in range(size):
                s = f4[a + k]
                f4[drive + k] += of_a * s
                f4[a + k] = _faded(s * decay)
        elif kind == ALPHA_CURRENT:
            for k in range(size):
                s, y = f4[a + k], f4[b + k]
                f4[drive + k] += of_a * s + of_b * y
                f4[a + k], f4[b + k] = _faded(s * decay), _faded((y + rise * s) * decay)
        elif kind == OWN_CURRENT:
            for k in range(size):
                s = f4[a + k]
                f4[drive + k] += f4[c + k] * s
                f4[a + k] = _faded(s * decay)
        elif kind == OWN_ALPHA_CURRENT:
            n = row[0]
            for k in range(size):
                s, y = f4[a + k], f4[b + k]
                f4[drive + k] += f4[c + k] * s + f4[c + n + k] * y
                f4[a + k], f4[b + k] = _faded(s * decay), _faded((y + rise * s) * decay)
        else:
            for k in range(size):
                s, y = f4[a + k], f4[b + k]
                g = of_a * s + of_b * y
                if leak >= 0:
                    f4[leak + k] += g
                    f4[drive + k] += g * reversal
                else:
                    f4[drive + k] += g * (reversal - f4[v + start + k])
                f4[a + k] = _faded(s * decay)
                f4[b + k] = _faded((y + rise * s) * decay)


@inline
def _faded(x):  # type: ignore[no-untyped-def]
    """Exactly zero where it is too small to matter: denormal numbers cost a hundred times a normal one."""
    return x if abs(x) > f32(1e-20) else f32(0.0)


def response(dt: float, tau_syn: float, tau_mem: Any) -> tuple[Any, Any]:
    """What a current e^(−s/τ) and what a current s e^(−s/τ) add up to within a step, in units of a constant current.

    For a membrane that forgets with `tau_mem`; with `tau_mem` infinite this is the mean over the step.
    """
    rate = 1.0 / tau_syn - 1.0 / np.asarray(tau_mem, np.float64)
    x = rate * dt
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    flat = dt * np.where(small, 1.0 - x / 2.0 + x**2 / 6.0, -np.expm1(-safe) / safe)
    ramp = dt**2 * np.where(small, 0.5 - x / 3.0 + x**2 / 8.0, (-np.expm1(-safe) - safe * np.exp(-safe)) / safe**2)
    kept = np.exp(-dt / np.asarray(tau_mem, np.float64))
    whole = np.where(np.isinf(tau_mem), dt, -np.expm1(-dt / np.asarray(tau_mem, np.float64)) * tau_mem)
    return kept * flat / whole, kept * ramp / whole


def add_receptor(graph: Graph, synapse: Synapse, where: str, n: int, tau_mem: Any) -> Receptor:
    """State of one receptor. `tau_mem`: the membranes' time constants, s, or infinity where they are not exponential."""
    if isinstance(synapse, Delta):
        return Receptor(JUMP, graph.f4(n), 0, graph.f4(5), 0)
    assert isinstance(synapse, Exponential | Alpha)
    p = checked(synapse, where)
    steps, alpha, conductance = graph.steps(p.tau), isinstance(synapse, Alpha), p.reversal is not None
    if steps < 1.0:
        raise ConfigError(f"{where}.tau: must be ≥ dt = {graph.clock.dt:g} s, got {p.tau:g} s")
    flat, ramp = response(graph.clock.dt, p.tau, np.inf if conductance else tau_mem)
    slope = math.e / p.tau  # of an alpha function that peaks at 1
    of_a, of_b = (slope * ramp, flat) if alpha else (flat, np.zeros_like(flat))
    own = of_a.ndim > 0
    kind = {(False, False): CURRENT, (True, False): ALPHA_CURRENT, (False, True): CONDUCTANCE, (True, True): ALPHA_CONDUCTANCE}
    factors = [math.exp(-1.0 / steps), slope * graph.clock.dt if alpha else 0.0, *((0.0, 0.0) if own else (of_a, of_b))]
    return Receptor(
        kind={CURRENT: OWN_CURRENT, ALPHA_CURRENT: OWN_ALPHA_CURRENT}[kind[alpha, False]] if own else kind[alpha, conductance],
        arrivals=graph.f4(n),
        level=graph.f4(n) if alpha or conductance else 0,
        factors=graph.f4(5, [*factors, p.reversal or 0.0], Arena.LASTING),
        coefficients=graph.f4(2 * n, np.concatenate([of_a, of_b]), Arena.LASTING) if own else 0,
    )
