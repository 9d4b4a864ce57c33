"""Tables of learners: who sends the neuromodulator."""

from __future__ import annotations

from typing import ClassVar, Literal

from .base import Fraction, NonNegative, Number, Positive, Settings


class TdLearner(Settings, frozen=True, kw_only=True, tag_field="kind", tag="td"):
    """Temporal-difference error of a spiking critic as the neuromodulator."""

    critic: str
    modulates: tuple[str, ...]
    gamma: Fraction = 0.99  # a decision
    value_range: Literal["automatic"] | tuple[Number, Number] = "automatic"
    drive_range: tuple[Number, Number] = (2.5, 8.0)  # the linear part of the f-I curve, which spans the value range
    range_pad: NonNegative = 0.15
    range_leak: NonNegative = 1e-4  # a decision
    error: Literal["normalised", "raw"] = "normalised"  # what modulates all but the critic
    error_clip: Positive = 2.0  # in units of the running rms
    error_rate: Positive = 1e-3  # a decision, of the running rms
    error_start: NonNegative = 0.0  # rms to begin with, so that the gain starts small; 0: the size of the first error
    error_floor: NonNegative = 0.02  # of the rms, in units of the returns' standard deviation
    calming: Fraction = 0.0  # share of the neuromodulators that full success takes away


class RewardLearner(Settings, frozen=True, kw_only=True, tag_field="kind", tag="r-stdp"):
    """The reward itself as the neuromodulator. Nothing is discounted: a projection's `lambda` is the whole horizon."""

    critic: ClassVar[None] = None
    gamma: ClassVar[float] = 1.0
    modulates: tuple[str, ...]
    error: Literal["normalised", "raw"] = "raw"
    error_clip: Positive = 2.0  # in units of the running rms
    error_rate: Positive = 1e-3  # a decision, of the running rms


class RMaxLearner(Settings, frozen=True, kw_only=True, tag_field="kind", tag="r-max"):
    """The reward minus its running mean as the neuromodulator. Nothing is discounted."""

    critic: ClassVar[None] = None
    gamma: ClassVar[float] = 1.0
    modulates: tuple[str, ...]
    mean_rate: Fraction = 1e-3  # a decision, of the running mean
    error: Literal["normalised", "raw"] = "raw"
    error_clip: Positive = 2.0
    error_rate: Positive = 1e-3


class Feedback(Settings, frozen=True, kw_only=True):
    """A term of an innate controller: gains times readings of the observation, one for each dimension of the action."""

    on: tuple[str, ...]  # keys of the observation, such as "[4:6]" or "readings[0]"
    gain: Number | tuple[Number, ...]  # shares of the action's range per unit of the reading


class FeedbackError(Settings, frozen=True, kw_only=True, tag_field="kind", tag="feedback-error"):
    """What an innate controller commands as the neuromodulators, one for each dimension of the action."""

    critic: ClassVar[None] = None
    gamma: ClassVar[float] = 1.0
    modulates: tuple[str, ...]
    feedback: dict[str, Feedback]
    reflex: bool = True  # whether the plant is driven by the innate controller too
    dead_zone: Fraction = 0.0  # commands so small teach nothing


class NoLearner(Settings, frozen=True, kw_only=True, tag_field="kind", tag="none"):
    """Nothing is learned: weights stay as the file has them."""

    critic: ClassVar[None] = None
    gamma: ClassVar[float] = 0.0
    modulates: ClassVar[tuple[str, ...]] = ()


class ActorCritic(
    Settings, frozen=True, kw_only=True, tag_field="kind", tag="actor-critic",
    rename={"value_decay": "value_lambda", "policy_decay": "policy_lambda"},
):  # fmt: skip
    """Linear actor-critic(λ); gains are in units of what one decision can change."""

    gamma: Fraction = 0.99  # a decision
    value_gain: NonNegative = 0.3
    value_decay: Fraction = 0.8
    policy_gain: NonNegative = 0.5
    policy_decay: Fraction = 0.7
    policy_limit: Positive = 8.0  # of a preference, reached if all active cells agree
    error_clip: Positive = 2.0  # in units of the running rms
    error_rate: Positive = 1e-3  # a decision, of the running rms
    error_floor: NonNegative = 0.02  # of the rms, in units of the returns' standard deviation
    calming: Fraction = 0.0  # share of the changes that full success takes away
