"""Episodes: whether they run, end, and leave room to decide."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..advice import number, put
from ..findings import Finding, Limits, Severity
from ..record import GOES_ON, Record

LONG = 5_000  # plant steps in which an episode should have ended
MEND = {
    "plant": "make the environment give what its spaces declare and finite numbers: there, or in a Gymnasium wrapper",
    "network": "lower plasticity.gain, or set learner.value_range by hand",
    "error": "mend what raised it, at the place named; if that is in neuroloop itself, it is our fault: report it",
}
DECISIONS = Limits(warning=6.0, problem=3.0, unit="decisions")


def failure(record: Record) -> Iterator[Finding]:
    """The environment, or the arithmetic, broke down."""
    if record.failure:
        yield Finding(
            "broke down", "", Severity.PROBLEM, float(record.n), "decisions until then", "none do",
            f"the run stopped: {record.failure}",
            MEND[record.failed],
        )  # fmt: skip


def warming_up(record: Record) -> Iterator[Finding]:
    """All that was watched is the warm-up."""
    if record.n and not record.awake.any():
        yield Finding(
            "still warming up", "", Severity.WARNING, float(record.n), "decisions", "longer than warm_up.decisions",
            "the agent still acts at random, so what it learns could not be examined",
            f"watch longer (--steps){_shorter(record)}",
        )  # fmt: skip


def _shorter(record: Record) -> str:
    """Half of a warm-up that is long."""
    now = number(record, "warm_up.decisions")
    return "" if now is None or now < 2 else f", or shorten the warm-up: {put('warm_up.decisions', now // 2)}"


def endless(record: Record) -> Iterator[Finding]:
    """No episode ended."""
    ended = float(record.lengths.size)
    if record.n_plant_steps < LONG and not ended:
        return
    yield Finding(
        "episodes that end", "", Severity.FINE if ended else Severity.PROBLEM, ended, "", "at least 1",
        *(() if ended else (
            "scores are means over episodes, and an agent that is stuck somewhere stays there for ever",
            "let the environment terminate or cut it off: register it with max_episode_steps, or wrap it in "
            "gymnasium.wrappers.TimeLimit",
        )),
    )  # fmt: skip


def too_few_decisions(record: Record) -> Iterator[Finding]:
    """The action repeat is long for the episodes."""
    ends = np.flatnonzero(record.ended != GOES_ON)
    lengths = record.lengths[ends >= record.late.start] if record.awake.any() else record.lengths
    if lengths.size < 3 or record.action_repeat == 1:  # short by nature, as a game of cards
        return
    median = float(np.median(lengths))
    yield DECISIONS.finding(
        "decisions an episode", "", median,
        f"an action is held for {record.action_repeat} steps, so an episode is over before anything can be steered",
        f"decide more often: `--set plant.action_repeat={max(1, record.action_repeat // 4)}`",
    )  # fmt: skip
