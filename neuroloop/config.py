"""An agent as data: frozen structs, read from and written to TOML, with errors that name the key. SI units throughout.

Structs are validated when they are read (`read`, `from_dict`); their bare constructors check nothing.
"""

from __future__ import annotations

import math
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta

from .errors import ConfigError, unknown

Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every table of an agent's file."""


class PlantConfig(Settings, frozen=True, kw_only=True):
    """The environment, and what counts as solving it."""

    env: str = ""  # a Gymnasium id, or module:id
    arguments: dict[str, Any] = {}
    action_repeat: Count = 1  # plant steps a decision; their rewards are summed
    criterion: float | None = None  # mean of 100 returns; absent: the environment's reward_threshold
    max_steps: Count = 200_000  # plant steps after which `run` gives up


class RewardConfig(Settings, frozen=True, kw_only=True):
    """What the learner is paid: `scale` × the plant's reward, plus `on_termination` when the episode terminates."""

    scale: float = 1.0
    on_termination: float = 0.0


class ClockConfig(Settings, frozen=True, kw_only=True):
    """A control step lasts `period` for the plant and `n_steps` × `dt` for the network."""

    period: Positive = 0.020  # s
    dt: Positive = 0.001  # s
    n_steps: Count = 20


class Adaptive(Settings, frozen=True, kw_only=True, tag_field="kind", tag="adaptive"):
    """Ranges from running statistics, never frozen: [max(min, mean − width σ), min(max, mean + width σ)]."""

    width: Positive = 3.0


class Fixed(Settings, frozen=True, kw_only=True, tag_field="kind", tag="fixed"):
    """Ranges by hand, one `low` and `high` a dimension, in the observation's units."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class Conjunctive(Settings, frozen=True, kw_only=True, tag_field="kind", tag="conjunctive"):
    """Modules of cells that tile random combinations of dimensions; one cell of a module is active and fires regularly."""

    modules: Annotated[int, Meta(ge=1, le=10_000)] = 96
    tiles: tuple[Annotated[int, Meta(ge=1, le=10_000)], ...] = (
        4,
        6,
        8,
    )  # a dimension, dealt to the modules in turn; doubled in modules of one dimension
    dimensions: tuple[Fraction, ...] = (0.2, 0.3, 0.3, 0.2)  # probability that a module combines 1, 2, 3 … dimensions
    interval: Positive = 0.004  # s between spikes of an active cell
    tau_trace: Positive = 0.005  # s, of the presynaptic trace that plasticity reads
    familiar_after: Positive = 20.0  # firings after which a cell counts as half familiar
    normalise: Adaptive | Fixed = Adaptive()


class Gaussian(Settings, frozen=True, kw_only=True, tag_field="kind", tag="gaussian"):
    """Each dimension drives `neurons` with Gaussian tuning curves that fire regularly at up to `max_rate`."""

    neurons: Count = 10
    width: Positive = 0.08  # standard deviation of a tuning curve, in units of the dimension's range
    max_rate: Positive = 250.0  # Hz
    tau_trace: Positive = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class Lif(Settings, frozen=True, kw_only=True, tag_field="kind", tag="lif"):
    """Leaky integrate-and-fire neurons with dimensionless membranes: rest 0, threshold 1."""

    n: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    n_per_action: Count | None = None  # instead of `n`: so many for each action that the decoder chooses among
    tau_mem: Positive = 0.020  # s
    t_ref: NonNegative = 0.001  # s
    bias: float = 0.0
    bias_spread: NonNegative = 0.0  # biases lie evenly within ± this, in random order
    restart: bool = False  # membranes are drawn anew at every decision
    tau_trace: Positive = 0.020  # s, of the trace that plasticity reads where the population is presynaptic


class RStdp(Settings, frozen=True, kw_only=True, tag_field="kind", tag="r-stdp", rename={"decay": "lambda"}):
    """Reward-modulated STDP with eligibility traces."""

    gain: NonNegative
    decay: Fraction = 0.8  # `lambda` in the file: what remains of a trace after a decision, beside the learner's gamma
    trace: Literal["accumulating", "replacing"] = "accumulating"
    pre_only: NonNegative = 0.0  # potentiable share of an input without output, in units of a full pairing
    predictive: bool = False  # subtract the pairing that the policy predicted; needs a decoder that selects


class ProjectionConfig(Settings, frozen=True, kw_only=True):
    """All-to-all synapses from `pre` to `post`, exponential currents."""

    pre: str
    post: str
    tau_syn: Positive = 0.005  # s
    gain: float = 1.0  # current per unit weight when the whole input fires at its usual rate
    weights: float = 0.0  # initial mean
    weights_spread: NonNegative = 0.0  # and standard deviation
    bounds: tuple[float, float] = (-1.0, 1.0)
    plasticity: RStdp | None = None


class WinnerTakeAll(Settings, frozen=True, kw_only=True, tag_field="kind", tag="winner-take-all"):
    """The group of neurons that spikes most until `decide_after` wins, is boosted, and silences the others."""

    population: str
    decide_after: Positive = 0.010  # s
    noise: NonNegative = 0.3  # standard deviation of a group's exploration current
    temperature: Positive = 0.83  # of the policy that the weights predict, in units of `noise`
    inhibition: NonNegative = 1.0
    boost: float = 2.0
    persistence: Fraction = 0.0  # probability to keep exploring in the same direction where all is new
    levels: Annotated[int, Meta(ge=2)] = 9  # a Box action's groups a dimension
    spread: Positive = 0.15  # how far what one level learns generalises, in units of the action's range


class TdLearner(Settings, frozen=True, kw_only=True, tag_field="kind", tag="td"):
    """Temporal-difference error of a spiking critic as the neuromodulator."""

    critic: str
    modulates: tuple[str, ...]
    gamma: Fraction = 0.99  # a decision
    value_range: Literal["automatic"] | tuple[float, float] = "automatic"
    drive_range: tuple[float, float] = (
        2.5,
        8.0,
    )  # the linear part of the critic's f-I curve, which spans the value range
    range_pad: NonNegative = 0.15
    range_leak: NonNegative = 1e-4  # a decision
    error: Literal["normalised", "raw"] = "normalised"  # what modulates all but the critic
    error_clip: Positive = 2.0  # in units of the running rms
    error_rate: Positive = 1e-3  # a decision, of the running rms
    error_start: NonNegative = 0.0  # rms to begin with, so that the gain starts small; 0: the size of the first error
    error_floor: NonNegative = 0.02  # of the rms, in units of the returns' standard deviation


class WarmUp(Settings, frozen=True, kw_only=True):
    """Decisions at random, for statistics only, before learning begins."""

    decisions: Annotated[int, Meta(ge=0)] = 0
    persistence: Fraction = 0.9  # probability to repeat the last action


class SpikingConfig(Settings, frozen=True, kw_only=True):
    """A spiking agent."""

    about: str = ""
    plant: PlantConfig = PlantConfig()
    reward: RewardConfig = RewardConfig()
    clock: ClockConfig = ClockConfig()
    encoder: Conjunctive | Gaussian = Conjunctive()
    population: dict[str, Lif] = {}
    projection: dict[str, ProjectionConfig] = {}
    decoder: WinnerTakeAll
    learner: TdLearner
    warm_up: WarmUp = WarmUp()


class RandomConfig(Settings, frozen=True, kw_only=True):
    """An agent that acts at random: the floor of every comparison."""

    about: str = ""
    plant: PlantConfig = PlantConfig()


AgentConfig = SpikingConfig | RandomConfig
UNIONS = (typing.Union, types.UnionType)
KINDS: dict[str, type[SpikingConfig] | type[RandomConfig]] = {"spiking": SpikingConfig, "random": RandomConfig}


def read(path: Path, overrides: Iterable[str] = (), env: str | None = None) -> AgentConfig:
    """Read an agent's TOML file, put it on another environment if `env` is given, and apply `a.b=c` overrides.

    Another environment has its own arguments and criterion. Raises `ConfigError` with the path of the bad key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    plant = data.get("plant", {})
    if env is not None and isinstance(plant, dict) and plant.get("env") != env:
        data["plant"] = {key: value for key, value in plant.items() if key not in ("arguments", "criterion")} | {
            "env": env
        }
    for override in overrides:
        apply(data, override)
    return from_dict(data)


def apply(data: dict[str, Any], override: str) -> None:
    """Put `a.b=value` into nested tables; `value` is TOML, or a bare word."""
    key, equals, text = override.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or not all(names):
        raise ConfigError(f"--set {override!r}: expected key=value, such as learner.gamma=0.98")
    if not override.isprintable():
        raise ConfigError(f"--set {override!r}: holds characters that cannot be printed")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    table = data
    for depth, name in enumerate(names[:-1]):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override!r}: {'.'.join(names[: depth + 1])} is a value, not a table")
    table[names[-1]] = value


def from_dict(data: Mapping[str, Any]) -> AgentConfig:
    """Validate a dictionary as an agent. Raises `ConfigError` with the path of the bad key."""
    tables = dict(data)
    kind = tables.pop("kind", "spiking")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError("kind: " + unknown("kind of agent", str(kind), KINDS))
    config: AgentConfig = _convert(tables, KINDS[kind], "")
    if isinstance(config, SpikingConfig):
        _check(config)
    return config


def to_toml(config: AgentConfig) -> str:
    """The whole configuration, defaults included, as TOML text."""
    kind = next(name for name, struct in KINDS.items() if isinstance(config, struct))
    return tomli_w.dumps({"kind": kind} | _without_none(msgspec.to_builtins(config)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value


def _convert(value: Any, expected: Any, path: str) -> Any:
    """`msgspec.convert`, table by table, so that every error names its whole path and unknown keys get the closest match."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    structs = [option for option in arguments if _is_struct(option)] if origin in UNIONS else []
    tables = origin is dict and _is_struct(arguments[1])
    if (structs and value is not None) or tables or _is_struct(expected):
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: expected a table, got {value!r}")
        if tables:
            return {key: _convert(entry, arguments[1], f"{path}.{key}") for key, entry in value.items()}
        return _convert_struct(value, _choose(structs or [expected], value, path), path)
    _check_finite(value, path)
    try:
        return msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        words = _words(expected)
        if words and isinstance(value, str):
            raise ConfigError(f"{path}: " + unknown("value", value, words)) from None
        reason = str(error).removesuffix(" - at `$`")
        raise ConfigError(f"{path}: {reason}, got {value!r}") from None


def _convert_struct(value: dict[str, Any], struct: Any, path: str) -> Any:
    prefix = f"{path}." if path else ""
    hints = typing.get_type_hints(struct, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    tag = struct.__struct_config__.tag_field
    arguments = {}
    for key, entry in value.items():
        if key == tag:
            continue
        if key not in fields:
            raise ConfigError(f"{prefix}{key}: " + unknown("key", key, fields))
        arguments[fields[key].name] = _convert(entry, hints[fields[key].name], prefix + key)
    for key, field in fields.items():
        if field.required and key not in value:
            raise ConfigError(f"{prefix}{key}: is missing")
    return struct(**arguments)


def _choose(structs: list[Any], value: dict[str, Any], path: str) -> Any:
    """The struct of a union that the table's `kind` names; without a `kind`, the only one or the first."""
    tags = {struct.__struct_config__.tag: struct for struct in structs}
    if None in tags:
        return tags[None]
    kind = value.get("kind", structs[0].__struct_config__.tag)
    if not isinstance(kind, str) or kind not in tags:
        raise ConfigError(f"{path}.kind: " + unknown("kind", str(kind), map(str, tags)))
    return tags[kind]


def _words(expected: Any) -> list[str]:
    """The words that a setting may be."""
    options = typing.get_args(expected) if typing.get_origin(expected) in UNIONS else [expected]
    return [word for option in options if typing.get_origin(option) is Literal for word in typing.get_args(option)]


def _is_struct(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, msgspec.Struct)


def _check_finite(value: Any, path: str) -> None:
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(entry, float) and not math.isfinite(entry) for entry in values):
        raise ConfigError(f"{path}: must be finite, got {value!r}")


def _check(config: SpikingConfig) -> None:
    """What one table alone cannot say: names that must exist, orders and relations."""
    populations, projections = config.population, config.projection
    for name, projection in projections.items():
        for end, value, known in (
            ("pre", projection.pre, ["encoder", *populations]),
            ("post", projection.post, populations),
        ):
            if value not in known:
                raise ConfigError(f"projection.{name}.{end}: " + unknown("population", value, known))
        if projection.bounds[0] >= projection.bounds[1]:
            raise ConfigError(f"projection.{name}.bounds: the lower must be below the upper, got {projection.bounds}")
        if projection.plasticity and projection.plasticity.predictive and projection.post != config.decoder.population:
            raise ConfigError(
                f"projection.{name}.plasticity.predictive: needs post = {config.decoder.population!r}, "
                "which the decoder selects from"
            )
        if not projection.bounds[0] <= projection.weights <= projection.bounds[1]:
            raise ConfigError(f"projection.{name}.weights: must lie within bounds, got {projection.weights}")
    for key, value in (("decoder.population", config.decoder.population), ("learner.critic", config.learner.critic)):
        if value not in populations:
            raise ConfigError(f"{key}: " + unknown("population", value, populations))
    if populations[config.decoder.population].n_per_action is None:
        raise ConfigError(
            f"population.{config.decoder.population}.n_per_action: is missing; the decoder selects among groups of it"
        )
    for name in config.learner.modulates:
        if name not in projections:
            raise ConfigError("learner.modulates: " + unknown("projection", name, projections))
        if projections[name].plasticity is None:
            raise ConfigError(f"projection.{name}.plasticity: is missing, but learner.modulates names this projection")
    if config.decoder.decide_after >= config.clock.dt * config.clock.n_steps:
        raise ConfigError(
            f"decoder.decide_after: must be below clock.dt × clock.n_steps, got {config.decoder.decide_after}"
        )
    for key, pair in (
        ("learner.drive_range", config.learner.drive_range),
        ("learner.value_range", config.learner.value_range),
    ):
        if not isinstance(pair, str) and pair[0] >= pair[1]:
            raise ConfigError(f"{key}: the lower must be below the upper, got {pair}")
    if config.learner.value_range == "automatic" and config.warm_up.decisions == 0:
        raise ConfigError(
            "warm_up.decisions: must be > 0 with learner.value_range = 'automatic', which begins with what it saw"
        )
    if isinstance(config.encoder, Conjunctive) and not sum(config.encoder.dimensions) > 0:
        raise ConfigError(f"encoder.dimensions: one of them must be > 0, got {list(config.encoder.dimensions)}")
    if isinstance(config.encoder, Conjunctive) and not config.encoder.tiles:
        raise ConfigError("encoder.tiles: is empty")
    if config.learner.drive_range[0] <= 1.0:
        raise ConfigError(f"learner.drive_range: must lie above the threshold 1, got {config.learner.drive_range}")
