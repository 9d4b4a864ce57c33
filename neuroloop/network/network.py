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
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from ..errors import BadInput, ConfigError, NeuroloopError, unknown
from ..rows import HEAD
from ..types import Spikes
from ..walk import FAULT, FULL, OK, advance, take_in, tick
from .batch import Batch, as_int32
from .engine import State
from .layouts import AllToAll, FixedProbability, Layout
from .modulator import Modulator
from .monitors import SpikeMonitor, StateMonitor
from .neurons.base import Neuron
from .neurons.sources import Source
from .parameters import Model, Range, checked, number, one_of, slow_enough, whole
from .population import Population
from .projection import Asked, Projection, Sign
from .running import Running
from .synapses import Exponential, Synapse

MOST_NEURONS = 2**30


class Counters(NamedTuple):
    """How much was done."""

    spikes: int
    synaptic_events: int  # synapses that a spike passed
    neuron_updates: int
    plasticity_events: int  # synapses that a rule looked at


@runtime_checkable
class Adjuster(Protocol):
    """A homeostatic rule."""

    def check_target(self, target: Any) -> None: ...
    def add(self, graph: Any, target: Any, made: Any) -> None: ...


class Network:
    """A spiking network. Parts are added first; the first run, or the first look at its state, builds it.

    `dt` in s; a control step has `n_steps` of them. The same `seed` gives the same bits.
    """

    def __init__(self, dt: float = 1e-3, seed: int = 0, n_steps: int = 1) -> None:
        self.dt = float(number(dt, Range(1e-6, 1.0, unit="s"), "dt"))
        self.n_steps, self.seed = whole(n_steps, 1, 100_000, "n_steps"), whole(seed, 0, 2**53 - 1, "seed")
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.modulators: dict[str, Modulator] = {}
        self.adjusters: list[tuple[Adjuster, Population | Projection]] = []
        self.monitors: list[SpikeMonitor | StateMonitor] = []
        self.chosen_output: Population | None = None
        self._running: Running | None = None

    def input(self, n: int, name: str | None = None) -> Population:
        """`n` neurons whose spikes are handed to `run`."""
        return self._add_population(None, n, name, None)

    def population(self, model: Neuron | Source, n: int, name: str | None = None, *, current: Any = None) -> Population:
        """`n` neurons of a model.

        `current`: a number or an array (n,) injected at every step; `population["current"]` can be changed between runs.
        """
        return self._add_population(one_of((Neuron, Source), model, "population", "LIF()"), n, name, current)

    def _add_population(self, model: Neuron | Source | None, n: int, name: str | None, current: Any) -> Population:
        name = self._name_of(name, "input" if model is None else type(model).__name__.lower())
        n = whole(n, 1, MOST_NEURONS, f"{name}.n")
        if current is not None:
            if not isinstance(model, Neuron):
                raise ConfigError(f"{name}.current: only models of neurons take a current")
            current = number(current, Range(), f"{name}.current", n)
        self.populations[name] = made = Population(self, name, model, n, current)
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
        sign: Sign | None = None,
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
        name = self._name_of(name, f"{pre.name}_{post.name}")
        if layout is not None and probability is not None:
            raise ConfigError(f"{name}: either layout or probability, not both")
        if probability is not None:
            layout = FixedProbability(probability=number(probability, Range(0.0, 1.0), f"{name}.probability"))
        layout = AllToAll() if layout is None else layout
        synapse = Exponential() if synapse is None else synapse
        asked = Asked(pre, post, weights, delay, layout, synapse, plasticity, short_term, device, bounds, sign)
        self.projections[name] = made = Projection(self, name, asked)
        return made

    def modulator(self, name: str, n: int = 1) -> Modulator:
        """A neuromodulator that plasticity can name: one number, or one for each of `n` postsynaptic neurons."""
        name = self._name_of(name, "modulator")
        self.modulators[name] = made = Modulator(self, name, whole(n, 1, MOST_NEURONS, f"{name}.n"))
        return made

    def adjust(self, rule: Any, target: Population | Projection) -> None:
        """Apply a homeostatic rule to a population or a projection."""
        self._must_not_run()
        if not isinstance(rule, Model) or not isinstance(rule, Adjuster):
            raise ConfigError(f"adjust: needs a homeostatic rule such as Scaling(…), got {rule!r}")
        if isinstance(target, Population | Projection) and target.network is not self:
            raise ConfigError(f"adjust: needs a population or a projection of this network, got {target!r}")
        rule.check_target(target)
        slow_enough(checked(rule, target.name), self.dt, f"{target.name}.{type(rule).__name__.lower()}")
        self.adjusters.append((rule, target))

    def record(self, population: Population, variable: str | None = None, neurons: Any = None) -> Any:
        """Record all spikes of a population, or a state `variable` of some `neurons`, from the first run on."""
        self._must_be_mine(population, "record")
        monitor: SpikeMonitor | StateMonitor
        if variable is None and neurons is None:
            monitor = SpikeMonitor(self, population)
        else:
            monitor = StateMonitor(self, population, variable, neurons)
        self.monitors.append(monitor)
        return monitor

    def output(self, population: Population) -> None:
        """Have `run` return the spikes of this population; without it, those of the last one that was added."""
        self._must_be_mine(population, "output")
        if not population.fires:
            raise ConfigError(f"{population.name}: never fires, so it has no spikes to return")
        self.chosen_output = population

    def _must_not_run(self) -> None:
        if self._running is not None:
            raise NeuroloopError("the network has run, or was looked into, and can no longer be added to")

    def _must_be_mine(self, population: Any, what: str) -> None:
        self._must_not_run()
        if not isinstance(population, Population) or population.network is not self:
            raise ConfigError(f"{what}: needs a population of this network, got {population!r}")

    def _name_of(self, name: str | None, stem: str) -> str:
        """The name of a new part, made up if there is none. No two parts share a name."""
        self._must_not_run()
        taken = {*self.populations, *self.projections, *self.modulators}
        if name is None:
            return next(one for one in (stem, *(f"{stem}_{k}" for k in range(1, len(taken) + 1))) if one not in taken)
        if not isinstance(name, str) or not name.isidentifier():
            raise ConfigError(f"name: must be an identifier, got {name!r}")
        if name in taken:
            raise ConfigError(f"name: {name!r} is taken")
        return name

    # -- running

    def build(self) -> Running:
        """Build the network, if that has not been done; nothing can be added any more."""
        if self._running is None:
            self._running = made = Running(self)
            self._plan, self._out, self._tick = made.plan, made.out, tick.now
            self._silence = Spikes.none(self.n_steps)
        return self._running

    def run(self, spikes: Spikes | Mapping[str, Spikes] | None = None, reward: float = 0.0) -> Spikes:
        """Run one control step and return the spikes of the output.

        `spikes`: those of the input, or a dictionary by the inputs' names if there are several; None: silence. `reward` is
        paid for the control step before: plasticity applies it to eligibility as that step left it. What is returned are
        views, overwritten by the next call. Raises `BadInput` for spikes that cannot be, `DivergedError` for state that is
        no longer finite.
        """
        if self._running is None:
            self.build()
        if spikes is None:
            spikes = self._silence if len(self._running.inputs) < 2 else {}  # type: ignore[union-attr]
        if not isinstance(spikes, Spikes):
            spikes = self._take_in_all(spikes)
        ids, offsets = spikes
        try:
            verdict = self._tick(self._plan, ids, offsets, reward)
        except (TypeError, ValueError):  # arrays of another kind: bring them into shape, or say what is wrong with them
            verdict = self._tick(self._plan, *as_int32(spikes), number(reward, Range(), "reward"))
        if verdict != OK:
            self._answer(verdict)
        return self._out

    def _take_in_all(self, spikes: Any) -> Spikes:
        """Hand spikes to each of several inputs; then there is nothing left to hand to the run itself."""
        running = self.build()
        if not isinstance(spikes, Mapping):
            raise BadInput(f"run: needs Spikes, or a dictionary of them by input, got {type(spikes).__name__}")
        for name, some in spikes.items():
            if name not in running.inputs:
                raise BadInput(f"run: {unknown('input', str(name), running.inputs)}")
            if not isinstance(some, Spikes):
                raise BadInput(f"{name}: needs Spikes, got {type(some).__name__}")
        if len(running.inputs) == 1:
            return next(iter(spikes.values()), self._silence)
        for name, plan in running.inputs.items():
            verdict = take_in(plan, *as_int32(spikes.get(name, self._silence), name))
            if verdict != OK:
                self._answer(verdict, name)
        return self._silence

    def simulate(self, seconds: float) -> None:
        """Run on, without input, for a time that is a multiple of dt × n_steps."""
        running, control_step = self.build(), self.dt * self.n_steps
        exact = float(number(seconds, Range(0.0, 2.0**53 * control_step, unit="s"), "seconds")) / control_step
        n_ticks = round(exact)
        if abs(exact - n_ticks) > 1e-6 * max(1.0, exact):
            raise BadInput(f"seconds: must be a multiple of dt × n_steps = {control_step:g} s, got {seconds:g}")
        while n_ticks > 0:
            n_ticks -= advance(self._plan, running.sources, *self._silence, n_ticks)
            self.empty_monitors()
            if running.engine.head(HEAD.fault):
                self._answer(FAULT)

    def reset(self) -> None:
        """Begin an episode: membranes, currents, traces, eligibility and spikes on their way are as at the start.

        Weights, thresholds, counters and the clock stay.
        """
        running = self.build()
        running.settle(self._plan)
        self.empty_monitors()
        running.engine.begin_anew(running.engine.pools)

    def _answer(self, verdict: int, name: str | None = None) -> None:
        """Deal with what is not `OK`."""
        if verdict == FULL:
            self.empty_monitors()
        else:
            self.build().refuse(verdict, name)

    # -- looking

    @property
    def time(self) -> float:
        """Simulated time, s."""
        return self.build().engine.head(HEAD.clock) * self.dt

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
        return Counters(*(int(self.build().engine.head(place)) for place in places))

    def batch(self, n: int, seeds: Sequence[int] | None = None) -> Batch:
        """`n` copies of the network as it stands, to be run side by side."""
        return Batch(self, self.build(), n, seeds)

    def state(self) -> State:
        """A copy of everything that changes, as arrays."""
        return self.build().engine.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` of a network made in the same way returned; monitors begin anew from there.

        Raises `CheckpointError` if it does not fit.
        """
        running = self.build()
        running.engine.restore(state)
        for monitor in self.monitors:
            monitor.restart(running, int(running.engine.head(HEAD.clock)))

    def view(self, name: str, pools: Any = None, *, settled: bool = False) -> NDArray[Any]:
        """A live view of the array `part.variable`; `settled`: weights brought up to date. Raises `BadInput`."""
        running = self.build()
        if name not in running.engine.names:
            part, _, variable = name.partition(".")
            known = [other.partition(".")[2] for other in running.engine.names if other.startswith(f"{part}.")]
            raise BadInput(f"{part}: {unknown('array', variable, known)}")
        if settled:
            running.settle(self._plan)
        return running.engine.view(name, pools)

    def empty_monitors(self) -> None:
        """Have all monitors take what was recorded out of the engine."""
        running = self.build()
        for monitor in self.monitors:
            monitor.empty(running)
        running.engine.set_head(HEAD.full, 0.0)
