"""Tables of encoders: from observations to spikes."""

from __future__ import annotations

from .base import Count, Fraction, Positive, Settings, Size, Time


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
