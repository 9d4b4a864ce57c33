"""From an agent's configuration and a plant's spaces to a linked network: the only place that knows all kinds of parts."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
from gymnasium import Space

from .decoders.actions import ActionCode
from .decoders.catalogue import Decoding, add_decoder
from .decoders.limits import Stage
from .encoders.kinds import add_encoder, add_parts
from .encoders.normaliser import OBSERVATION
from .encoders.observation import Layout
from .encoders.senses import Senses
from .errors import ConfigError
from .graph import Arena, Graph
from .learning.feedback_error import add_feedback_error, readings_of
from .learning.linear import add_linear
from .learning.reward import add_reward
from .learning.success import add_success
from .learning.td import Signals, add_td, critic_bias, td_signals, usual_count
from .network.decision.cells import CellSource
from .network.decision.dense import add_dense
from .network.decision.from_cells import add_from_cells
from .network.decision.given import shares_of
from .network.decision.lif import Population, add_lif, spikes_of
from .network.decision.source import Source, add_source
from .network.engine import Engine
from .plasticity.broadcast import Reader, add_broadcast, add_signals
from .plasticity.eprop import add_local
from .plasticity.rstdp import Predicted, Third, add_rstdp
from .plasticity.rstdp_cells import add_rstdp_cells
from .settings import (
    Choosing,
    ClockConfig,
    EProp,
    FeedbackAlignment,
    FeedbackError,
    Lif,
    LinearConfig,
    NoLearner,
    Pes,
    ProjectionConfig,
    RStdp,
    SpikingConfig,
    TdLearner,
    WarmUp,
)

FORGOTTEN = 0.03  # an eligibility of this share of its start is gone
LONGEST = 10_000  # decisions that an eligibility may last
HIDDEN_DRIVE = 2.0  # at which a population that is neither critic nor selected is taken to fire usually
EXPLORED = 0.5  # share of what was explored that a gain of 1 learns from one decision: measured, docs/decoders.md


class Built(NamedTuple):
    """A population with its settings, and the decoder that reads it."""

    config: Lif
    population: Population
    decoding: Decoding | None = None


class Made(NamedTuple):
    """A projection, as feedback from who reads to who is read needs to know it."""

    config: ProjectionConfig
    post: Built
    weights: int  # symbol of dense ones
    scale: int
    signal: int  # symbol of the learning signals that its plasticity waits for; 0: none


def assemble(config: SpikingConfig | LinearConfig, senses: Senses, actions: ActionCode, seed: int) -> Engine:
    """Build the network of an agent. Raises `ConfigError` where settings do not go together."""
    if isinstance(config, LinearConfig):
        return Engine(_linear(config, senses, actions, seed))
    return Engine(_spiking(config, senses, actions, seed))


def clock_of(config: SpikingConfig | LinearConfig) -> ClockConfig:
    """The clock of a network; one without spikes has a single step."""
    return config.clock if isinstance(config, SpikingConfig) else ClockConfig(dt=1.0, n_steps=1)


def readings_for(config: SpikingConfig | LinearConfig, space: Space[Any], actions: ActionCode) -> Layout | None:
    """What the learner itself reads of an observation. Raises `ConfigError`."""
    learner = config.learner
    return readings_of(learner, space, len(actions.groups)) if isinstance(learner, FeedbackError) else None


def _linear(config: LinearConfig, senses: Senses, actions: ActionCode, seed: int) -> Graph:
    """A control step is a single step, in which cells are looked at instead of firing."""
    graph, learner = _graph(clock_of(config), seed, config.warm_up), config.learner
    decays = {"value": learner.gamma * learner.value_decay, "policy": learner.gamma * learner.policy_decay}
    memory = max(_until_forgotten(decay, f"learner.gamma × learner.{name}_lambda") for name, decay in decays.items())
    add_success(graph, config.success)
    (cells,) = add_parts(graph, senses, memory, fires=False).values()
    assert isinstance(cells, CellSource), "the settings see to it"
    add_linear(graph, config, cells, actions)
    return graph


def _spiking(config: SpikingConfig, senses: Senses, actions: ActionCode, seed: int) -> Graph:
    graph = _graph(config.clock, seed, config.warm_up)
    memory = max([_memory(config, projection) for projection in config.projection.values()], default=1)
    sources = add_encoder(graph, senses, memory)
    signals = td_signals(graph)
    add_success(graph, config.success)
    errors = graph.f8(len(actions.groups)) if isinstance(config.learner, FeedbackError) else 0
    populations = {name: _add_population(graph, config, name, actions) for name in config.population}
    made: list[Made] = []
    for name, projection in config.projection.items():
        if projection.pre not in sources:
            built = populations[projection.pre]
            sources[projection.pre] = [_as_source(graph, one) for one in built]
        for k, pre in enumerate(sources[projection.pre]):
            part = f"[{senses.parts[k].name}]" if projection.pre == "encoder" and len(senses.parts) > 1 else ""
            sizes = [(_columns(post), post.population.n) for post in populations[projection.post]]
            each = shares_of(name, projection, pre.n, sizes)
            for d, post in enumerate(populations[projection.post]):
                full_name = f"{name}{part}[{d}]" if len(populations[projection.post]) > 1 else f"{name}{part}"
                modulator = signals.for_others if not errors else errors + d
                told = signals._replace(for_others=modulator)
                made.append(_add_projection(graph, config, full_name, each[d], pre, post, told))
    _add_feedback(graph, made)
    learner = config.learner
    if isinstance(learner, TdLearner):
        critic = populations[learner.critic][0]
        onto_critic = [p for p in config.projection.values() if p.post == learner.critic]
        most_weight = max((max(map(abs, p.bounds)) for p in onto_critic), default=0.0)
        add_td(graph, learner, signals, critic.population, critic.config, most_weight)
    elif isinstance(learner, FeedbackError):
        stage = _stage_of(populations[config.decoder.population][0])
        add_feedback_error(graph, learner, graph.symbol_of(OBSERVATION) + senses.encoded, errors, stage)
    elif isinstance(learner, NoLearner):
        graph.signal("td_error")  # which everybody may look at
    else:
        add_reward(graph, learner, signals.for_others)
    return graph


def _columns(post: Built) -> int:
    """What weights onto a population are given for: its groups, if the decoder reads them, or else its neurons."""
    each = post.config.n_per_action if post.decoding is not None else None
    return post.population.n // (each or 1)


def _stage_of(built: Built) -> Stage:
    assert built.decoding is not None
    assert built.decoding.stage is not None, "checks.py sees to it"
    return built.decoding.stage


def _graph(clock: ClockConfig, seed: int, warm_up: WarmUp) -> Graph:
    graph = Graph(clock, seed)
    graph.signal("awake", float(warm_up.decisions == 0))  # 1 once learning began; every part may read it
    return graph


def _memory(config: SpikingConfig, projection: ProjectionConfig) -> int:
    """Control steps until an eligibility is gone."""
    if projection.plasticity is None:
        return 1
    return _until_forgotten(config.learner.gamma * projection.plasticity.decay, "learner.gamma × plasticity.lambda")


def _until_forgotten(decay: float, path: str) -> int:
    """Control steps until an eligibility that decays so is gone."""
    if decay >= 1.0:
        raise ConfigError(f"{path}: must be below 1, or eligibility never ends")
    memory = int(math.log(FORGOTTEN) / math.log(decay)) + 1 if decay > 0.0 else 1
    if memory > LONGEST:
        raise ConfigError(f"{path}: {decay} remembers {memory} decisions, more than {LONGEST}")
    return memory


def _add_population(graph: Graph, config: SpikingConfig, name: str, actions: ActionCode) -> list[Built]:
    """One population; of the one that the decoder reads, as many as it reads: one for each dimension of the action, mostly."""
    lif = config.population[name]
    learner = config.learner
    bias = critic_bias(learner) if isinstance(learner, TdLearner) and name == learner.critic else lif.bias
    if name != config.decoder.population:
        n = lif.n or (lif.n_per_action or 0) * sum(actions.groups)
        return [Built(lif, add_lif(graph, name, lif, n, bias))]
    each = lif.n_per_action
    assert each is not None, "checks.py sees to it"
    read = add_decoder(
        graph, config.decoder, config.warm_up, actions,
        lambda d, groups: add_lif(graph, f"{name}[{d}]", lif, each * groups, bias),
    )  # fmt: skip
    return [Built(lif, decoding.population, decoding) for decoding in read]


def _as_source(graph: Graph, built: Built) -> Source:
    """A population as presynaptic neurons. What it will fire is not known beforehand, so its past trace stands for it."""
    lif, population = built.config, built.population
    usual = lif.tau_trace * spikes_of(HIDDEN_DRIVE, lif.tau_mem, lif.t_ref, 1.0)
    return add_source(graph, population.fired, population.n, lif.tau_trace, None, usual, population.n)


def _add_projection(
    graph: Graph,
    config: SpikingConfig,
    name: str,
    projection: ProjectionConfig,
    pre: Source | CellSource,
    post: Built,
    signals: Signals,
) -> Made:
    learner = config.learner
    (low, high), decoding = projection.bounds, post.decoding
    wider = 1.0 if decoding is None else decoding.reach
    projection = msgspec.structs.replace(projection, bounds=(low * wider, high * wider))
    graph.name(f"projection.{name}.bounds", "f4", graph.f4(2, projection.bounds, Arena.LASTING), (2,))
    onto_critic = projection.post == learner.critic
    scale = signals.scale if onto_critic else graph.signal("one", 1.0)
    rule, weights, signal = projection.plasticity, 0, 0
    predicted, paired = None, post.population
    if isinstance(rule, RStdp) and rule.predictive and decoding is not None:
        if decoding.selection is not None:
            chosen = decoding.selection
            predicted = Predicted(chosen.per_group, chosen.coefficients, chosen.winner)
        elif decoding.currents is not None:
            paired = paired._replace(fired=decoding.currents.factor)
    if isinstance(learner, FeedbackError) and decoding is not None:
        paired = _directed(graph, paired, rule)
    third = _third(graph, config, projection, pre.usual_trace, post, signals, scale)
    if isinstance(pre, CellSource):
        optimistic = onto_critic and isinstance(learner, TdLearner) and learner.value_range == "automatic"
        made = add_from_cells(
            graph, name, projection, pre, post.population, scale, signals.start if optimistic else None
        )
        if isinstance(rule, RStdp | Pes):
            add_rstdp_cells(graph, name, projection, rule, pre, made, paired, third, predicted)
    else:
        weights = add_dense(graph, name, projection, pre, post.population, scale)
        if isinstance(rule, RStdp | Pes):
            add_rstdp(graph, name, projection, rule, pre, paired, weights, third, predicted)
        elif rule is not None:
            if isinstance(rule, EProp):
                local = add_local(graph, pre, post.population, projection.tau_syn, post.config.tau_mem, rule.dampening)
                before, after, pre_only = local.vector, local.slope, 0.0
            else:
                before, after = pre.trace, post.population.fired
                pre_only = rule.pre_only * third.usual_pairing / (pre.usual_trace * graph.clock.n_steps)
            signal = add_broadcast(
                graph, pre.n, post.population.n, before, after, weights, projection.bounds, third, pre_only
            )
    return Made(projection, post, weights, scale, signal)


def _directed(graph: Graph, pair: Population, rule: RStdp | Pes | EProp | FeedbackAlignment | None) -> Population:
    """A pair of groups as feedback-error learning sees it: what it fired, or would, with the sign of what that does."""
    pulls = np.repeat((1.0, -1.0), pair.n // 2)
    pair = pair._replace(gate=graph.f4(pair.n, pulls, Arena.LASTING))
    return pair._replace(fired=graph.f4(pair.n, 1.0, Arena.LASTING)) if isinstance(rule, Pes) else pair


def _add_feedback(graph: Graph, made: list[Made]) -> None:
    """Have whoever reads a hidden population tell it what would have been better."""
    for hidden in made:
        rule = hidden.config.plasticity
        if not isinstance(rule, EProp | FeedbackAlignment):
            continue
        mirrored = isinstance(rule, EProp) and rule.broadcast == "symmetric"
        for out in made:
            if out.config.pre == hidden.config.post:
                n, decoding = out.post.population.n, out.post.decoding
                if decoding is None:
                    reader = Reader(1, n, 0, 0, rule.value)
                elif (chosen := decoding.selection) is not None:
                    reader = Reader(chosen.groups, chosen.per_group, chosen.predicted, chosen.winner, 1.0)
                elif (currents := decoding.currents) is not None:
                    share = EXPLORED / decoding.sigma
                    reader = Reader(currents.groups, currents.per_group, 0, 0, share, currents.noise)
                weights = (out.weights, out.scale) if mirrored else None
                add_signals(graph, hidden.post.population.n, hidden.signal, reader, weights)


def _third(
    graph: Graph,
    config: SpikingConfig,
    projection: ProjectionConfig,
    usual_trace: float,
    post: Built,
    signals: Signals,
    scale: int,
) -> Third:
    """The neuromodulator of a projection, with gains in units of a usual pairing, so that they mean the same everywhere."""
    learner, rule, lif = config.learner, projection.plasticity, post.config
    duration = graph.clock.n_steps * graph.clock.dt
    gain, decay = (0.0, 0.0) if rule is None else (rule.gain, rule.decay * learner.gamma)
    if isinstance(learner, TdLearner) and projection.post == learner.critic:
        pairing = usual_count(learner, lif, duration) * usual_trace
        modulator = signals.for_critic
    elif isinstance(rule, Pes):
        pairing = graph.clock.n_steps * usual_trace
        modulator = signals.for_others
    elif post.decoding is not None:
        pairing, unit = _usual(config, projection, lif, graph.clock.n_steps, graph.clock.dt)
        pairing *= usual_trace
        gain *= unit
        modulator = signals.for_others
    elif isinstance(rule, EProp):
        pairing = graph.clock.n_steps * rule.dampening / 2.0 * usual_trace
        modulator = signals.for_others
    else:
        pairing = spikes_of(HIDDEN_DRIVE, lif.tau_mem, lif.t_ref, duration) * usual_trace
        modulator = signals.for_others
    return Third(modulator, gain / pairing, decay, pairing, scale)


def _usual(config: SpikingConfig, rule: ProjectionConfig, lif: Lif, n_steps: int, dt: float) -> tuple[float, float]:
    """What plasticity onto the decoder's population pairs with a trace in a decision, and the drive explored with."""
    decoder, plasticity, duration = config.decoder, rule.plasticity, n_steps * dt
    if isinstance(decoder, Choosing):
        after = duration - decoder.decide_after
        pairing = spikes_of(max(lif.bias + decoder.boost, 1.1), lif.tau_mem, lif.t_ref, after)
        return pairing, decoder.temperature * decoder.noise
    if isinstance(plasticity, RStdp) and plasticity.predictive:
        return float(n_steps), EXPLORED * decoder.noise  # currents of one σ
    unit = 1.0 if isinstance(config.learner, FeedbackError) else EXPLORED * decoder.noise
    return spikes_of(max(lif.bias, 1.1), lif.tau_mem, lif.t_ref, duration), unit
