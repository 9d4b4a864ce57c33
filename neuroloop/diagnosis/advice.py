"""Settings to try, made from the agent's own, so that none of them is what it has already."""

from __future__ import annotations

from .record import Record


def number(record: Record, path: str) -> float | None:
    """A setting of the agent; None if it has no such number."""
    value = record.settings.get(path)
    return float(value) if isinstance(value, int | float) else None


def put(path: str, value: float) -> str:
    """How to set it."""
    return f"`--set {path}={value:.3g}`"


def more_exploration(record: Record) -> str:
    """Twice the noise, and at least what ready-made agents have; the policy's temperature is in units of it."""
    noise, limit = number(record, "decoder.noise"), number(record, "learner.policy_limit")
    if noise is not None:
        return f"more exploration ({put('decoder.noise', max(2.0 * noise, 0.3))})"
    if limit is not None:
        return f"preferences that stay smaller ({put('learner.policy_limit', limit / 2.0)})"
    return "more exploration"


def bias(record: Record, table: str, *, more: bool) -> str:
    """A bias that gives a population more or less drive: at least, or at most, what ready-made agents have."""
    path = f"population.{table}.bias"
    now = number(record, path)
    if now is None:
        return f"another {path}"
    return put(path, max(now + 1.0, 2.0) if more else min(now / 2.0 if now > 0.0 else now - 1.0, 2.0))


def larger_gain(record: Record) -> list[str]:
    """Twice the gains of what decides."""
    paths = [
        f"projection.{projection.table}.plasticity.gain"
        for projection in record.plastic
        if projection.post.partition("[")[0] == record.selects_from
    ]
    gains = {path: number(record, path) for path in dict.fromkeys([*paths, "learner.policy_gain"])}
    return [put(path, 2.0 * gain) for path, gain in gains.items() if gain]


def bolder(record: Record) -> str:
    """What makes an agent learn more of every error."""
    clip = number(record, "learner.error_clip")
    clipped = [put("learner.error_clip", 2.0)] if clip is not None and clip < 1.0 else []
    return ", ".join(clipped + larger_gain(record)) or "larger gains"
