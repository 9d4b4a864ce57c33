"""The critic and the neuromodulator that it makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, Limits, Severity
from ..record import Critic, Floats, Record
from ..returns import advantage, correlation, credit

NOISE_OF_VALUE = Limits(warning=0.5, problem=1.5, unit="of the sd of V")
NOISE_OF_ERROR = Limits(warning=1.25, problem=2.0, unit="of rms δ")
ROUNDING = 12**-0.5  # sd of a regular count for the phase alone
OUTSIDE = Limits(warning=0.1, problem=0.25, unit="of the decisions")
RESCALED = Limits(warning=0.02, problem=0.2, unit="of the decisions", highest=Severity.WARNING)
BIAS = Limits(warning=0.3, problem=0.7, unit="of its rms")
SIGN = Limits(warning=-0.08, problem=-0.12, unit="correlation")
LEAST = 200  # decisions of learning below which nothing is said


def _examined(record: Record) -> Critic | None:
    return record.critic if record.critic is not None and record.awake.sum() >= LEAST else None


def count_noise(record: Record) -> Iterator[Finding]:
    """V is read from counts, so neurons that differ by chance make V differ by chance, and δ holds V twice.

    V = low + (high − low) · slope · (n̄ − n_low), so sd(V) = (high − low) · slope · sd(n) / √N: an upper estimate, because
    neurons at even phases average out better than independent ones.
    """
    critic = _examined(record)
    if critic is None or critic.value is None or critic.low is None or critic.high is None:
        return
    if critic.counts is None or critic.count_sd is None or critic.n < 1:
        return
    late = record.late
    value, counts, span = critic.value[late], critic.counts[late], (critic.high - critic.low)[late]
    if not (span > 0.0).all() or np.ptp(counts) == 0.0:
        return  # silence is told by another check
    slope = np.polyfit(counts, (value - critic.low[late]) / span, 1)[0]
    chance = span * slope * np.maximum(critic.count_sd[late], ROUNDING) / np.sqrt(critic.n)
    noise, rms = float(np.sqrt(np.mean(chance**2))), _rms(critic.error[late])
    where, n = f"population.{critic.population}", 4 * critic.n
    limits = [
        limit._replace(highest=Severity.NOTE) if record.solved else limit for limit in (NOISE_OF_VALUE, NOISE_OF_ERROR)
    ]
    change = (
        f"more neurons (`--set population.{critic.population}.n={n}` halves it), a longer control step (clock.n_steps), or "
        "a narrower learner.value_range; nothing, if the task is solved and values are all alike"
    )
    yield limits[0].finding(
        "count noise in V", where, noise / float(value.std()),
        f"chance in the critic's counts moves V by {noise:.3g}, states move it by {value.std():.3g}: states cannot be told "
        "apart",
        change,
    )  # fmt: skip
    if rms > 0.0:
        yield limits[1].finding(
            "count noise in δ", where, float(np.sqrt(2.0)) * noise / rms,
            f"chance in the critic's counts moves δ by up to {1.41 * noise:.3g}, all of δ is {rms:.3g}: the neuromodulator "
            "is mostly noise",
            change,
        )  # fmt: skip


def outside_range(record: Record) -> Iterator[Finding]:
    """Values, and what they are taught, must lie in the range that counts span."""
    critic = _examined(record)
    if critic is None or critic.value is None or critic.low is None or critic.high is None or critic.automatic:
        return
    late = record.late
    target = critic.error[late] + critic.value[late]
    low, high = critic.low[late], critic.high[late]
    margin = 0.05 * (high - low)
    beyond = (target < low - margin) | (target > high + margin)
    known = np.isfinite(target)
    if not known.any():
        return
    yield OUTSIDE.finding(
        "value range", "learner.value_range", float(beyond[known].mean()),
        f"r + γV' reached from {np.nanmin(target):.4g} to {np.nanmax(target):.4g}, the range is [{low[-1]:g}, {high[-1]:g}]: "
        "beyond it the critic is silent or saturated and δ keeps one sign",
        "`--set learner.value_range=automatic --set warm_up.decisions=250`, or a range that holds all discounted returns",
    )  # fmt: skip


def rescaled(record: Record) -> Iterator[Finding]:
    """An automatic range settles."""
    critic = _examined(record)
    if critic is None or critic.low is None or critic.high is None or not critic.automatic:
        return
    moved = (np.diff(critic.low[record.late]) != 0) | (np.diff(critic.high[record.late]) != 0)
    yield RESCALED.finding(
        "value range", "learner.value_range", float(moved.mean()) if moved.size else 0.0,
        "the automatic range is still moving, and every move rescales all weights onto the critic",
        "normal early on; if it goes on, rewards grow without end: scale or clip them, or set learner.value_range by hand",
    )  # fmt: skip


def bias(record: Record) -> Iterator[Finding]:
    """δ averages to nothing once values are right."""
    critic = _examined(record)
    if critic is None:
        return
    m = critic.modulator[record.late]
    rms = _rms(m)
    if rms == 0.0:
        return
    mean = float(np.nanmean(m) / rms)
    sign = "praises" if mean > 0 else "blames"
    yield BIAS.finding(
        "neuromodulator bias", "modulator", abs(mean),
        f"it {sign} nearly everything (mean {mean:+.2f} of its rms), so weights drift instead of telling actions apart: the "
        "critic does not follow the values",
        "a larger gain onto the critic, more watching if it only started, a value range that holds the values",
    )  # fmt: skip


def no_error(record: Record) -> Iterator[Finding]:
    """Without δ nothing changes."""
    critic = _examined(record)
    if critic is None:
        return
    rms = _rms(critic.modulator[record.late])
    dead = rms < 1e-9
    yield Finding(
        "neuromodulator", "modulator", Severity.PROBLEM if dead else Severity.FINE, rms, "rms", "above 0",
        *(("it was 0 all the time, so no weight changes", "see the reward and the critic") if dead else ()),
    )  # fmt: skip


def wrong_sign(record: Record) -> Iterator[Finding]:
    """What the neuromodulator praises should come out well: the credit of a decision against the return that followed.

    Credit is what eligibility hands to it, Σ λᵏ m_{t+k}; the return is of the environment's own reward, less what a
    regression on the observation expects of it.
    """
    critic = _examined(record)
    if critic is None:
        return
    decays = [projection.decay or 0.0 for projection in record.plastic if projection.post == record.selects_from]
    found = correlation(credit(record, critic.modulator, max(decays, default=0.0)), advantage(record))
    if found is None:
        return
    yield SIGN.finding(
        "update follows advantage", "modulator", found,
        "decisions that the neuromodulator praised came out worse by the environment's own reward: learning leads away "
        "from it",
        "check the signs of reward.scale and reward.on_termination, the value range, and that the critic learns",
    )  # fmt: skip


def _rms(values: Floats) -> float:
    """Of those that are known; 0 if none is."""
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if known.size else 0.0
