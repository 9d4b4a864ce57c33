"""What a spike does to the neuron that it reaches: a jump of the membrane, a current or a conductance.

Exponential: s ← s e^(−dt/τ), a spike adds its weight to s. Alpha: s(t) = w (t/τ) e^(1 − t/τ), peak w at τ (Rall 1967).
Synapses of one kind and time constant add up linearly, so a population keeps one *receptor* for all of them. The effect on a
LIF membrane is exact for currents (Rotter and Diesmann 1999, eq. 3): what a decaying current does within a step is known.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import ConfigError
from ..graph import Arena, Graph
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
    """Four numbers of a population's row for each of its receptors. Symbols of float32 arrays."""

    arrivals: int  # [n]: where spikes add their weights
    level: int  # [n]: of an alpha receptor, its current or conductance
    of_a: int  # [1], or [n] where neurons differ: what arrivals amount to within a step
    of_b: int  # the same for the level
    factors: int  # [3]: decay, rise of an alpha, reversal


FIELDS = len(Receptor._fields)


def kind_of(synapse: Synapse) -> str:
    """The name of what a receptor's code depends on."""
    if isinstance(synapse, Delta):
        return "jump"
    assert isinstance(synapse, Exponential | Alpha)
    return type(synapse).__name__.lower() + ("_conductance" if synapse.reversal is not None else "_current")


def code_of(kind: str, r: int, place: int, own: bool, leaky: bool, fading: bool) -> tuple[list[str], list[str]]:
    """The lines of receptor `r` whose numbers stand at `place` of the row: before the loop over neurons, and in it.

    They add to `drive`, `jump` and, if the model takes conductances (`leaky`), to `leak`; else these act as g (E − v).
    `fading`: what is too small to matter becomes zero at every step, instead of once a control step.
    """
    before, fade = [f"a{r} = row[{place}]"], "faded" if fading else ""
    if kind == "jump":
        return before, [f"my_jump += f4[a{r} + i]", f"f4[a{r} + i] = f32(0.0)"]
    alpha, conductance = kind.startswith("alpha"), kind.endswith("conductance")
    before += [f"p{r} = row[{place + 4}]", f"decay{r}, rise{r}, reversal{r} = f4[p{r}], f4[p{r} + 1], f4[p{r} + 2]"]
    mine = own and not conductance
    before += [f"of_a{r} = row[{place + 2}]" if mine else f"of_a{r} = f4[row[{place + 2}]]"]
    inside = [f"s{r} = f4[a{r} + i]", f"g{r} = {f'f4[of_a{r} + i]' if mine else f'of_a{r}'} * s{r}"]
    if alpha:
        before += [
            f"b{r} = row[{place + 1}]",
            f"of_b{r} = row[{place + 3}]" if mine else f"of_b{r} = f4[row[{place + 3}]]",
        ]
        inside += [f"y{r} = f4[b{r} + i]", f"g{r} += {f'f4[of_b{r} + i]' if mine else f'of_b{r}'} * y{r}"]
        inside += [f"f4[b{r} + i] = {fade}((y{r} + rise{r} * s{r}) * decay{r})"]
    inside += [f"f4[a{r} + i] = {fade}(s{r} * decay{r})"]
    if not conductance:
        inside += [f"my_drive += g{r}"]
    elif leaky:
        inside += [f"my_leak += g{r}", f"my_drive += g{r} * reversal{r}"]
    else:
        inside += [f"my_drive += g{r} * (reversal{r} - my_v)"]
    return before, inside


def response(dt: float, tau_syn: Any, tau_mem: Any) -> tuple[Any, Any]:
    """What a current e^(−s/τ) and what a current s e^(−s/τ) add up to within a step, in units of a constant current.

    For a membrane that forgets with `tau_mem`; with `tau_mem` infinite this is the mean over the step.
    """
    leak = 1.0 / np.asarray(tau_mem, np.float64)
    x = (1.0 / np.asarray(tau_syn, np.float64) - leak) * dt
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    flat = dt * np.where(small, 1.0 - x / 2.0 + x**2 / 6.0, -np.expm1(-safe) / safe)
    ramp = dt**2 * np.where(small, 0.5 - x / 3.0 + x**2 / 8.0, (-np.expm1(-safe) - safe * np.exp(-safe)) / safe**2)
    whole = np.where(leak > 0.0, -np.expm1(-dt * leak) / np.where(leak > 0.0, leak, 1.0), dt)
    kept = np.exp(-dt * leak)
    return kept * flat / whole, kept * ramp / whole


def check_synapse(synapse: Synapse, where: str, dt: float) -> None:
    """Raise `ConfigError` for parameters out of range, or too fast for the step."""
    if isinstance(synapse, Exponential | Alpha):
        p = checked(synapse, where)
        if p.tau < dt:
            raise ConfigError(f"{where}.tau: must be ≥ dt = {dt:g} s, got {p.tau:g} s")


def add_receptor(graph: Graph, synapse: Synapse, n: int, tau_mem: Any) -> Receptor:
    """State of one receptor. `tau_mem`: the membranes' time constants, s, or infinity where they are not exponential."""
    if isinstance(synapse, Delta):
        return Receptor(graph.f4(n), 0, 0, 0, 0)
    assert isinstance(synapse, Exponential | Alpha)
    dt, tau, lasting = graph.clock.dt, float(synapse.tau), Arena.LASTING
    alpha, conductance = isinstance(synapse, Alpha), synapse.reversal is not None
    flat, ramp = response(dt, tau, np.inf if conductance else tau_mem)
    slope = math.e / tau  # of an alpha function that peaks at 1
    of_a, of_b = (slope * ramp, flat) if alpha else (flat, np.zeros_like(flat))
    factors = [math.exp(-dt / tau), slope * dt if alpha else 0.0, float(np.asarray(synapse.reversal or 0.0))]
    return Receptor(
        arrivals=graph.f4(n), level=graph.f4(n) if alpha else 0, of_a=graph.f4(of_a.size, of_a, lasting),
        of_b=graph.f4(of_b.size, of_b, lasting), factors=graph.f4(3, factors, lasting),
    )  # fmt: skip
