"""Whole files of agents."""

from __future__ import annotations

from .base import Settings
from .decoders import DecoderConfig, Softmax
from .encoders import AnyEncoder, Conjunctive
from .learners import ActorCritic, FeedbackError, NoLearner, RewardLearner, RMaxLearner, TdLearner
from .loop import ClockConfig, PlantConfig, RewardConfig, SuccessConfig, WarmUp
from .network import Lif, ProjectionConfig


class SpikingConfig(Settings, frozen=True, kw_only=True):
    """A spiking agent."""

    about: str = ""
    plant: PlantConfig = PlantConfig()
    reward: RewardConfig = RewardConfig()
    clock: ClockConfig = ClockConfig()
    encoder: AnyEncoder = Conjunctive()
    population: dict[str, Lif] = {}
    projection: dict[str, ProjectionConfig] = {}
    decoder: DecoderConfig
    learner: TdLearner | RMaxLearner | RewardLearner | FeedbackError | NoLearner
    success: SuccessConfig = SuccessConfig()
    warm_up: WarmUp = WarmUp()


class LinearConfig(Settings, frozen=True, kw_only=True):
    """An agent without spikes: a linear actor-critic(λ) on an encoder's cells."""

    about: str = ""
    plant: PlantConfig = PlantConfig()
    reward: RewardConfig = RewardConfig()
    encoder: Conjunctive = Conjunctive()
    decoder: Softmax = Softmax()
    learner: ActorCritic = ActorCritic()
    success: SuccessConfig = SuccessConfig()
    warm_up: WarmUp = WarmUp()


class RandomConfig(Settings, frozen=True, kw_only=True):
    """An agent that acts at random: the floor of every comparison."""

    about: str = ""
    plant: PlantConfig = PlantConfig()


AgentConfig = SpikingConfig | LinearConfig | RandomConfig
