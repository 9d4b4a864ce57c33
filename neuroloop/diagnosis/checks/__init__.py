"""The examinations: each one a small function from a record to findings."""

from __future__ import annotations

from ..findings import Check
from . import activity, critic, episodes, improvement, observations, plasticity, policy, rewards

CHECKS: tuple[Check, ...] = (
    episodes.failure, episodes.warming_up, episodes.endless, episodes.too_few_decisions,
    rewards.constant, rewards.opposite, rewards.late, rewards.short_sighted,
    observations.constant, observations.squeezed, observations.outside, observations.always_new,
    activity.silent, activity.saturated, activity.rate,
    critic.count_noise, critic.outside_range, critic.rescaled, critic.bias, critic.no_error, critic.wrong_sign,
    policy.nothing_learns, policy.collapsed, policy.undecided,
    plasticity.gain, plasticity.missing, plasticity.eligibility, plasticity.short_memory, plasticity.unchanged,
    plasticity.finite, plasticity.at_bounds,
    improvement.improvement,
)  # fmt: skip
