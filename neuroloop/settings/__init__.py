"""The tables of an agent's file: frozen structs, SI units throughout, membranes dimensionless.

Structs are validated when they are read (`neuroloop.config`); their bare constructors check nothing.
"""

from .agents import AgentConfig, LinearConfig, RandomConfig, SpikingConfig
from .base import Count, Fraction, NonNegative, Number, Positive, Settings, Size, Time
from .decoders import (
    Choosing,
    DecoderConfig,
    Exploring,
    FirstSpike,
    LeakyIntegrator,
    Limits,
    LinearReadout,
    PopulationVector,
    Pwm,
    Rate,
    Softmax,
    WinnerTakeAll,
)
from .encoders import Adaptive, Conjunctive, Fixed, Gaussian
from .learners import ActorCritic, RewardLearner, RMaxLearner, TdLearner
from .loop import ClockConfig, PlantConfig, RewardConfig, SuccessConfig, WarmUp
from .network import EProp, FeedbackAlignment, Lif, ProjectionConfig, RStdp

__all__ = [
    "ActorCritic",
    "Adaptive",
    "AgentConfig",
    "Choosing",
    "ClockConfig",
    "Conjunctive",
    "Count",
    "DecoderConfig",
    "EProp",
    "Exploring",
    "FeedbackAlignment",
    "FirstSpike",
    "Fixed",
    "Fraction",
    "Gaussian",
    "LeakyIntegrator",
    "Lif",
    "Limits",
    "LinearConfig",
    "LinearReadout",
    "NonNegative",
    "Number",
    "PlantConfig",
    "PopulationVector",
    "Positive",
    "ProjectionConfig",
    "Pwm",
    "RMaxLearner",
    "RStdp",
    "RandomConfig",
    "Rate",
    "RewardConfig",
    "RewardLearner",
    "Settings",
    "Size",
    "Softmax",
    "SpikingConfig",
    "SuccessConfig",
    "TdLearner",
    "Time",
    "WarmUp",
    "WinnerTakeAll",
]
