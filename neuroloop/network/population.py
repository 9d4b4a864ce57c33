"""A population of a network: what was asked for, and after building, live views of its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, ConfigError, unknown
from ..graph import Arena, Graph, Mode, Phase
from .axon import Axon, add_axon
from .neurons.base import BLOCK, FIRST, Neuron, asked_for, kernel_of, tidy
from .neurons.sources import Source
from .parameters import LARGEST, checked, numbers, slow_enough, steps
from .synapses import Receptor, Synapse, add_receptor, kind_of

if TYPE_CHECKING:
    from .network import Network


SMALL = 4096  # neurons; larger populations are looked after every so many steps at most
LOOK_EVERY = 16


class Population:
    """`n` neurons of one model. `population["v"]` is a live view of a state variable or a parameter, shape (n,)."""

    def __init__(self, network: Network, name: str, model: Neuron | Source | None, n: int, current: Any) -> None:
        self.network, self.name, self.model, self.n = network, name, model, n
        self._current = current
        if isinstance(model, Neuron):
            p = checked(model, name, n)
            slow_enough(p, network.dt, name)
            if getattr(model, "t_ref", None) is not None:
                steps(p.t_ref, network.dt, f"{name}.t_ref")
            model.check(p, name, network.dt)
            for leaky in (False, True):
                factors_of(model, p, name, network.dt, model.update(leaky))
        elif isinstance(model, Source):
            model.check(name, n, network.dt)

    def __repr__(self) -> str:
        return f"Population({self.name!r}, n={self.n}, {self.model or 'input'})"

    def __getitem__(self, variable: str) -> NDArray[Any]:
        return self.network.view(f"{self.name}.{variable}")

    def __setitem__(self, variable: str, value: Any) -> None:
        view = self[variable]
        array = numbers(value, f"{self.name}.{variable}")
        if not (np.abs(array) <= LARGEST).all():
            raise BadInput(f"{self.name}.{variable}: must be finite, within ±{LARGEST:g}")
        try:
            view[:] = array
        except ValueError:
            raise BadInput(f"{self.name}.{variable}: expected shape {view.shape}, got {array.shape}") from None

    @property
    def fires(self) -> bool:
        """Whether it has spikes at all."""
        return not isinstance(self.model, Neuron) or self.model.SPIKES


class Built(NamedTuple):
    """A population in the graph. Symbols."""

    axon: Axon
    receptors: dict[Synapse, Receptor]
    factors: dict[str, int]  # f4[n], or f4[1] where all neurons share a number
    state: dict[str, int]  # f4[n]
    part: int | None


def build(graph: Graph, population: Population, synapses: list[Synapse], reach: int, own: bool) -> Built:
    """Add a population that has these kinds of synapses, and whose spikes are read up to `reach` steps later.

    `own`: every neuron gets its own factors, because something will change them.
    """
    model, n, name = population.model, population.n, population.name
    if model is None:
        axon = add_axon(graph, n, reach, graph.clock.n_steps)
        return Built(axon, {}, {}, {}, graph.part(axon))
    axon = add_axon(graph, n, reach)
    stream = graph.stream(name)
    if isinstance(model, Source):
        row, kernel = model.add(graph, axon, stream, name)
        part = graph.part(row)
        graph.call(Phase.FIRE, kernel, part, Mode.ACT)
        return Built(axon, {}, {}, {}, part)
    return _build_neurons(graph, population, model, axon, synapses, own)


def factors_of(model: Neuron, p: Any, name: str, dt: float, update: Any) -> dict[str, NDArray[np.float64]]:
    """The numbers that an update asks for, in order. Raises `ConfigError` if one is missing, or too large for a float32."""
    known, found = model.factors(p, dt), {}
    for factor in asked_for(update, tuple(model.STATE)):
        if factor not in known:
            raise ConfigError(f"{name}: its update asks for {factor!r}: {unknown('factor', factor, known)}")
        found[factor] = numbers(known[factor], f"{name}.{factor}")
        if not (np.abs(found[factor]) <= LARGEST).all():
            raise ConfigError(f"{name}: parameters do not go together, {factor} is {np.max(np.abs(found[factor])):g}")
    return found


def _build_neurons(
    graph: Graph, population: Population, model: Neuron, axon: Axon, synapses: list[Synapse], own: bool
) -> Built:
    n, name, dt, lasting = population.n, population.name, graph.clock.dt, Arena.LASTING
    p = checked(model, name, n)
    update = model.update(any(kind_of(synapse).endswith("conductance") for synapse in synapses))
    refractory = getattr(model, "t_ref", None) is not None and bool(np.any(np.asarray(p.t_ref) > 0.0))
    values = factors_of(model, p, name, dt, update)
    if refractory:
        values["t_ref"] = np.asarray(steps(p.t_ref, dt, f"{name}.t_ref"), np.float64)
    own = own or any(value.ndim for value in values.values())
    width = n if own else 1
    factors = {key: graph.f4(width, np.broadcast_to(value, (width,)), lasting) for key, value in values.items()}
    starts = {key: getattr(p, start) if isinstance(start, str) else start for key, start in model.STATE.items()}
    state = {key: graph.f4(n, np.broadcast_to(start, (n,))) for key, start in starts.items()}
    tau_mem = np.broadcast_to(np.asarray(model.time_constant(), np.float64), (width,))
    receptors = {synapse: add_receptor(graph, synapse, n, tau_mem) for synapse in synapses}
    injected = population._current is not None
    current = graph.f4(n, np.broadcast_to(np.asarray(population._current), (n,)), lasting) if injected else 0
    row = [
        *axon, graph.f4(n) if refractory else 0, graph.i4(BLOCK), graph.stream(name), graph.f4(1, dt, lasting), current,
        graph.n_parts + 1, len(state), FIRST + len(state) + len(factors), len(receptors), 1 if n <= SMALL else LOOK_EVERY,
        *state.values(), *factors.values(), *(x for r in receptors.values() for x in r),
    ]  # fmt: skip
    part = graph.part(row)
    kinds = tuple(kind_of(synapse) for synapse in synapses)
    fading = any(graph.clock.n_steps * dt > 20.0 * getattr(synapse, "tau", np.inf) for synapse in synapses)
    kernel = kernel_of(update, tuple(state), kinds, own, refractory, injected, fading)
    graph.call(Phase.INTEGRATE, kernel, part, Mode.ACT)
    graph.call(Phase.WATCH, tidy, part, Mode.ACT)
    for key, symbol in state.items():
        graph.name(f"{name}.{key}", "f4", symbol, (n,))
    for key, symbol in factors.items():
        graph.name(f"{name}.{key}", "f4", symbol, (width,))
    if injected:
        graph.name(f"{name}.current", "f4", current, (n,))
    return Built(axon, receptors, factors, state, part)
