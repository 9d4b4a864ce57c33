"""Models of neurons: one file each, a struct of parameters and one function that advances a neuron by a step."""

from .adex import AdEx
from .alif import ALIF
from .base import Neuron
from .izhikevich import Izhikevich
from .lif import LIF
from .readout import Readout
from .sources import Poisson, Regular, Source, SpikeTrain
from .stochastic import StochasticLIF

__all__ = [
    "ALIF",
    "LIF",
    "AdEx",
    "Izhikevich",
    "Neuron",
    "Poisson",
    "Readout",
    "Regular",
    "Source",
    "SpikeTrain",
    "StochasticLIF",
]
