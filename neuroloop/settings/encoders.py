"""Tables of encoders: from observations to spikes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from .base import Count, Fraction, NonNegative, Positive, Settings, Size, Time

Trains = Literal["regular", "poisson"]
Channels = Literal[
    "pair", "value"
]  # for each dimension two neurons, one for much and one for little; or only the first

Pixel = Annotated[int, Meta(ge=0, le=65_535)]
EventRate = Annotated[float, Meta(gt=0, le=1e12)]  # events a second


class Adaptive(Settings, frozen=True, kw_only=True, tag_field="kind", tag="adaptive"):
    """Ranges from running statistics: [max(min, mean − width σ), min(max, mean + width σ)], which only grow once learning
    began."""

    width: Positive = 3.0
    freeze_after: Count | None = (
        None  # observations after which ranges stay as they are; absent: never, which learns better
    )


class Fixed(Settings, frozen=True, kw_only=True, tag_field="kind", tag="fixed"):
    """Ranges by hand, one `low` and `high` a dimension, in the observation's units."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class Encoding(Settings, frozen=True, kw_only=True):
    """What all encoders have: the keys, such as "arm.angles" or "imu[0:3]", that they encode. Without any, all of them."""

    on: tuple[str, ...] = ()


class Conjunctive(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="conjunctive"):
    """Modules of cells that tile random combinations of dimensions; one cell of a module is active and fires regularly."""

    modules: Size | Literal["automatic"] = 96  # automatic: 24 for each dimension, from 96 to 384
    tiles: tuple[Size, ...] = (4, 6, 8)  # a dimension, dealt to modules in turn; doubled in modules of one dimension
    dimensions: tuple[Fraction, ...] = (0.2, 0.3, 0.3, 0.2)  # probability that a module combines 1, 2, 3 … dimensions
    interval: Time = 0.004  # s between spikes of an active cell
    tau_trace: Time = 0.005  # s, of the presynaptic trace that plasticity reads
    familiar_after: Positive = 20.0  # firings after which a cell counts as half familiar
    normalise: Adaptive | Fixed = Adaptive()


class Gaussian(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="gaussian"):
    """Each dimension drives `neurons` with Gaussian tuning curves that fire at up to `max_rate`."""

    neurons: Count = 10
    width: Positive = 0.08  # standard deviation of a tuning curve, in units of the dimension's range
    max_rate: Positive = 250.0  # Hz
    spikes: Trains = "regular"
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class RateCode(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="rate"):
    """Firing rates that are linear in the value."""

    spikes: Trains = "regular"
    channels: Channels = "pair"
    min_rate: NonNegative = 0.0  # Hz
    max_rate: Positive = 200.0  # Hz
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class LatencyCode(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="latency"):
    """One spike a control step, the sooner the stronger."""

    law: Literal["linear", "logarithmic"] = "linear"
    channels: Channels = "pair"
    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.1  # intensities up to this are silent
    tau: Time = 0.004  # s, of the membrane that the logarithmic law charges
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class SendOnDelta(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="send-on-delta"):
    """A spike where the value moved by `delta` since the last spike: two neurons, up and down, for each of `levels`."""

    delta: Annotated[float, Meta(gt=0, le=1)] = 0.02  # share of the range
    levels: tuple[Size, ...] = (1, 2, 4)  # deltas that a spike of each pair of neurons stands for
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class BurstCode(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="burst"):
    """A burst a control step: the stronger, the more spikes and the shorter the intervals."""

    channels: Channels = "pair"
    spikes: Count = 5  # at the greatest intensity
    shortest: Time = 0.002  # s, interval at the greatest intensity
    longest: Time = 0.008  # s, and towards none
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class PhaseCode(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="phase"):
    """One spike in each cycle of an oscillation, the earlier in the cycle the stronger."""

    channels: Channels = "pair"
    frequency: Positive = 50.0  # Hz
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.9  # of a cycle that values are spread over
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class Spindles(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="spindle"):
    """Pairs of muscle afferents for each joint: position, velocity, load, closeness to limits.

    `on` are the joints' positions. Ranges of `normalise` are those of all positions, then velocities, then loads.
    """

    velocity: tuple[str, ...] = ()  # keys, one dimension a joint; absent: found from positions
    load: tuple[str, ...] = ()  # keys of torques that actuators produce, positive towards positive q; absent: not felt
    low: tuple[float, ...] = ()  # limits of each joint; absent: those of the observation space, or else the range seen
    high: tuple[float, ...] = ()
    senses: tuple[Literal["position", "velocity", "load", "limit"], ...] = ("position", "velocity", "load", "limit")
    exponent: Annotated[float, Meta(gt=0, le=1)] = 0.6  # of speed
    margin: Annotated[float, Meta(gt=0, le=1)] = 0.1  # share of a joint's range in which a limit is felt
    spikes: Trains = "regular"
    max_rate: Positive = 200.0  # Hz
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class Rhythm(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="rhythm"):
    """Rings of neurons that fire one after the other in every cycle: the clock of a pattern generator.

    Without `on`, one ring that always fires; else a ring for each channel of each dimension, which fires as much as it is.
    """

    channels: Channels = "pair"
    neurons: Size = 12  # around the cycle
    frequency: Positive = 2.0  # Hz, by clock.period
    width: Annotated[float, Meta(gt=0, le=1)] = 0.08  # standard deviation of a tuning curve, in cycles
    max_rate: Positive = 250.0  # Hz
    spikes: Trains = "regular"
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class PythonEncoder(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="python"):
    """An encoder of yours: a class with the methods of `neuroloop.encoders.SpikeEncoder`."""

    of: str  # module:Class
    arguments: dict[str, Any] = {}
    tau_trace: Time = 0.005  # s


class EventPooling(Encoding, frozen=True, kw_only=True, tag_field="kind", tag="events"):
    """Events of a camera, gathered in spatial bins: one input neuron a bin and polarity."""

    cell: tuple[Size, Size] = (8, 8)  # columns and rows of pixels that make a bin
    bins: tuple[Size, Size] | None = None  # instead of `cell`: columns and rows of bins that a region is cut into
    polarity: Literal["both", "merged", "on", "off"] = "both"  # "both": OFF neurons, then ON neurons
    regions: tuple[tuple[Pixel, Pixel, Size, Size], ...] = ()  # left, top, width, height; none: the whole picture
    max_rate: EventRate | None = (
        None  # events a second from the regions; what exceeds it is dropped evenly, and counted
    )
    events_per_spike: Count = 1  # of a bin; whatever a step of `clock.dt` has beyond one spike is merged with it
    tau_trace: Time = 0.005  # s, of the presynaptic trace that plasticity reads


OneEncoder = (
    Conjunctive
    | Gaussian
    | RateCode
    | LatencyCode
    | SendOnDelta
    | BurstCode
    | PhaseCode
    | Rhythm
    | Spindles
    | EventPooling
    | PythonEncoder
)


class Parts(Settings, frozen=True, kw_only=True, tag_field="kind", tag="parts"):
    """Several encoders, each on keys of its own. Projections come `pre = "encoder.NAME"` from one, or from all."""

    part: dict[str, OneEncoder]


AnyEncoder = OneEncoder | Parts
