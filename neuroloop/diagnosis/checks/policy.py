"""Actions: neither always the same nor drawn by lot for ever."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, Limits, Severity
from ..record import Record

COLLAPSED = Limits(warning=0.1, problem=0.01, unit="of the largest entropy")
UNDECIDED = 0.98  # of the largest entropy: as good as uniform
ENOUGH = 5_000  # decisions of learning after which a policy should prefer something


def collapsed(record: Record) -> Iterator[Finding]:
    """The same action for ever."""
    for choice in record.choices:
        chosen = choice.chosen[record.late]
        if chosen.size < 100:
            continue
        share = np.bincount(chosen, minlength=choice.groups) / chosen.size
        entropy = float(-(share[share > 0] * np.log(share[share > 0])).sum() / np.log(choice.groups))
        yield COLLAPSED.finding(
            "action entropy", f"action[{choice.name}]", entropy,
            f"action {int(share.argmax())} was chosen {share.max():.1%} of the time: nothing else is tried any more, so "
            "nothing else can be learned",
            "smaller gain or bounds onto the actor (projection.policy.plasticity.gain, .bounds), more exploration: "
            "--set decoder.noise=0.5",
        )  # fmt: skip


def undecided(record: Record) -> Iterator[Finding]:
    """A policy that prefers nothing after much learning."""
    if record.awake.sum() < 200:
        return
    enough = int(record.awake.sum()) >= ENOUGH
    for choice in record.choices:
        if choice.entropy is None:
            continue
        entropy = float(choice.entropy[record.late].mean())
        uniform = entropy > UNDECIDED
        severity = (Severity.WARNING if enough else Severity.NOTE) if uniform else Severity.FINE
        yield Finding(
            "policy entropy", f"action[{choice.name}]", severity, entropy, "of the largest entropy", f"at most {UNDECIDED:g}",
            *(() if severity is Severity.FINE else (
                "the weights still prefer no action over another"
                + ("" if enough else ", which is usual so early"),
                "watch longer; if it stays: a larger gain onto the actor (projection.policy.plasticity.gain)",
            )),
        )  # fmt: skip
