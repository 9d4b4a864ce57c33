"""Tables of encoders: from observations to spikes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import Count, Fraction, Positive, Settings, Size, Time

Pixel = Annotated[int, Meta(ge=0, le=65_535)]
EventRate = Annotated[float, Meta(gt=0, le=1e12)]  # events a second


class Adaptive(Settings, frozen=True, kw_only=True, tag_field="kind", tag="adaptive"):
    """Ranges from running statistics: [max(min, mean − width σ), min(max, mean + width σ)], which only grow once learning
    began."""

    width: Positive = 3.0


class Fixed(Settings, frozen=True, kw_only=True, tag_field="kind", tag="fixed"):
    """Ranges by hand, one `low` and `high` a dimension, in the observation's units."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class Conjunctive(Settings, frozen=True, kw_only=True, tag_field="kind", tag="conjunctive"):
    """Modules of cells that tile random combinations of dimensions; one cell of a module is active and fires regularly."""

    modules: Size = 96
    tiles: tuple[Size, ...] = (4, 6, 8)  # a dimension, dealt to modules in turn; doubled in modules of one dimension
    dimensions: tuple[Fraction, ...] = (0.2, 0.3, 0.3, 0.2)  # probability that a module combines 1, 2, 3 … dimensions
    interval: Time = 0.004  # s between spikes of an active cell
    tau_trace: Time = 0.005  # s, of the presynaptic trace that plasticity reads
    familiar_after: Positive = 20.0  # firings after which a cell counts as half familiar
    normalise: Adaptive | Fixed = Adaptive()


class Gaussian(Settings, frozen=True, kw_only=True, tag_field="kind", tag="gaussian"):
    """Each dimension drives `neurons` with Gaussian tuning curves that fire regularly at up to `max_rate`."""

    neurons: Count = 10
    width: Positive = 0.08  # standard deviation of a tuning curve, in units of the dimension's range
    max_rate: Positive = 250.0  # Hz
    tau_trace: Time = 0.005  # s
    normalise: Adaptive | Fixed = Adaptive()


class EventPooling(Settings, frozen=True, kw_only=True, tag_field="kind", tag="events"):
    """Events of a camera, gathered in spatial bins: one input neuron a bin and polarity."""

    key: str | None = None  # of the event packets, where an observation holds several
    cell: tuple[Size, Size] = (8, 8)  # columns and rows of pixels that make a bin
    bins: tuple[Size, Size] | None = None  # instead of `cell`: columns and rows of bins that a region is cut into
    polarity: Literal["both", "merged", "on", "off"] = "both"  # "both": OFF neurons, then ON neurons
    regions: tuple[tuple[Pixel, Pixel, Size, Size], ...] = ()  # left, top, width, height; none: the whole picture
    max_rate: EventRate | None = (
        None  # events a second from the regions; what exceeds it is dropped evenly, and counted
    )
    events_per_spike: Count = 1  # of a bin; whatever a step of `clock.dt` has beyond one spike is merged with it
    tau_trace: Time = 0.005  # s, of the presynaptic trace that plasticity reads
