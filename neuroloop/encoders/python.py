"""Encoders of the user's own, by the name of their class."""

from __future__ import annotations

import importlib

from ..errors import ConfigError, unknown
from ..settings import PythonEncoder
from .protocol import METHODS, SpikeEncoder


def load(config: PythonEncoder, path: str) -> SpikeEncoder:
    """The encoder that a table names. Only a class with the methods of an encoder is called."""
    module, colon, name = config.of.partition(":")
    if not colon:
        raise ConfigError(f"{path}.of: must be module:Class, got {config.of!r}")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{path}.of: {module!r} cannot be imported: {error}") from None
    if not hasattr(found, name):
        raise ConfigError(f"{path}.of: " + unknown(f"class of {module}", name, vars(found)))
    made_of = getattr(found, name)
    missing = [method for method in METHODS if not callable(getattr(made_of, method, None))]
    if not isinstance(made_of, type) or missing:
        what = f"has no method {missing[0]!r}" if missing else "is no class"
        raise ConfigError(f"{path}.of: {config.of} {what}; see neuroloop.encoders.SpikeEncoder")
    try:
        encoder: SpikeEncoder = made_of(**config.arguments)
    except TypeError as error:
        raise ConfigError(f"{path}.arguments: {config.of}: {error}") from None
    return encoder
