"""Synapses: whether they can learn, do, and still have room to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..advice import number, put
from ..findings import Finding, Limits, Severity
from ..record import Record
from .rewards import gap_of

ELIGIBILITY = Limits(warning=0.02, problem=1e-6, unit="usual pairings, rms")
MEMORY = Limits(warning=2.0, problem=0.0, unit="decisions", highest=Severity.WARNING)
CHANGE = Limits(warning=1e-4, problem=1e-9, unit="of the bounds' width")
AT_BOUNDS = Limits(warning=0.1, problem=0.25, unit="of the weights")
FAR = 3.0  # decisions between rewards from which on eligibility should reach back


def gain(record: Record) -> Iterator[Finding]:
    """Plasticity that is switched off."""
    for projection in record.plastic:
        if projection.gain == 0.0:
            yield Finding(
                "learning gain", f"projection.{projection.name}", Severity.PROBLEM, 0.0, "", "above 0",
                "its weights never change",
                f"`--set projection.{projection.table}.plasticity.gain=0.5`",
            )  # fmt: skip


def missing(record: Record) -> Iterator[Finding]:
    """Nothing plastic leads to where it is needed."""
    if record.kind == "random":
        return
    needed = {record.selects_from: "the policy cannot change"}
    if record.critic is not None and record.critic.population:
        needed[record.critic.population] = "values cannot be learned, and every δ is wrong for ever"
    for population, what in needed.items():
        onto = sum(projection.post == population for projection in record.plastic)
        if population and not onto:
            yield Finding(
                "modulated projections", f"population.{population}", Severity.PROBLEM, 0.0, "plastic projections onto it",
                "at least 1", f"no projection onto it is plastic: {what}",
                "give a projection onto it a `plasticity` table, and name it in learner.modulates",
            )  # fmt: skip


def eligibility(record: Record) -> Iterator[Finding]:
    """Pairings that the neuromodulator can turn into weights."""
    for projection in record.plastic:
        if projection.eligibility is None or not projection.eligibility.size:
            continue
        yield ELIGIBILITY.finding(
            "eligibility", f"projection.{projection.name}", float(np.median(projection.eligibility)),
            "spikes before and after the synapse hardly ever pair, so whatever the neuromodulator says meets nothing",
            f"see whether population {projection.post.partition('[')[0]} fires; a longer encoder.tau_trace",
        )  # fmt: skip


def short_memory(record: Record) -> Iterator[Finding]:
    """Eligibility is gone before the reward comes."""
    gap = gap_of(record)
    for projection in record.plastic:
        if gap < FAR or projection.decay is None:
            continue
        memory = 1.0 / (1.0 - min(projection.decay, 0.9999))
        yield MEMORY.finding(
            "eligibility lasts", f"projection.{projection.name}", memory,
            f"rewards that tell something are {gap:.0f} decisions apart: without eligibility that lasts, credit travels back "
            "one decision a visit",
            _remember(record, f"projection.{projection.table}.plasticity.lambda"),
        )  # fmt: skip


def _remember(record: Record, path: str) -> str:
    """A longer trace, or what else shortens it: gamma multiplies it."""
    now = number(record, path)
    return "a larger learner.gamma" if now is not None and now >= 0.8 else put(path, 0.8)


def unchanged(record: Record) -> Iterator[Finding]:
    """Weights that stay as they are."""
    if int(record.awake.sum()) < 500:
        return
    for projection in record.plastic:
        if projection.change is not None:
            yield CHANGE.finding(
                "weights change", f"projection.{projection.name}", projection.change,
                "in half of the watch its weights moved by nothing to speak of: nothing is learned there",
                f"a larger projection.{projection.table}.plasticity.gain; see reward, neuromodulator and eligibility",
            )  # fmt: skip


def finite(record: Record) -> Iterator[Finding]:
    """Weights that are no numbers any more."""
    for projection in record.plastic:
        if not projection.finite:
            yield Finding(
                "finite weights", f"projection.{projection.name}", Severity.PROBLEM, None, "some are not", "all are",
                "what they drive is no longer computed, and they can never come back",
                "begin anew; see the reward, and set learner.value_range by hand",
            )  # fmt: skip


def at_bounds(record: Record) -> Iterator[Finding]:
    """Weights that cannot go on."""
    for projection in record.plastic:
        if projection.at_bounds is not None:
            low, high = projection.bounds
            yield AT_BOUNDS.finding(
                "weights at bounds", f"projection.{projection.name}", projection.at_bounds,
                f"so many lie at {low:g} or {high:g} and cannot tell more from most",
                f"wider bounds: `--set projection.{projection.table}.bounds=[{4 * low:g},{4 * high:g}]`, or a smaller gain",
            )  # fmt: skip
