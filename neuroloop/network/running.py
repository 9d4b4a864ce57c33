"""A network that has been built: its engine, how spikes get in and out of it, and what to say when something is wrong."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, DivergedError, NeuroloopError
from ..graph import Arena, Graph, Mode
from ..rows import HEAD
from ..settings import ClockConfig
from ..types import Spikes
from ..walk import BAD_OFFSETS, BAD_REWARD, FAULT, NO_SOURCE, OUT_OF_RANGE, TOO_MANY, UNSORTED, call_all
from . import population as populations
from . import wiring
from .engine import Engine
from .monitors import SpikeMonitor
from .neurons.base import Neuron
from .population import Built, Population
from .synapses import Synapse

if TYPE_CHECKING:
    from .network import Network

Pools = Mapping[Any, NDArray[Any]]


class Running:
    """What there is once a network is built. `plan` is its control step, `out` where its output's spikes are handed out."""

    def __init__(self, network: Network) -> None:
        if not network.populations:
            raise NeuroloopError("the network is empty: add a population")
        self.network, n_steps = network, network.n_steps
        graph = self.graph = Graph(
            ClockConfig(period=network.dt * n_steps, dt=network.dt, n_steps=n_steps), network.seed
        )
        firing = [one for one in network.populations.values() if one.fires]
        output = network.chosen_output or (firing[-1] if firing else None)
        self._owners: dict[int, str] = {}  # of the parts of populations and projections
        made: dict[str, Built] = {}
        for name, one in network.populations.items():
            begin = graph.n_parts
            reach, own = _reach_of(network, one, output), _is_adjusted(network, one)
            made[name] = populations.build(graph, one, _synapses_onto(network, one), reach, own)
            self._owners |= dict.fromkeys(range(begin, graph.n_parts), name)
        for modulator in network.modulators.values():
            modulator.build(graph)
        for name, projection in network.projections.items():
            begin, asked = graph.n_parts, projection.asked
            wiring.build(graph, projection, made[asked.pre.name], made[asked.post.name])
            self._owners |= dict.fromkeys(range(begin, graph.n_parts), name)
        for rule, target in network.adjusters:
            rule.add(graph, target, made)
        for monitor in network.monitors:
            built = made[monitor.population.name]
            if isinstance(monitor, SpikeMonitor):
                monitor.build(graph, built.axon)
            else:
                monitor.build(graph, built.state[monitor.variable])
        graph.constant("f8", graph.f8(1, _fingerprint(graph, network), Arena.LASTING), 1)
        self.engine = engine = Engine(graph)
        inputs = [name for name, one in network.populations.items() if one.model is None]
        self.inputs = {name: engine.plan(Mode.ACT, source=made[name].part) for name in inputs}
        self._ends = (
            made[inputs[0]].part if len(inputs) == 1 else None,
            None if output is None else made[output.name].part,
        )
        self._n_out = 0 if output is None else output.n
        (self.plan,), (self.out,) = self.instances({pool: array[None] for pool, array in engine.pools.items()}, 1)
        self.sources = np.stack([*self.inputs.values()]) if inputs else np.zeros((0, self.plan.size), np.int64)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a network that has run cannot be copied or pickled: make it anew and restore its state")

    def instances(self, pools: Pools, n: int) -> tuple[NDArray[np.int64], list[Spikes]]:
        """Plans and outputs of `n` instances, whose pools are the rows of `pools`."""
        n_steps, outputs = self.network.n_steps, []
        plans = np.stack(
            [self.engine.plan(Mode.ACT, *self._ends, {name: pool[b] for name, pool in pools.items()}) for b in range(n)]
        )
        for plan in plans:
            out = Spikes(np.zeros(self._n_out * n_steps, np.int32), np.zeros(n_steps + 1, np.int32))
            self.engine.hand_out_to(plan, *out)
            outputs.append(out)
        return plans, outputs

    def settle(self, plan: NDArray[np.int64]) -> None:
        """Bring weights up to date."""
        settlers = self.engine.settlers
        if len(settlers):
            call_all(plan, settlers[:, 0].copy(), settlers[:, 1].copy())

    def refuse(self, verdict: int, name: str | None = None, pools: Pools | None = None, copy: str = "") -> None:
        """Raise what a verdict of the engine means; `name`: the input that it is about, `copy`: how a message begins."""
        if verdict == FAULT:
            raise DivergedError(copy + self._diagnosis(self.engine.pools if pools is None else pools))
        name = name or next(iter(self.inputs), "")
        n = self.network.populations[name].n if name else 0
        inputs = ", ".join(self.inputs)
        raise BadInput(
            copy
            + {
                BAD_OFFSETS: f"{name}: offsets must be {self.network.n_steps + 1} rising numbers from 0 to the number of ids",
                OUT_OF_RANGE: f"{name}: ids must be from 0 to {n - 1}",
                UNSORTED: f"{name}: ids must rise within a step",
                TOO_MANY: f"{name}: more spikes than its delays can hold; the mean rate is far above 200 Hz",
                NO_SOURCE: f"run: needs a dictionary of Spikes by input: {inputs}"
                if inputs
                else "run: the network has no input; leave `spikes` out",
                BAD_REWARD: "reward: must be finite",
            }[verdict]
        )

    def _diagnosis(self, pools: Pools) -> str:
        """Which part is at fault. The mark is wiped, so that state can be put right and the network run again."""
        engine, part = self.engine, int(pools["f8"][HEAD.fault]) - 1
        pools["f8"][HEAD.fault] = 0.0
        for name in self.network.projections:
            for what in ("weights", "eligibility"):
                if f"{name}.{what}" in engine.names and not np.isfinite(engine.view(f"{name}.{what}", pools)).all():
                    return f"{name}: {what} are no longer finite; smaller steps of learning, or bounds, may help"
        for name, one in self.network.populations.items():
            for variable in one.model.STATE if isinstance(one.model, Neuron) else ():
                wrong = np.flatnonzero(~np.isfinite(engine.view(f"{name}.{variable}", pools)))
                if wrong.size:
                    return f"{name}: {variable} of neuron {wrong[0]} is no longer finite"
        return f"{self._owners.get(part, 'a population')}: more spikes on their way than its delay can hold"


def _synapses_onto(network: Network, population: Population) -> list[Synapse]:
    onto = (one.asked.synapse for one in network.projections.values() if one.asked.post is population)
    return list(dict.fromkeys(onto))


def _reach_of(network: Network, population: Population, output: Population | None) -> int:
    """For how many steps the spikes of a population are read."""
    delays = [one.reach for one in network.projections.values() if one.asked.pre is population]
    whole_tick = population is output or _is_adjusted(network, population)
    return max([*delays, network.n_steps if whole_tick else 0])


def _is_adjusted(network: Network, population: Population) -> bool:
    """Whether a homeostatic rule follows what the population fires."""
    onto = [one for one in network.projections.values() if one.asked.post is population]
    return any(target is population or target in onto for _, target in network.adjusters)


def _fingerprint(graph: Graph, network: Network) -> float:
    """A number for what state must fit: parts, their sizes and settings, and which neurons are connected."""
    models = [(name, type(one.model).__name__, one.n) for name, one in network.populations.items()]
    return float(zlib.crc32(repr(models).encode(), graph.fingerprint()))
