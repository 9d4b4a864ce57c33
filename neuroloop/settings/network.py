"""Tables of populations, projections and their plasticity."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from .base import Fraction, NonNegative, Number, Positive, Settings, Size, Time

Matrix = tuple[tuple[Number, ...], ...]


class Lif(Settings, frozen=True, kw_only=True, tag_field="kind", tag="lif"):
    """Leaky integrate-and-fire neurons with dimensionless membranes: rest 0, threshold 1."""

    n: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    n_per_action: Size | None = None  # instead of `n`: so many for each action that the decoder chooses among
    tau_mem: Time = 0.020  # s
    t_ref: NonNegative = 0.001  # s
    bias: Number = 0.0
    bias_spread: NonNegative = 0.0  # biases lie evenly within ± this, in random order
    reset: Literal["decision", "episode", "never"] = "episode"  # when membranes start anew
    tau_trace: Time = 0.020  # s, of the trace that plasticity reads where the population is presynaptic


class RStdp(Settings, frozen=True, kw_only=True, tag_field="kind", tag="r-stdp", rename={"decay": "lambda"}):
    """Reward-modulated STDP with eligibility traces."""

    gain: NonNegative
    decay: Fraction = 0.8  # `lambda` in the file: what remains of a trace after a decision, beside the learner's gamma
    trace: Literal["accumulating", "replacing"] = "accumulating"
    pre_only: NonNegative = 0.0  # potentiable share of an input without output, in units of a full pairing
    predictive: bool = False  # pair what differs from what the policy predicted: for projections that the decoder reads


class Pes(Settings, frozen=True, kw_only=True, tag_field="kind", tag="pes", rename={"decay": "lambda"}):
    """Presynaptic traces times the error of what the neurons drive, whatever they fired."""

    gain: NonNegative  # of the drive, per control step in which the error is 1
    decay: Fraction = 0.0  # `lambda` in the file: what remains of a trace after a control step
    delay: Annotated[int, Meta(ge=0, le=100)] = 0  # control steps until the plant shows what a command did
    leak: Fraction = 0.0  # of a weight that is lost in a control step, so that gains do not grow for ever


class EProp(Settings, frozen=True, kw_only=True, tag_field="kind", tag="e-prop", rename={"decay": "lambda"}):
    """Pseudo-derivatives times filtered input, times a learning signal from whoever reads the population."""

    gain: NonNegative
    decay: Fraction = 0.8  # as of `RStdp`
    broadcast: Literal["symmetric", "random"] = "symmetric"  # back along the weights, or by fixed random numbers
    value: NonNegative = 1.0  # share of the critic in the learning signal
    dampening: Positive = 0.3  # of the pseudo-derivative


class FeedbackAlignment(
    Settings, frozen=True, kw_only=True, tag_field="kind", tag="feedback-alignment", rename={"decay": "lambda"}
):
    """Pairings of spikes, times a learning signal by fixed random numbers from whoever reads the population."""

    gain: NonNegative
    decay: Fraction = 0.8
    value: NonNegative = 0.0  # share of the critic in the learning signal: at random it only misleads
    pre_only: NonNegative = 3.0  # what input without output counts, in units of a full pairing


class ProjectionConfig(Settings, frozen=True, kw_only=True):
    """All-to-all synapses from `pre` to `post`, exponential currents."""

    pre: str
    post: str
    tau_syn: Time = 0.005  # s
    gain: Number = 1.0  # current per unit weight when the whole input fires at its usual rate
    weights: Number | Matrix = (
        0.0  # initial mean; or a row for each neuron of `pre`, a number for each of `post`, or its groups
    )
    weights_spread: NonNegative = 0.0  # and standard deviation
    bounds: tuple[Number, Number] = (-1.0, 1.0)
    plasticity: RStdp | Pes | EProp | FeedbackAlignment | None = None
