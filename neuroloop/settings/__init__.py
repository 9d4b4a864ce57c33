"""The tables of an agent's file: frozen structs, SI units throughout, membranes dimensionless.

Structs are validated when they are read (`neuroloop.config`); their bare constructors check nothing.
"""

from .agents import AgentConfig, LinearConfig, RandomConfig, SpikingConfig
from .base import Count, Fraction, NonNegative, Number, Positive, Settings, Size, Time
from .decoders import Softmax, WinnerTakeAll
from .encoders import Adaptive, Conjunctive, Fixed, Gaussian
from .learners import ActorCritic, RewardLearner, RMaxLearner, TdLearner
from .loop import ClockConfig, PlantConfig, RewardConfig, SuccessConfig, WarmUp
from .network import EProp, FeedbackAlignment, Lif, ProjectionConfig, RStdp
from .sensors import Pixel

__all__ = [
    "ActorCritic",
    "Adaptive",
    "AgentConfig",
    "ClockConfig",
    "Conjunctive",
    "Count",
    "EProp",
    "FeedbackAlignment",
    "Fixed",
    "Fraction",
    "Gaussian",
    "Lif",
    "LinearConfig",
    "NonNegative",
    "Number",
    "Pixel",
    "PlantConfig",
    "Positive",
    "ProjectionConfig",
    "RMaxLearner",
    "RStdp",
    "RandomConfig",
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
