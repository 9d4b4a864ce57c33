"""The tables of an agent's file: frozen structs, SI units throughout, membranes dimensionless.

Structs are validated when they are read (`neuroloop.config`); their bare constructors check nothing.
"""

from .agents import AgentConfig, LinearConfig, RandomConfig, SpikingConfig
from .base import Count, Fraction, NonNegative, Number, Positive, Settings, Size, Time
from .decoders import Softmax, WinnerTakeAll
from .encoders import (
    Adaptive,
    AnyEncoder,
    BurstCode,
    Conjunctive,
    Encoding,
    EventPooling,
    Fixed,
    Gaussian,
    LatencyCode,
    OneEncoder,
    Parts,
    PhaseCode,
    PythonEncoder,
    RateCode,
    SendOnDelta,
    Spindles,
)
from .learners import ActorCritic, RewardLearner, RMaxLearner, TdLearner
from .loop import ClockConfig, PlantConfig, RewardConfig, SuccessConfig, WarmUp
from .network import EProp, FeedbackAlignment, Lif, ProjectionConfig, RStdp

__all__ = [
    "ActorCritic",
    "Adaptive",
    "AgentConfig",
    "AnyEncoder",
    "BurstCode",
    "ClockConfig",
    "Conjunctive",
    "Count",
    "EProp",
    "Encoding",
    "EventPooling",
    "FeedbackAlignment",
    "Fixed",
    "Fraction",
    "Gaussian",
    "LatencyCode",
    "Lif",
    "LinearConfig",
    "NonNegative",
    "Number",
    "OneEncoder",
    "Parts",
    "PhaseCode",
    "PlantConfig",
    "Positive",
    "ProjectionConfig",
    "PythonEncoder",
    "RMaxLearner",
    "RStdp",
    "RandomConfig",
    "RateCode",
    "RewardConfig",
    "RewardLearner",
    "SendOnDelta",
    "Settings",
    "Size",
    "Softmax",
    "SpikingConfig",
    "Spindles",
    "SuccessConfig",
    "TdLearner",
    "Time",
    "WarmUp",
    "WinnerTakeAll",
]
