"""Tables of decoders: from spikes to actions."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Count, Fraction, NonNegative, Number, Positive, Settings, Time

Each = NonNegative | tuple[NonNegative, ...]  # one number, or one for each dimension of the action
Cooling = Annotated[float, Meta(ge=0, lt=1)]
Levels = Annotated[int, Meta(ge=2, le=1000)]


class Limits(Settings, frozen=True, kw_only=True):
    """What may be asked of an actuator, in the action's units. Rest is 0, or what the action space has nearest to it."""

    deadband: Each = 0.0  # commands nearer to rest than this are rest
    amplitude: Each | None = None  # farthest from rest, such as the greatest torque
    slew: Each | None = None  # most change in a second of clock.period
    step: Each | None = None  # or in a control step


class WinnerTakeAll(Settings, frozen=True, kw_only=True, tag_field="kind", tag="winner-take-all"):
    """The group of neurons that spikes most until `decide_after` wins, is boosted, and silences the others."""

    population: str
    decide_after: Time = 0.010  # s
    noise: Positive = 0.3  # standard deviation of a group's exploration current
    temperature: Positive = 0.83  # of the policy that the weights predict, in units of `noise`
    inhibition: NonNegative = 1.0
    boost: Number = 2.0
    persistence: Fraction = 0.0  # probability to keep exploring in the same direction where all is new
    cooling: Cooling = 0.0  # share of noise and temperature that full success takes away
    levels: Annotated[int, Meta(ge=2)] = 9  # a Box action's groups a dimension
    spread: Positive = 0.15  # how far what one level learns generalises, in units of the action's range
    limits: Limits | None = None  # of a Box action


class FirstSpike(Settings, frozen=True, kw_only=True, tag_field="kind", tag="first-spike"):
    """The group of neurons that fires first wins, is boosted, and silences the others."""

    inhibition: ClassVar[float] = 0.0
    population: str
    decide_after: Time = 0.010  # s, at the latest
    noise: Positive = 0.3  # standard deviation of a group's exploration current
    temperature: Positive = 0.83  # of the policy that the weights predict, in units of `noise`
    boost: Number = 2.0
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    levels: Levels = 9  # a Box action's groups a dimension
    spread: Positive = 0.15
    limits: Limits | None = None


class PopulationVector(Settings, frozen=True, kw_only=True, tag_field="kind", tag="population-vector"):
    """Groups stand for evenly spaced values of a dimension; the action is their mean, weighted by rates."""

    population: str
    levels: Levels = 9  # groups a dimension
    gain: Positive = 3.0  # of what the mean differs from the middle of the range; 1 is the plain mean
    noise: Positive = 0.6  # standard deviation of a group's exploration current
    spread: Positive = 0.25  # how far neighbouring groups explore alike, in units of the action's range
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    limits: Limits | None = None


class Rate(Settings, frozen=True, kw_only=True, tag_field="kind", tag="rate"):
    """Two groups a dimension pull in opposite directions: the action follows the difference of their rates."""

    population: str
    full_rate: Positive = 100.0  # Hz, the difference that asks for all
    noise: NonNegative = 0.3  # standard deviation of the exploration current, with opposite signs in both groups
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    limits: Limits | None = None


class LeakyIntegrator(Settings, frozen=True, kw_only=True, tag_field="kind", tag="leaky-integrator"):
    """A pair of groups as `rate` has it, but every spike pulls for a while, as a muscle's twitch does."""

    population: str
    tau: Time = 0.010  # s, of the twitch
    order: Annotated[int, Meta(ge=1, le=2)] = 2  # 1: jumps and decays; 2: rises, then decays
    full_rate: Positive = 100.0  # Hz
    noise: NonNegative = 0.3
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    limits: Limits | None = None


class Pwm(Settings, frozen=True, kw_only=True, tag_field="kind", tag="pwm"):
    """A pair of groups as `rate` has it, but the actuator is only switched: what was asked for is how long it is on."""

    population: str
    modulation: Literal["sigma-delta", "carrier"] = "sigma-delta"
    cycle: Count | None = None  # control steps of a carrier's period, at whose start the duty cycle is read; absent: 5
    full_rate: Positive = 100.0  # Hz
    noise: Positive = 0.3
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    limits: Limits | None = None  # of a Box action


class LinearReadout(Settings, frozen=True, kw_only=True, tag_field="kind", tag="linear"):
    """All dimensions of the action read all neurons with fixed weights: random directions, unless `weights` are given."""

    population: str
    weights: tuple[tuple[Number, ...], ...] | None = None  # a row for each dimension of the action, a number a neuron
    full_rate: Positive = 100.0  # Hz
    noise: Positive = 0.3  # standard deviation of a neuron's exploration current
    persistence: Fraction = 0.0
    cooling: Cooling = 0.0
    limits: Limits | None = None


Pair = Rate | LeakyIntegrator | Pwm
Choosing = WinnerTakeAll | FirstSpike
Exploring = PopulationVector | Rate | LeakyIntegrator | Pwm | LinearReadout
DecoderConfig = (
    WinnerTakeAll | FirstSpike | PopulationVector | Rate | LeakyIntegrator | Pwm | LinearReadout
)  # the first is what a table without `kind` is


class Softmax(Settings, frozen=True, kw_only=True, tag_field="kind", tag="softmax"):
    """One action drawn from a softmax of preferences, for each dimension of the action."""

    levels: Annotated[int, Meta(ge=2)] = 9  # of a Box action's dimension
    spread: Positive = 0.2  # how far what one level learns generalises, in units of the action's range
    persistence: Fraction = 0.9  # probability to keep exploring in the same direction where all is new
    cooling: Cooling = 0.0  # share of the temperature that full success takes away
