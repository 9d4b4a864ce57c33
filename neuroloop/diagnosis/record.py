"""What the doctor looks at: plain arrays, one entry for each decision that was watched, T in all.

Whoever fills a record (`watch.py` from a run, later a reader of recordings) leaves out the parts that the agent does not
have; checks look only at what is there. NaN stands where a number does not exist, such as the TD error of the warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOES_ON, TERMINATED, TRUNCATED = range(3)
WINDOW = 100  # latest episodes whose mean return is told
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The observations, dimension by dimension (D in all)."""

    names: tuple[str, ...]
    discrete: NDArray[np.bool_]  # (D,)
    values: Floats  # (T, D)
    low: Floats | None = None  # (D,): the ranges in use at the end; None where nothing scales observations
    high: Floats | None = None
    fixed_ranges: bool = False  # set by hand


@dataclass(frozen=True, kw_only=True)
class Population:
    """Spikes of a population of n neurons."""

    name: str
    total: NDArray[np.int64]  # (n,): spikes in all
    mean: Floats  # (T,): spikes of a neuron
    most: Floats  # (T,): spikes of the neuron that fired most
    ceiling: int  # spikes that refractoriness allows in a decision


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One choice among groups of neurons: a dimension of the action."""

    name: str
    groups: int
    chosen: NDArray[np.int64]  # (T,)
    entropy: Floats | None = None  # (T,): of the policy that the weights predict, as a share of the largest possible


@dataclass(frozen=True, kw_only=True)
class Critic:
    """What the learner computed. `error[t]` answers decision t."""

    error: Floats  # (T,): δ, in units of reward
    modulator: Floats  # (T,): what projections that are not onto the critic were sent
    value: Floats | None = None  # (T,): V of the decision's observation
    low: Floats | None = None  # (T,): the value range
    high: Floats | None = None
    automatic: bool = False  # whether the range follows what is needed
    population: str = ""
    counts: Floats | None = None  # (T,): spikes of a neuron of the critic
    count_sd: Floats | None = None  # (T,): between neurons
    n: int = 0  # its neurons


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Synapses."""

    name: str
    table: str  # its name in the agent's file
    pre: str
    post: str
    gain: float | None  # of plasticity; None: not plastic
    decay: float | None  # what remains of eligibility after a decision
    bounds: tuple[float, float]  # as in the file
    finite: bool = True  # all weights, at the end
    at_bounds: float | None = None  # share of the weights, at the end
    change: float | None = None  # mean |Δw| in the second half of the watch, in units of the bounds' width
    eligibility: Floats | None = None  # (K,): rms of the entries that are not 0, in usual pairings; at some decisions


@dataclass(frozen=True, kw_only=True)
class Record:
    """All of it. `n_plant_steps` counts what was watched."""

    agent: str
    env: str
    seed: int
    kind: str  # of agent
    action_repeat: int
    n_plant_steps: int
    reward: Floats  # (T,): native
    paid: Floats  # (T,): what the learner was paid
    ended: NDArray[np.int8]  # (T,): how the answer to the decision ended the episode, if it did
    awake: NDArray[np.bool_]  # (T,): whether the agent learned already
    gamma: float | None = None
    spikes: Floats | None = None  # (T,): of the whole network
    novelty: Floats | None = None  # (T,): of the active cells, 1: all are new
    first_seen: Floats | None = None  # (T,): share of the active cells that never fired before
    observed: Observed | None = None
    populations: tuple[Population, ...] = ()
    choices: tuple[Choice, ...] = ()
    critic: Critic | None = None
    projections: tuple[Projection, ...] = ()
    selects_from: str = ""  # the population whose winner is the action
    modulates: tuple[str, ...] = ()
    solved: bool = False  # the mean of the last 100 returns meets the criterion
    criterion: float | None = None  # mean return that counts as solved
    random: Floats | None = None  # (E,): returns of a random policy in the same environment, where they are known
    begun_before: bool = False  # the first episode had begun before the watch
    stopped: bool = False  # the watch ended early because someone asked for it
    failure: str = ""  # what ended the watch early
    failed: str = "plant"  # whose failure: "plant" gave what cannot be used, "network" diverged, "error" was raised
    settings: Mapping[str, Any] = field(default_factory=dict)  # the agent's, by path such as "decoder.noise"

    @property
    def n(self) -> int:
        """Decisions."""
        return int(self.reward.size)

    @property
    def late(self) -> slice:
        """The second half of the decisions in which the agent learned."""
        awake = int(self.awake.sum())
        return slice(self.n - awake // 2, self.n)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Decisions of each episode that ended within the watch; the first one may have begun before."""
        ends = np.flatnonzero(self.ended != GOES_ON)
        return np.diff(ends, prepend=-1)

    @property
    def returns(self) -> Floats:
        """Native return of each episode that was watched from its beginning to its end."""
        totals = np.cumsum(self.reward)[self.ended != GOES_ON]
        return np.asarray(np.diff(totals, prepend=0.0)[int(self.begun_before) :], np.float64)

    @property
    def latest(self) -> Floats:
        """The last of them, at most 100."""
        return self.returns[-WINDOW:]

    @property
    def mean_return(self) -> float | None:
        """Mean of the latest returns; None if there is none."""
        return float(self.latest.mean()) if self.latest.size else None

    @property
    def random_return(self) -> float | None:
        """Mean return of a random policy."""
        return None if self.random is None or not self.random.size else float(self.random.mean())

    @property
    def reached(self) -> bool:
        """Whether the mean return meets the criterion."""
        return self.criterion is not None and self.mean_return is not None and self.mean_return >= self.criterion

    @property
    def plastic(self) -> tuple[Projection, ...]:
        """Projections that can learn."""
        return tuple(projection for projection in self.projections if projection.gain is not None)
