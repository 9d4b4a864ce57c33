"""Tables of decoders: from spikes to actions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import Fraction, NonNegative, Number, Positive, Settings, Time


class WinnerTakeAll(Settings, frozen=True, kw_only=True, tag_field="kind", tag="winner-take-all"):
    """The group of neurons that spikes most until `decide_after` wins, is boosted, and silences the others."""

    population: str
    decide_after: Time = 0.010  # s
    noise: Positive = 0.3  # standard deviation of a group's exploration current
    temperature: Positive = 0.83  # of the policy that the weights predict, in units of `noise`
    inhibition: NonNegative = 1.0
    boost: Number = 2.0
    persistence: Fraction = 0.0  # probability to keep exploring in the same direction where all is new
    cooling: Annotated[float, Meta(ge=0, lt=1)] = 0.0  # share of noise and temperature that full success takes away
    levels: Annotated[int, Meta(ge=2)] = 9  # a Box action's groups a dimension
    spread: Positive = 0.15  # how far what one level learns generalises, in units of the action's range


class Softmax(Settings, frozen=True, kw_only=True, tag_field="kind", tag="softmax"):
    """One action drawn from a softmax of preferences, for each dimension of the action."""

    levels: Annotated[int, Meta(ge=2)] = 9  # of a Box action's dimension
    spread: Positive = 0.2  # how far what one level learns generalises, in units of the action's range
    persistence: Fraction = 0.9  # probability to keep exploring in the same direction where all is new
    cooling: Annotated[float, Meta(ge=0, lt=1)] = 0.0  # share of the temperature that full success takes away
