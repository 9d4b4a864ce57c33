"""What one table of an agent's file alone cannot say: names that must exist, relations, settings that would do nothing."""

from __future__ import annotations

import itertools

from .errors import ConfigError, unknown
from .network.decision.given import check_weights
from .settings import (
    AnyEncoder,
    BurstCode,
    Choosing,
    ClockConfig,
    Conjunctive,
    DecoderConfig,
    EProp,
    FeedbackAlignment,
    FeedbackError,
    LeakyIntegrator,
    Lif,
    LinearConfig,
    NoLearner,
    OneEncoder,
    Parts,
    Pes,
    ProjectionConfig,
    Pwm,
    Rate,
    Rhythm,
    RStdp,
    SendOnDelta,
    SpikingConfig,
    Spindles,
    SuccessConfig,
    TdLearner,
)

NARROWEST = 0.1  # drive range that still makes counts differ


def check(config: SpikingConfig) -> None:
    """Raise `ConfigError` with the path of what does not fit."""
    for key, value in (("decoder.population", config.decoder.population), ("learner.critic", config.learner.critic)):
        if value is not None and value not in config.population:
            raise ConfigError(f"{key}: " + unknown("population", value, config.population))
    if config.decoder.population == config.learner.critic:
        raise ConfigError("learner.critic: must not be decoder.population")
    for name, population in config.population.items():
        _check_population(config, name, population)
    for name, projection in config.projection.items():
        _check_projection(config, name, projection)
    check_encoder(config.encoder)
    _check_decoder(config)
    _check_learner(config)
    _check_success(config.success)


def check_linear(config: LinearConfig) -> None:
    """The same for an agent without spikes."""
    check_encoder(config.encoder)
    _check_success(config.success)
    check_persistence("decoder", config.decoder.persistence)
    for key in ("interval", "tau_trace"):
        if getattr(config.encoder, key) != getattr(Conjunctive(), key):
            raise ConfigError(f"encoder.{key}: does nothing in a linear agent, whose cells do not spike; leave it out")


def _check_success(success: SuccessConfig) -> None:
    if not success.begins < success.full:
        raise ConfigError(f"success.begins: must be below success.full, got {success.begins} and {success.full}")


def _check_population(config: SpikingConfig, name: str, population: Lif) -> None:
    path = f"population.{name}"
    if (population.n is None) == (population.n_per_action is None):
        raise ConfigError(f"{path}: needs either n or n_per_action")
    if name == config.decoder.population and population.n_per_action is None:
        raise ConfigError(f"{path}.n_per_action: is missing; the decoder reads groups of it")
    if name == config.learner.critic and population.bias != 0.0:
        raise ConfigError(f"{path}.bias: follows from learner.value_range and drive_range; leave it out")


def _check_projection(config: SpikingConfig, name: str, projection: ProjectionConfig) -> None:
    path, rule = f"projection.{name}", projection.plasticity
    known = {**sources_of(config.encoder), **dict.fromkeys(config.population, ())}
    if projection.pre not in known:
        what = "part of the encoder" if projection.pre.startswith("encoder.") else "population"
        raise ConfigError(f"{path}.pre: " + unknown(what, projection.pre, known))
    if projection.post not in config.population:
        raise ConfigError(f"{path}.post: " + unknown("population", projection.post, config.population))
    low, high = projection.bounds
    if low >= high:
        raise ConfigError(f"{path}.bounds: the lower must be below the upper, got {projection.bounds}")
    check_weights(path, projection, known[projection.pre])
    learner = config.learner
    automatic = isinstance(learner, TdLearner) and learner.value_range == "automatic"
    optimistic = automatic and projection.post == learner.critic
    cells = any(isinstance(encoder, Conjunctive) for encoder in known[projection.pre])
    if optimistic and cells and projection.weights != 0.0:
        raise ConfigError(
            f"{path}.weights: new cells begin optimistic with learner.value_range = 'automatic'; leave it out"
        )
    if isinstance(learner, FeedbackError) or isinstance(rule, Pes):
        _check_directed(config, path, projection, cells)
    if isinstance(rule, EProp | FeedbackAlignment):
        _check_broadcast(config, name, projection, cells)
    if not isinstance(rule, RStdp):
        return
    if rule.predictive and projection.post != config.decoder.population:
        raise ConfigError(
            f"{path}.plasticity.predictive: needs post = {config.decoder.population!r}, which the decoder reads"
        )
    if rule.predictive and rule.trace == "replacing":
        raise ConfigError(f"{path}.plasticity.trace: 'replacing' does not go with predictive = true")
    if rule.predictive and rule.pre_only and not isinstance(config.decoder, Choosing):
        raise ConfigError(
            f"{path}.plasticity.pre_only: does not go with predictive = true and a decoder that explores by currents, "
            "which wake silent neurons themselves; leave it out"
        )


def _check_directed(config: SpikingConfig, path: str, projection: ProjectionConfig, cells: bool) -> None:
    """Plasticity whose neuromodulator is an error with a sign."""
    rule, population = projection.plasticity, config.decoder.population
    if not isinstance(config.learner, FeedbackError):
        raise ConfigError(f"{path}.plasticity.kind: 'pes' needs learner.kind = 'feedback-error', which knows the error")
    if rule is None:
        return
    if projection.post != population:
        raise ConfigError(
            f"{path}.post: must be {population!r}, which the decoder reads: the error is that of its command"
        )
    if not isinstance(rule, RStdp | Pes):
        raise ConfigError(f"{path}.plasticity.kind: feedback-error learning takes 'pes' or 'r-stdp'")
    if isinstance(rule, Pes) and cells and (rule.delay or rule.leak):
        raise ConfigError(f"{path}.plasticity: conjunctive cells have no delay and no leak; take another encoder")
    if isinstance(rule, RStdp) and (rule.predictive or rule.pre_only or rule.trace != "accumulating"):
        raise ConfigError(
            f"{path}.plasticity: predictive, pre_only and trace = 'replacing' are for rewards; leave them out"
        )


def _check_broadcast(config: SpikingConfig, name: str, projection: ProjectionConfig, cells: bool) -> None:
    path = f"projection.{name}"
    if projection.post in (config.decoder.population, config.learner.critic):
        raise ConfigError(f"{path}.plasticity.kind: is for hidden populations; {projection.post!r} takes 'r-stdp'")
    if cells:
        raise ConfigError(
            f"{path}.pre: the conjunctive encoder has too many cells for this plasticity; use the gaussian one"
        )
    readers = {other.post for other in config.projection.values() if other.pre == projection.post}
    if not readers:
        raise ConfigError(f"{path}.post: no projection reads {projection.post!r}, so no learning signal would come")
    for reader in sorted(readers - {config.decoder.population, config.learner.critic}):
        raise ConfigError(
            f"{path}.post: is read by {reader!r}; learning signals come from the decoder's population and a critic"
        )


def sources_of(encoder: AnyEncoder) -> dict[str, tuple[OneEncoder, ...]]:
    """The encoders behind each name that a projection may come from."""
    if not isinstance(encoder, Parts):
        return {"encoder": (encoder,)}
    return {"encoder": tuple(encoder.part.values())} | {f"encoder.{name}": (one,) for name, one in encoder.part.items()}


def check_encoder(encoder: AnyEncoder) -> None:
    """The same for an encoder."""
    if not isinstance(encoder, Parts):
        _check_one(encoder, "encoder")
        return
    if not encoder.part:
        raise ConfigError("encoder.part: is empty; give it tables such as [encoder.part.arm]")
    for name, one in encoder.part.items():
        if not name.replace("-", "_").isidentifier():
            raise ConfigError(f"encoder.part: a name must be letters, digits and dashes, got {name!r}")
        _check_one(one, f"encoder.part.{name}")
    cells = [name for name, one in encoder.part.items() if isinstance(one, Conjunctive)]
    if len(cells) > 1:
        raise ConfigError(
            f"encoder.part.{cells[1]}: only one part may be conjunctive, and {cells[0]!r} is; let that one cover both by `on`"
        )


def _check_one(encoder: OneEncoder, path: str) -> None:
    if isinstance(encoder, SendOnDelta):
        levels = encoder.levels
        if not levels or levels[0] != 1 or any(a >= b for a, b in itertools.pairwise(levels)):
            raise ConfigError(f"{path}.levels: must begin with 1 and rise, got {list(levels)}")
        for level, before in zip(levels, itertools.accumulate(levels, initial=0), strict=False):
            if level > 1 + before:  # else some sums could not be sent in one step
                raise ConfigError(f"{path}.levels: {level} must be at most 1 + the sum of those before, {1 + before}")
    if isinstance(encoder, Rhythm) and not encoder.on:
        for key in ("channels", "normalise"):
            if getattr(encoder, key) != getattr(Rhythm(), key):
                raise ConfigError(f"{path}.{key}: does nothing in a rhythm without {path}.on; leave it out")
    if isinstance(encoder, BurstCode) and encoder.longest < encoder.shortest:
        raise ConfigError(
            f"{path}.longest: must be at least shortest = {encoder.shortest:g} s, got {encoder.longest:g}"
        )
    if isinstance(encoder, Spindles) and len(encoder.low) != len(encoder.high):
        raise ConfigError(
            f"{path}.high: needs one for each of low, which are {len(encoder.low)}, got {len(encoder.high)}"
        )
    if not isinstance(encoder, Conjunctive):
        return
    if not sum(encoder.dimensions) > 0:
        raise ConfigError(f"{path}.dimensions: one of them must be > 0, got {list(encoder.dimensions)}")
    if not encoder.tiles:
        raise ConfigError(f"{path}.tiles: is empty")


def _check_decoder(config: SpikingConfig) -> None:
    check_decision(config.decoder, config.clock)
    if isinstance(config.learner, FeedbackError):
        if not isinstance(config.decoder, Rate | LeakyIntegrator):
            raise ConfigError(
                "decoder.kind: feedback-error learning needs 'rate' or 'leaky-integrator', whose groups pull both ways"
            )
    elif config.decoder.noise == 0.0 and not isinstance(config.learner, NoLearner):
        raise ConfigError("decoder.noise: must be > 0, or nothing would be explored and learned")
    if config.decoder.persistence > 0.0 and not any(
        isinstance(encoder, Conjunctive) for encoder in sources_of(config.encoder)["encoder"]
    ):
        raise ConfigError("decoder.persistence: needs the conjunctive encoder, which knows what is new")


def check_decision(decoder: DecoderConfig, clock: ClockConfig) -> None:
    """Raise `ConfigError` for a decision that would come too early, or never, and for settings that would do nothing."""
    check_persistence("decoder", decoder.persistence)
    if isinstance(decoder, Pwm) and decoder.modulation == "sigma-delta" and decoder.cycle is not None:
        raise ConfigError(
            "decoder.cycle: does nothing with modulation = 'sigma-delta', which has no carrier; leave it out"
        )
    if isinstance(decoder, Choosing) and not 1 <= round(decoder.decide_after / clock.dt) < clock.n_steps:
        raise ConfigError(
            "decoder.decide_after: must be at least clock.dt and less than clock.dt × clock.n_steps, "
            f"got {decoder.decide_after} with {clock.n_steps} steps of {clock.dt}"
        )


def check_persistence(path: str, persistence: float) -> None:
    """Raise `ConfigError` where exploration would go on in one direction for ever."""
    if persistence >= 1.0:
        raise ConfigError(
            f"{path}.persistence: must be below 1, got {persistence}: where all is new exploration would never change; "
            "with 0.9 it changes every 10 control steps there"
        )


def _check_learner(config: SpikingConfig) -> None:
    learner = config.learner
    if isinstance(learner, NoLearner):
        _check_nothing_learns(config)
        return
    for name in learner.modulates:
        if name not in config.projection:
            raise ConfigError("learner.modulates: " + unknown("projection", name, config.projection))
        if config.projection[name].plasticity is None:
            raise ConfigError(f"projection.{name}.plasticity: is missing, but learner.modulates names this projection")
    for name, projection in config.projection.items():
        if projection.plasticity is not None and name not in learner.modulates:
            raise ConfigError(f"learner.modulates: must name {name!r}, or projection.{name}.plasticity be left out")
    if not learner.modulates:
        raise ConfigError("learner.modulates: is empty; nothing would be learned")
    if isinstance(learner, TdLearner):
        _check_critic(config, learner)
    if isinstance(learner, FeedbackError) and not learner.feedback:
        raise ConfigError("learner.feedback: is empty; give it a term such as [learner.feedback.position]")


def _check_nothing_learns(config: SpikingConfig) -> None:
    for name, projection in config.projection.items():
        if projection.plasticity is not None:
            raise ConfigError(f"projection.{name}.plasticity: does nothing with learner.kind = 'none'; leave it out")
    if config.warm_up.decisions:
        raise ConfigError("warm_up.decisions: nothing learns from them with learner.kind = 'none'; leave it out")


def _check_critic(config: SpikingConfig, learner: TdLearner) -> None:
    low, high = learner.drive_range
    if low <= 1.0 or high - low < NARROWEST:
        raise ConfigError(
            f"learner.drive_range: must lie above the threshold 1 and be at least {NARROWEST} wide, got {learner.drive_range}"
        )
    if learner.value_range == "automatic":
        if config.warm_up.decisions == 0:
            raise ConfigError(
                "warm_up.decisions: must be > 0 with learner.value_range = 'automatic', which begins with what it saw"
            )
    elif learner.value_range[1] - learner.value_range[0] < 1e-6:
        raise ConfigError(f"learner.value_range: the lower must be below the upper, got {learner.value_range}")
