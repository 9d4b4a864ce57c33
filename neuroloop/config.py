"""An agent as data: its settings read from TOML and written back, with errors that name the key."""

from __future__ import annotations

import math
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w

from .checks import check, check_encoder, check_linear
from .errors import ConfigError, unknown
from .settings import AgentConfig, AnyEncoder, LinearConfig, PlantConfig, RandomConfig, SpikingConfig

OF_ENV = ("arguments", "criterion")  # settings of a plant that another environment has its own of
INSIDE = re.compile(r"(.*) - at `\$((?:\[\d+\])*)`")  # how msgspec says where within a list something is wrong
UNIONS = (typing.Union, types.UnionType)
Table = typing.TypeVar("Table", bound=msgspec.Struct)
KINDS: dict[str, type[SpikingConfig] | type[LinearConfig] | type[RandomConfig]] = {
    "spiking": SpikingConfig,
    "linear": LinearConfig,
    "random": RandomConfig,
}


def read(path: Path, overrides: Iterable[str] = (), env: str | None = None) -> AgentConfig:
    """Read an agent's TOML file, put it on another environment if `env` is given, and apply `a.b=c` overrides.

    Another environment has its own arguments and criterion. Raises `ConfigError` with the path of the bad key.
    """
    data = read_toml(path)
    plant = data.get("plant", {})
    if env is not None and isinstance(plant, dict) and plant.get("env") != env:
        data["plant"] = {key: value for key, value in plant.items() if key not in OF_ENV} | {"env": env}
    for override in overrides:
        apply(data, override)
    return from_dict(data)


def moved(config: AgentConfig, env: str) -> AgentConfig:
    """An agent put on another environment, which has its own arguments and criterion."""
    if config.plant.env == env:
        return config
    plant = {key: value for key, value in msgspec.to_builtins(config.plant).items() if key not in OF_ENV}
    return msgspec.structs.replace(config, plant=_convert(plant | {"env": env}, PlantConfig, "plant"))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as nested tables. Raises `ConfigError` saying where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


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
        check(config)
    elif isinstance(config, LinearConfig):
        check_linear(config)
    return config


def encoder(data: Mapping[str, Any]) -> AnyEncoder:
    """Validate a dictionary as an encoder's table. Raises `ConfigError` with the path of the bad key."""
    converted: AnyEncoder = _convert(dict(data), AnyEncoder, "encoder")
    check_encoder(converted)
    return converted


def table(data: Mapping[str, Any], struct: type[Table], path: str = "") -> Table:
    """Validate a dictionary as a table that stands at `path`. Raises `ConfigError` with the path of the bad key."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path or 'settings'}: expected a table, got {data!r}")
    converted: Table = _convert(dict(data), struct, path)
    return converted


def part(value: Any, expected: Any, path: str) -> Any:
    """Validate what stands at `path` of an agent's file. Raises `ConfigError` with the path of the bad key."""
    return _convert(value, expected, path)


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
    tables = origin is dict and any(map(_is_struct, (arguments[1], *typing.get_args(arguments[1]))))
    plain = tuple(option for option in arguments if not _is_struct(option) and option is not types.NoneType)
    if structs and plain and not isinstance(value, dict):
        expected, structs = typing.Union[plain], []  # noqa: UP007
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
        reason, within = found.groups() if (found := INSIDE.fullmatch(str(error))) else (str(error), "")
        for index in re.findall(r"\d+", within):
            value = value[int(index)]
        words = _words(expected, bool(within))
        if words and isinstance(value, str):
            raise ConfigError(f"{path}{within}: " + unknown("value", value, words)) from None
        raise ConfigError(f"{path}{within}: {reason}, got {value!r}") from None


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


def _words(expected: Any, within: bool) -> list[str]:
    """The words that a setting may be, or what is `within` it."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is Literal:
        return list(arguments)
    return [word for option in arguments for word in _words(option, within)] if within or origin in UNIONS else []


def _is_struct(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, msgspec.Struct)


def _check_finite(value: Any, path: str) -> None:
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(entry, float) and not math.isfinite(entry) for entry in values):
        raise ConfigError(f"{path}: must be finite, got {value!r}")
