"""The doctor: why is it not learning? Watches an agent, examines what it saw, and says what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import Finding, Severity
from .record import Record

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.lockstep import Callback

STEPS = 12_000  # plant steps that are watched


def diagnose(agent: Agent, steps: int = STEPS, callback: Callback | None = None) -> list[Finding]:
    """Watch the agent learn for `steps` more plant steps; what was found, the worst first.

    The agent goes on learning meanwhile: save it before if it should stay as it is. Afterwards a random policy acts in the
    environment for at most 2000 steps, to compare with. `callback` as in `Agent.learn`; False ends the watch, without that.
    """
    from .watch import watch

    return examine(watch(agent, steps, callback))


def examine(record: Record) -> list[Finding]:
    """What a record shows, the worst first."""
    from .checks import CHECKS

    findings = [finding for check in CHECKS for finding in check(record)]
    return sorted(findings, key=lambda finding: -finding.severity)


__all__ = ["Finding", "Record", "Severity", "diagnose", "examine"]
