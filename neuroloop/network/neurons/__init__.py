"""Models of neurons: one file each, a struct of parameters and one function that advances a neuron by a step."""

from .base import Neuron
from .lif import LIF

__all__ = ["LIF", "Neuron"]
