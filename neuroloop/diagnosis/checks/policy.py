"""Actions: neither always the same nor drawn by lot for ever."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..advice import more_exploration
from ..findings import Finding, Limits, Severity
from ..record import Record

CHOSEN = Limits(warning=0.1, problem=0.01, unit="of the largest entropy", highest=Severity.WARNING)
CERTAIN = Limits(warning=0.05, problem=0.001, unit="of the largest entropy", highest=Severity.WARNING)
UNSEEN = "a linear agent has no synapses: it learns weights of read-outs, and those and its TD error are not examined"
UNIFORM = 0.98  # of the largest entropy: as good as that
FEWEST = 100  # decisions of learning below which nothing is said
ENOUGH = 5_000  # after which a policy should prefer something


def nothing_learns(record: Record) -> Iterator[Finding]:
    """Agents without synapses to look at."""
    if not record.plastic:
        yield Finding(
            "what was examined", "", Severity.NOTE, None, "the environment and the actions", "",
            "a random agent draws its actions and learns nothing" if record.kind == "random"
            else UNSEEN if record.kind == "linear"
            else f"this agent ({record.kind}) has no plastic synapses to look at",
            "examine an agent that learns: neuroloop doctor default --env …" if record.kind == "random" else "",
        )  # fmt: skip


def collapsed(record: Record) -> Iterator[Finding]:
    """The same action for ever."""
    for choice in record.choices:
        chosen = choice.chosen[record.late]
        if chosen.size < FEWEST or record.kind == "random":
            continue
        share = np.bincount(chosen, minlength=choice.groups) / chosen.size
        entropy = float(-(share[share > 0] * np.log(share[share > 0])).sum() / np.log(choice.groups))
        yield CHOSEN.finding(
            "action entropy", f"action[{choice.name}]", entropy,
            f"action {int(share.argmax())} was chosen {share.max():.1%} of the time: nothing else is tried any more, so "
            "nothing else can be learned",
            f"a smaller gain or narrower bounds onto the actor, or {more_exploration(record)}",
        )  # fmt: skip


def undecided(record: Record) -> Iterator[Finding]:
    """A policy that prefers nothing after much learning, or is certain of everything."""
    learned = int(record.awake.sum())
    if learned < 2 * FEWEST:
        return
    for choice in record.choices:
        if choice.entropy is None:
            continue
        entropy, where = float(choice.entropy[record.late].mean()), f"action[{choice.name}]"
        if entropy <= UNIFORM:
            yield CERTAIN.finding(
                "policy entropy", where, entropy,
                "the weights leave no doubt about any action, so exploration changes nothing and pairings teach nothing",
                f"{more_exploration(record)}, a smaller gain onto the actor",
            )  # fmt: skip
            continue
        early = "" if learned >= ENOUGH else ", which is usual so early"
        yield Finding(
            "policy entropy", where, Severity.NOTE if early else Severity.WARNING, entropy, CERTAIN.unit,
            f"at most {UNIFORM:g}", f"the weights still prefer no action over another{early}",
            "watch longer; if it stays, a larger projection.….plasticity.gain or wider bounds onto the actor",
        )  # fmt: skip
