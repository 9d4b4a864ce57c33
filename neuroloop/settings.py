"""The tables of an agent's file: frozen structs, SI units throughout, membranes dimensionless.

Structs are validated when they are read (`neuroloop.config`); their bare constructors check nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

Number = Annotated[float, Meta(ge=-1e6, le=1e6)]
Positive = Annotated[float, Meta(gt=0, le=1e6)]
NonNegative = Annotated[float, Meta(ge=0, le=1e6)]
Time = Annotated[float, Meta(ge=1e-6, le=1e6)]  # s
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Size = Annotated[int, Meta(ge=1, le=10_000)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every table of an agent's file."""


class PlantConfig(Settings, frozen=True, kw_only=True):
    """The environment, and what counts as solving it."""

    env: str = ""  # a Gymnasium id, or module:id
    arguments: dict[str, Any] = {}
    action_repeat: Count = 1  # plant steps a decision; their rewards are summed
    criterion: float | None = None  # mean of 100 returns; absent: the environment's reward_threshold
    max_steps: Count | None = None  # after which `run` gives up; absent: 200 000, twice with a criterion


class RewardConfig(Settings, frozen=True, kw_only=True):
    """What the learner is paid: `scale` × the plant's reward, plus `on_termination` when the episode terminates."""

    scale: Number = 1.0
    on_termination: Number = 0.0


class ClockConfig(Settings, frozen=True, kw_only=True):
    """A control step is `n_steps` × `dt` for the network; `period`, what it is meant to last for the plant, is only a note."""

    period: Time = 0.020  # s
    dt: Time = 0.001  # s
    n_steps: Count = 20


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
    predictive: bool = False  # subtract the pairing that the policy predicted; needs a decoder that selects


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
    weights: Number = 0.0  # initial mean
    weights_spread: NonNegative = 0.0  # and standard deviation
    bounds: tuple[Number, Number] = (-1.0, 1.0)
    plasticity: RStdp | EProp | FeedbackAlignment | None = None


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


class SuccessConfig(Settings, frozen=True, kw_only=True):
    """When the returns of episodes count as success."""

    rate: Fraction = 0.05  # an episode, of the mean return
    release: Fraction = 0.002  # an episode, of the best return towards the mean
    begins: Fraction = 0.6  # of the way from the worst mean to the best return: some success
    full: Fraction = 0.95  # and full success


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


class WarmUp(Settings, frozen=True, kw_only=True):
    """Decisions at random, for statistics only, before learning begins: until an episode ended, but at most four times as
    many."""

    decisions: Annotated[int, Meta(ge=0)] = 0
    persistence: Fraction = 0.9  # probability to repeat the last action


class SpikingConfig(Settings, frozen=True, kw_only=True):
    """A spiking agent."""

    about: str = ""
    plant: PlantConfig = PlantConfig()
    reward: RewardConfig = RewardConfig()
    clock: ClockConfig = ClockConfig()
    encoder: Conjunctive | Gaussian = Conjunctive()
    population: dict[str, Lif] = {}
    projection: dict[str, ProjectionConfig] = {}
    decoder: WinnerTakeAll
    learner: TdLearner | RMaxLearner | RewardLearner
    success: SuccessConfig = SuccessConfig()
    warm_up: WarmUp = WarmUp()


class Softmax(Settings, frozen=True, kw_only=True, tag_field="kind", tag="softmax"):
    """One action drawn from a softmax of preferences, for each dimension of the action."""

    levels: Annotated[int, Meta(ge=2)] = 9  # of a Box action's dimension
    spread: Positive = 0.2  # how far what one level learns generalises, in units of the action's range
    persistence: Fraction = 0.9  # probability to keep exploring in the same direction where all is new
    cooling: Annotated[float, Meta(ge=0, lt=1)] = 0.0  # share of the temperature that full success takes away


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
