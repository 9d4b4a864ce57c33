"""Rewards: whether they tell anything, and when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..advice import number, put
from ..findings import Finding, Limits, Severity
from ..record import GOES_ON, TERMINATED, Record
from ..returns import correlation, returns_to_go

FORESIGHT = Limits(warning=1e-3, problem=1e-8, unit="of a reward", highest=Severity.WARNING)
SAME_WAY = Limits(warning=0.2, problem=0.0, unit="correlation of the returns")
SHORT_GAP = 3  # decisions
FAR_ENOUGH = 200.0


def constant(record: Record) -> Iterator[Finding]:
    """Nothing tells good from bad."""
    if record.n < 2:
        return
    spread, terminated = float(record.paid.std()), bool((record.ended == TERMINATED).any())
    told = spread > 1e-9 * max(1.0, float(np.abs(record.paid).max())) or (terminated and bool(record.paid.any()))
    name, unit, healthy = "reward varies", "sd of what a decision is paid", "above 0, or an end"
    if told:
        yield Finding(name, "", Severity.FINE, spread, unit, healthy)
    elif record.solved:
        yield Finding(
            name, "", Severity.NOTE, spread, unit, healthy,
            "every decision was paid the same: the task is solved, and nothing is left to learn from",
        )  # fmt: skip
    else:
        zero = not record.paid.any()
        what = "every reward was 0" if zero else f"every decision was paid {record.paid[0]:g} and no episode terminated"
        yield Finding(
            name, "", Severity.PROBLEM if zero else Severity.WARNING, spread, unit, healthy,
            f"{what}: nothing tells a good action from a bad one",
            "check the reward, and reward.scale and reward.on_termination; if the goal was just not met yet, watch "
            f"longer (--steps){_persist(record)} or reward progress",
        )  # fmt: skip


def _persist(record: Record) -> str:
    """Exploration that persists, unless it does."""
    now = number(record, "decoder.persistence")
    return "" if now is None or now >= 0.9 else f", let exploration persist ({put('decoder.persistence', 0.9)})"


def opposite(record: Record) -> Iterator[Finding]:
    """What the learner is paid and what the environment gives point in opposite directions."""
    if np.array_equal(record.paid, record.reward):
        return
    cut = np.nan if (record.ended == TERMINATED).any() else 0.0  # what an end costs shows in episodes that have one
    paid, rewarded = (returns_to_go(record, reward, when_cut=cut) for reward in (record.paid, record.reward))
    found = correlation(paid, rewarded)
    if found is not None:
        yield SAME_WAY.finding(
            "paid as rewarded", "reward", found,
            "what the learner is paid falls where the environment's own return rises: it learns the opposite of what is "
            "scored",
            "check the signs of reward.scale and reward.on_termination",
        )  # fmt: skip


def late(record: Record) -> Iterator[Finding]:
    """All that is paid is paid at the end."""
    ends = record.ended != GOES_ON
    if ends.sum() < 2 or float(record.paid[~ends].std() if (~ends).any() else 0.0) > 1e-9:
        return
    if float(record.paid.std()) <= 1e-9:
        return
    yield Finding(
        "reward only at the end", "", Severity.NOTE, gap_of(record), "decisions between rewards that tell something", "any",
        "all decisions but the last of an episode are paid the same, so credit must travel back over the whole episode",
        "keep gamma and the lambdas of what learns large (0.99 and 0.8 or more); a reward for progress learns faster",
    )  # fmt: skip


def short_sighted(record: Record) -> Iterator[Finding]:
    """What comes later weighs nothing."""
    gap = min(gap_of(record), FAR_ENOUGH)
    if record.gamma is None or gap <= SHORT_GAP or record.solved:  # who balances well falls seldom
        return
    yield FORESIGHT.finding(
        "foresight", "", record.gamma**gap,
        f"rewards that tell something are {gap:.0f} decisions apart; with gamma {record.gamma:g} so little of one is seen "
        "from the one before",
        f"`--set learner.gamma={min(0.999, round(1 - 1 / (2 * gap), 3)):g}`",
    )  # fmt: skip


def gap_of(record: Record) -> float:
    """Median decisions between rewards that differ from the usual one; 0 if there are not two."""
    if record.n < 2:
        return 0.0
    values, counts = np.unique(record.paid, return_counts=True)
    telling = np.flatnonzero(record.paid != values[counts.argmax()])
    return float(np.median(np.diff(telling))) if telling.size > 2 and counts.max() > 1 else 0.0
