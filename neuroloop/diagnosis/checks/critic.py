"""The critic and the neuromodulator that it makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, Limits, Severity
from ..record import Critic, Record
from ..returns import advantage, correlation

NOISE = Limits(warning=0.5, problem=1.0, unit="of rms δ")
OUTSIDE = Limits(warning=0.1, problem=0.25, unit="of the decisions")
RESCALED = Limits(warning=0.02, problem=0.2, unit="of the decisions", highest=Severity.WARNING)
BIAS = Limits(warning=0.3, problem=0.7, unit="of its rms")
SIGN = Limits(warning=-0.1, problem=-0.3, unit="correlation")
LEAST = 200  # decisions of learning below which nothing is said


def _examined(record: Record) -> Critic | None:
    return record.critic if record.critic is not None and record.awake.sum() >= LEAST else None


def count_noise(record: Record) -> Iterator[Finding]:
    """V is read from counts: neurons that differ by chance make V, and δ, differ by chance.

    V = low + (high − low) · slope · (n̄ − n_low), so sd(V) = (high − low) · slope · sd(n) / √N, and δ holds two of them.
    """
    critic = _examined(record)
    if critic is None or critic.value is None or critic.low is None or critic.high is None:
        return
    if critic.counts is None or critic.count_sd is None or critic.n < 1:
        return
    span, c = (critic.high - critic.low)[record.late], critic.counts[record.late]
    if not (span > 0).all() or np.ptp(c) == 0.0:
        return
    slope = np.polyfit(c, (critic.value[record.late] - critic.low[record.late]) / span, 1)[0]
    noise = np.sqrt(2.0 * np.mean((span * slope * critic.count_sd[record.late]) ** 2) / critic.n)
    rms = np.sqrt(np.nanmean(critic.error[record.late] ** 2))
    yield NOISE.finding(
        "critic count noise", f"population.{critic.population}", float(noise / rms) if rms > 0.0 else np.inf,
        f"chance in the critic's counts moves δ by {noise:.3g}, all of δ is {rms:.3g}: the neuromodulator is mostly noise",
        f"more neurons, or more counts: --set population.{critic.population}.n={4 * critic.n} (half the noise), a longer "
        "control step (clock.n_steps), a narrower value range",
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
    yield OUTSIDE.finding(
        "value range", "learner.value_range", float(beyond[known].mean()) if known.any() else 0.0,
        f"r + γV' reached from {np.nanmin(target):.4g} to {np.nanmax(target):.4g}, the range is [{low[-1]:g}, {high[-1]:g}]: "
        "beyond it the critic is silent or saturated and δ keeps one sign",
        "--set learner.value_range=automatic --set warm_up.decisions=1000, or a range that holds all discounted returns",
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
    rms = np.sqrt(np.nanmean(m**2)) if np.isfinite(m).any() else 0.0
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
    m = critic.modulator[record.late]
    rms = float(np.sqrt(np.nanmean(m**2))) if np.isfinite(m).any() else 0.0
    dead = rms < 1e-9
    yield Finding(
        "neuromodulator", "modulator", Severity.PROBLEM if dead else Severity.FINE, rms, "rms", "above 0",
        *(("it was 0 all the time, so no weight changes", "see the reward and the critic") if dead else ()),
    )  # fmt: skip


def wrong_sign(record: Record) -> Iterator[Finding]:
    """What the neuromodulator praises should come out well: its correlation with the return that followed.

    The return is of the environment's own reward, less what a regression on the observation expects of it.
    """
    critic = _examined(record)
    if critic is None:
        return
    found = correlation(critic.modulator[record.late], advantage(record)[record.late])
    if found is None:
        return
    yield SIGN.finding(
        "update follows advantage", "modulator", found,
        "decisions that the neuromodulator praised came out worse by the environment's own reward: learning leads away "
        "from it",
        "check the sign of reward.scale and reward.on_termination",
    )  # fmt: skip
