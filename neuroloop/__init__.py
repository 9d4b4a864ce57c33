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
    from .network.devices import FixedPoint, Memristive
    from .network.layouts import (
        AllToAll,
        AllToOthers,
        Convolution,
        FixedInDegree,
        FixedOutDegree,
        FixedProbability,
        OneToOne,
        Pairs,
    )
    from .network.network import Network
    from .network.neurons import (
        ALIF,
        LIF,
        AdEx,
        Izhikevich,
        Neuron,
        Poisson,
        Readout,
        Regular,
        SpikeTrain,
        StochasticLIF,
    )
    from .network.projection import Normal, Uniform
    from .network.synapses import Alpha, Delta, Exponential
    from .plasticity.homeostasis import Normalise, Scaling, ThresholdAdaptation
    from .plasticity.pes import PES
    from .plasticity.rewarded import RSTDP
    from .plasticity.short_term import ShortTerm
    from .plasticity.stdp import STDP, TripletSTDP
    from .types import Spikes

__version__ = "0.1.0"
_ROOMS = {
    "agent": "Agent agents load_agent",
    "errors": "BadInput CheckpointError ConfigError DivergedError MissingExtra NeuroloopError PlantError UnsupportedSpace",
    "network.devices": "FixedPoint Memristive",
    "network.layouts": "AllToAll AllToOthers Convolution FixedInDegree FixedOutDegree FixedProbability OneToOne Pairs",
    "network.network": "Network",
    "network.neurons": "ALIF LIF AdEx Izhikevich Neuron Poisson Readout Regular SpikeTrain StochasticLIF",
    "network.projection": "Normal Uniform",
    "network.synapses": "Alpha Delta Exponential",
    "plasticity.homeostasis": "Normalise Scaling ThresholdAdaptation",
    "plasticity.pes": "PES",
    "plasticity.rewarded": "RSTDP",
    "plasticity.short_term": "ShortTerm",
    "plasticity.stdp": "STDP TripletSTDP",
    "types": "Spikes",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
