"""Networks of any shape: populations, projections and monitors, run a control step at a time or for a while.

    net = Network(dt=1e-3, seed=0, n_steps=20)
    inputs = net.input(64)
    cells = net.population(LIF(tau_mem=0.02), 8)
    net.connect(inputs, cells, weights=0.3, synapse=Delta())
    spikes = net.run(Spikes.of(steps=[0, 3], ids=[5, 17], n_steps=20))

Within a step all neurons are advanced first; then the spikes that are due arrive. So a spike of step k that takes `delay`
steps is added at the end of step k + delay and moves its target from the next step on, as in Brian2 and NEST.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, ConfigError, DivergedError, NeuroloopError, unknown
from ..graph import Graph, Mode
from ..rows import HEAD
from ..settings import ClockConfig
from ..types import Spikes
from ..walk import BAD_OFFSETS, FAULT, FULL, OK, OUT_OF_RANGE, TOO_MANY, UNSORTED, advance, call_all, take_in, tick
from . import population as populations
from . import projection as projections
from .batch import Batch
from .engine import Engine, State
from .layouts import AllToAll, FixedProbability, Layout
from .modulator import Modulator
from .monitors import SpikeMonitor, StateMonitor, neurons_of
from .neurons.base import Neuron
from .neurons.sources import Source
from .parameters import Range, number
from .population import Population
from .projection import Asked, Projection
from .synapses import Exponential, Synapse

INT32 = np.dtype(np.int32)
MOST_NEURONS = 2**30


class Counters(NamedTuple):
    """How much was done."""

    spikes: int
    synaptic_events: int  # synapses that a spike passed
    neuron_updates: int
    plasticity_events: int  # synapses that a rule looked at


class Network:
    """A spiking network. Parts are added first; the first run, or the first look at its state, builds it.

    `dt` in s; a control step has `n_steps` of them. The same `seed` gives the same bits.
    """

    def __init__(self, dt: float = 1e-3, seed: int = 0, n_steps: int = 1) -> None:
        self.dt = float(number(dt, Range(1e-6, 1.0, unit="s"), "dt"))
        if isinstance(n_steps, bool) or not isinstance(n_steps, int) or not 1 <= n_steps <= 100_000:
            raise ConfigError(f"n_steps: must be a whole number from 1 to 100000, got {n_steps!r}")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**53:
            raise ConfigError(f"seed: must be a whole number from 0 to 2**53 - 1, got {seed!r}")
        self.n_steps, self.seed = n_steps, seed
        self._populations: dict[str, Population] = {}
        self._projections: dict[str, Projection] = {}
        self._modulators: dict[str, Modulator] = {}
        self._adjusters: list[Any] = []
        self._monitors: list[SpikeMonitor | StateMonitor] = []
        self._output: Population | None = None
        self._engine: Engine | None = None

    # -- what the network is made of

    def input(self, n: int, name: str | None = None) -> Population:
        """`n` neurons whose spikes are handed to `run`."""
        return self._add_population(None, n, name, None)

    def population(self, model: Neuron | Source, n: int, name: str | None = None, *, current: Any = None) -> Population:
        """`n` neurons of a model.

        `current`: a number or an array (n,) injected at every step; `population["current"]` can be changed between runs.
        """
        if not isinstance(model, Neuron | Source):
            raise ConfigError(f"population: needs a model such as LIF(), got {model!r}")
        return self._add_population(model, n, name, current)

    def _add_population(self, model: Neuron | Source | None, n: int, name: str | None, current: Any) -> Population:
        self._must_not_run()
        name = self._name_of(name, "input" if model is None else type(model).__name__.lower(), self._populations)
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 0 < n <= MOST_NEURONS:
            raise ConfigError(f"{name}.n: must be a whole number from 1 to {MOST_NEURONS}, got {n!r}")
        if current is not None:
            if not isinstance(model, Neuron):
                raise ConfigError(f"{name}.current: only models of neurons take a current")
            current = number(current, Range(), f"{name}.current", int(n))
        self._populations[name] = made = Population(self, name, model, int(n), current)
        return made

    def connect(
        self,
        pre: Population,
        post: Population,
        weights: Any = 1.0,
        *,
        delay: Any = 0.0,
        probability: float | None = None,
        layout: Layout | None = None,
        synapse: Synapse | None = None,
        plasticity: Any = None,
        short_term: Any = None,
        device: Any = None,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        sign: projections.Sign | None = None,
        name: str | None = None,
    ) -> Projection:
        """Connect two populations.

        `weights`: a number, `Uniform(…)`, `Normal(…)` or an array: (n_pre, n_post) for all-to-all, (n,) one-to-one, one for
        each of given `Pairs`. `delay` in s, a multiple of dt, or one for each of given pairs. Without `layout` all neurons
        are connected to all, or each pair with `probability`. `synapse` defaults to `Exponential()`. `sign` keeps all
        weights of one sign (Dale's law). Raises `ConfigError`.
        """
        self._must_not_run()
        for end in (pre, post):
            if not isinstance(end, Population) or end.network is not self:
                raise ConfigError(f"connect: needs two populations of this network, got {end!r}")
        name = self._name_of(name, f"{pre.name}_{post.name}", self._projections)
        if layout is not None and probability is not None:
            raise ConfigError(f"{name}: either layout or probability, not both")
        if probability is not None:
            layout = FixedProbability(probability=number(probability, Range(0.0, 1.0), f"{name}.probability"))
        for what, value, kind in (("layout", layout, Layout), ("synapse", synapse, Synapse)):
            if value is not None and not isinstance(value, kind):
                raise ConfigError(f"{name}.{what}: needs a {kind.__name__}, got {value!r}")
        asked = Asked(
            pre, post, weights, delay, layout or AllToAll(), synapse or Exponential(), plasticity, short_term, device,
            bounds, sign,
        )  # fmt: skip
        self._projections[name] = made = Projection(self, name, asked)
        return made

    def modulator(self, name: str, n: int = 1) -> Modulator:
        """A neuromodulator that plasticity can name: one number, or one for each of `n` postsynaptic neurons."""
        self._must_not_run()
        name = self._name_of(name, "modulator", self._modulators)
        self._modulators[name] = made = Modulator(self, name, n)
        return made

    def adjust(self, rule: Any, target: Population | Projection) -> None:
        """Apply a homeostatic rule to a population or a projection."""
        self._must_not_run()
        rule.check_target(target)
        self._adjusters.append((rule, target))

    def record(self, population: Population, variable: str | None = None, neurons: Any = None) -> Any:
        """Record all spikes of a population, or a state `variable` of some `neurons`, from the first run on."""
        self._must_not_run()
        monitor: SpikeMonitor | StateMonitor
        if variable is None:
            if not population.fires:
                raise ConfigError(f"{population.name}: never fires; name a variable to record")
            monitor = SpikeMonitor(self, population)
        else:
            state = population.model.STATE if isinstance(population.model, Neuron) else {}
            if variable not in state:
                raise ConfigError(f"{population.name}: {unknown('variable', variable, state)}")
            monitor = StateMonitor(self, population, variable, neurons_of(population, neurons))
        self._monitors.append(monitor)
        return monitor

    def output(self, population: Population) -> None:
        """Have `run` return the spikes of this population; without it, those of the last one that was added."""
        self._must_not_run()
        if not population.fires:
            raise ConfigError(f"{population.name}: never fires, so it has no spikes to return")
        self._output = population

    def _must_not_run(self) -> None:
        if self._engine is not None:
            raise NeuroloopError("the network has run, or was looked into, and can no longer be added to")

    @staticmethod
    def _name_of(name: str | None, stem: str, taken: Mapping[str, Any]) -> str:
        if name is not None:
            if not isinstance(name, str) or not name.isidentifier():
                raise ConfigError(f"name: must be an identifier, got {name!r}")
            if name in taken:
                raise ConfigError(f"name: {name!r} is taken")
            return name
        return next(
            f"{stem}_{k}" if k else stem for k in range(len(taken) + 1) if (f"{stem}_{k}" if k else stem) not in taken
        )

    # -- building

    def _build(self) -> Engine:
        if self._engine is None:
            self._engine = self._built()
        return self._engine

    def _built(self) -> Engine:
        if not self._populations:
            raise NeuroloopError("the network is empty: add a population")
        graph = self._graph = Graph(
            ClockConfig(period=self.dt * self.n_steps, dt=self.dt, n_steps=self.n_steps), self.seed
        )
        output = self._output or next((p for p in reversed(self._populations.values()) if p.fires), None)
        made = {
            name: populations.build(
                graph, one, self._synapses_onto(one), self._reach_of(one, output), self._adjusts(one)
            )
            for name, one in self._populations.items()
        }
        for modulator in self._modulators.values():
            modulator.build(graph)
        for one in self._projections.values():
            projections.build(graph, one, made[one.asked.pre.name], made[one.asked.post.name])
        for rule, target in self._adjusters:
            rule.add(graph, target, made)
        for monitor in self._monitors:
            if isinstance(monitor, SpikeMonitor):
                monitor._build(graph, made[monitor.population.name].axon)
            else:
                monitor._build(graph, made[monitor.population.name].state[monitor.variable])
        engine = Engine(graph)
        self._names = {built.part: name for name, built in made.items()}
        inputs = [name for name, one in self._populations.items() if one.model is None]
        self._inputs = {name: engine.plan(Mode.ACT, source=made[name].part) for name in inputs}
        self._ends = (
            made[inputs[0]].part if len(inputs) == 1 else None,
            None if output is None else made[output.name].part,
            0 if output is None else output.n,
        )
        self._plan = engine.plan(Mode.ACT, *self._ends[:2])
        self._out = self._hand_out(engine, self._plan)
        self._silence = Spikes.none(self.n_steps)
        self._tick = tick.now
        return engine

    def _hand_out(self, engine: Engine, plan: NDArray[np.int64]) -> Spikes:
        """Room for the output of a plan."""
        out = Spikes(np.zeros(self._ends[2] * self.n_steps, np.int32), np.zeros(self.n_steps + 1, np.int32))
        engine.hand_out_to(plan, *out)
        return out

    def _plans_for(self, pools: Mapping[Any, NDArray[Any]], n: int) -> tuple[NDArray[np.int64], list[Spikes]]:
        """Plans and outputs of `n` instances, whose pools are the rows of `pools`."""
        engine = self._build()
        plans = np.stack(
            [engine.plan(Mode.ACT, *self._ends[:2], {name: pool[b] for name, pool in pools.items()}) for b in range(n)]
        )
        return plans, [self._hand_out(engine, plan) for plan in plans]

    def _synapses_onto(self, population: Population) -> list[Synapse]:
        found: dict[Synapse, None] = {}
        for one in self._projections.values():
            if one.asked.post is population:
                found[one.asked.synapse] = None
        return list(found)

    def _reach_of(self, population: Population, output: Population | None) -> int:
        delays = [
            int(np.max(one.delay_steps, initial=0)) for one in self._projections.values() if one.asked.pre is population
        ]
        whole_tick = population is output or self._adjusts(population)
        return max([*delays, self.n_steps if whole_tick else 0])

    def _adjusts(self, population: Population) -> bool:
        """Whether a homeostatic rule follows what the population fires."""
        onto = [one for one in self._projections.values() if one.asked.post is population]
        return any(target is population or target in onto for _, target in self._adjusters)

    # -- running

    def run(self, spikes: Spikes | Mapping[str, Spikes] | None = None, reward: float = 0.0) -> Spikes:
        """Run one control step and return the spikes of the output.

        `spikes`: those of the input, or a dictionary by the inputs' names if there are several; None: silence. `reward` is
        paid for the control step before: plasticity applies it to eligibility as that step left it. What is returned are
        views, overwritten by the next call. Raises `BadInput` for spikes that cannot be, `DivergedError` for state that is
        no longer finite.
        """
        if self._engine is None:
            self._build()
        if spikes is None:
            spikes = self._silence
        elif not isinstance(spikes, Spikes):
            spikes = self._take_in_all(spikes)
        ids, offsets = spikes
        if ids.dtype is not INT32 or offsets.dtype is not INT32:
            ids, offsets = _as_int32(spikes)
        if reward - reward != 0.0:
            raise BadInput(f"reward: must be finite, got {reward}")
        verdict = self._tick(self._plan, ids, offsets, float(reward))
        if verdict != OK:
            self._answer(verdict)
        return self._out

    def _take_in_all(self, spikes: Any) -> Spikes:
        """Hand spikes to each of several inputs; then there is nothing left to hand to the run itself."""
        if not isinstance(spikes, Mapping):
            raise BadInput(f"run: needs Spikes, or a dictionary of them by input, got {type(spikes).__name__}")
        for name in spikes:
            if name not in self._inputs:
                raise BadInput(f"run: {unknown('input', str(name), self._inputs)}")
        if len(self._inputs) == 1:
            return next(iter(spikes.values()), self._silence)
        for name, plan in self._inputs.items():
            verdict = take_in(plan, *_as_int32(spikes.get(name, self._silence)))
            if verdict != OK:
                self._answer(verdict, name)
        return self._silence

    def simulate(self, seconds: float) -> None:
        """Run on, without input, for a time that is a multiple of dt × n_steps."""
        engine, exact = (
            self._build(),
            float(number(seconds, Range(0.0, unit="s"), "seconds")) / (self.dt * self.n_steps),
        )
        n_ticks = round(exact)
        if abs(exact - n_ticks) > 1e-6 * max(1.0, exact):
            raise BadInput(
                f"seconds: must be a multiple of dt × n_steps = {self.dt * self.n_steps:g} s, got {seconds:g}"
            )
        if self._inputs:
            for plan in self._inputs.values():
                take_in(plan, *self._silence)
        while n_ticks > 0:
            n_ticks -= advance(self._plan, n_ticks)
            self._empty_monitors()
            if engine.head(HEAD.fault):
                self._answer(FAULT)

    def _answer(self, verdict: int, name: str | None = None) -> None:
        """Deal with what is not `OK`."""
        if verdict == FULL:
            return self._empty_monitors()
        if verdict == FAULT:
            raise DivergedError(self._diagnosis())
        name = name or next(iter(self._inputs), "input")
        if name not in self._populations:
            raise BadInput("run: the network has no input; leave `spikes` out")
        n = self._populations[name].n
        raise BadInput(
            {
                BAD_OFFSETS: f"{name}: offsets must be {self.n_steps + 1} rising numbers from 0 to the number of spikes",
                OUT_OF_RANGE: f"{name}: ids must be from 0 to {n - 1}",
                UNSORTED: f"{name}: ids must rise within a step",
                TOO_MANY: f"{name}: more spikes than its delays can hold; the mean rate is far above 200 Hz",
            }[verdict]
        )

    def _diagnosis(self) -> str:
        """Which part is at fault. The mark is wiped, so that state can be put right and the network run again."""
        engine = self._build()
        part = int(engine.head(HEAD.fault)) - 1
        engine.set_head(HEAD.fault, 0.0)
        for name in self._projections:
            for what in ("weights", "eligibility"):
                if f"{name}.{what}" in engine.names and not np.isfinite(engine.view(f"{name}.{what}")).all():
                    return f"{name}: {what} are no longer finite; smaller steps of learning, or bounds, may help"
        for name, one in self._populations.items():
            for variable in one.model.STATE if isinstance(one.model, Neuron) else ():
                wrong = np.flatnonzero(~np.isfinite(one[variable]))
                if wrong.size:
                    return f"{name}: {variable} of neuron {wrong[0]} is no longer finite"
        return f"{self._names.get(part, 'a projection')}: more spikes on their way than its delay can hold"

    # -- looking

    @property
    def time(self) -> float:
        """Simulated time, s."""
        return self._build().head(HEAD.clock) * self.dt

    @property
    def counters(self) -> Counters:
        """What was done since the start."""
        return self._counters(HEAD.spikes, HEAD.events, HEAD.updates, HEAD.changes)

    @property
    def counters_of_tick(self) -> Counters:
        """What was done in the latest control step."""
        now = self.counters
        before = self._counters(HEAD.spikes_before, HEAD.events_before, HEAD.updates_before, HEAD.changes_before)
        return Counters(*(a - b for a, b in zip(now, before, strict=True)))

    def _counters(self, *places: int) -> Counters:
        return Counters(*(int(self._build().head(place)) for place in places))

    def batch(self, n: int, seeds: Sequence[int] | None = None) -> Batch:
        """`n` copies of the network as it stands, to be run side by side."""
        return Batch(self, n, seeds)

    def state(self) -> State:
        """A copy of everything that changes, as arrays."""
        return self._build().state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` of a network made in the same way returned. Raises `CheckpointError` if it does not fit."""
        self._build().restore(state)

    def _view(self, name: str) -> NDArray[Any]:
        engine = self._build()
        if name not in engine.names:
            part = name.partition(".")[0]
            raise BadInput(
                unknown(f"array of {part}", name, [n for n in engine.names if n.startswith(part)] or engine.names)
            )
        return engine.view(name)

    def _settled(self, name: str) -> NDArray[Any]:
        engine = self._build()
        settlers = engine.settlers
        if len(settlers):
            call_all(self._plan, settlers[:, 0].copy(), settlers[:, 1].copy())
        return self._view(name)

    def _empty_monitors(self) -> None:
        engine = self._build()
        for monitor in self._monitors:
            monitor._empty(engine.pools, self._graph.place)
        engine.set_head(HEAD.full, 0.0)


def _as_int32(spikes: Any) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Arrays of the right kind, or `BadInput`."""
    if not isinstance(spikes, Spikes):
        raise BadInput(f"run: needs Spikes, got {type(spikes).__name__}")
    ids, offsets = np.asarray(spikes.ids), np.asarray(spikes.offsets)
    for name, array in (("ids", ids), ("offsets", offsets)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise BadInput(
                f"run: {name} must be whole numbers in one dimension, got {array.dtype} of shape {array.shape}"
            )
        if array.size and not (array.min() >= -(2**31) and array.max() < 2**31):
            raise BadInput(f"run: {name} are out of range")
    return np.ascontiguousarray(ids, np.int32), np.ascontiguousarray(offsets, np.int32)
