"""neuroloop: a spiking neural network drives a robot and learns while it drives.

    agent = neuroloop.load_agent("cartpole")
    agent.learn(total_steps=60_000)
    action, state = agent.predict(observation)

Importing this loads nothing else; every name is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agent import Agent, agents, load_agent
    from .errors import (
        BadInput,
        CheckpointError,
        ConfigError,
        DivergedError,
        MissingExtra,
        NeuroloopError,
        PlantError,
        UnsupportedSpace,
    )

__version__ = "0.1.0"
__all__ = [
    "Agent", "BadInput", "CheckpointError", "ConfigError", "DivergedError", "MissingExtra", "NeuroloopError",
    "PlantError", "UnsupportedSpace", "agents", "load_agent",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "agent" if name in ("Agent", "agents", "load_agent") else "errors"
    return getattr(importlib.import_module(f".{room}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
