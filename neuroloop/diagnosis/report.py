"""The doctor's findings for people, and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from .findings import Finding, Severity, shown
from .record import Record

MARKS = {
    Severity.PROBLEM: "bold red",
    Severity.WARNING: "yellow",
    Severity.NOTE: "cyan",
    Severity.FINE: "green",
}


def as_dict(record: Record, findings: Sequence[Finding]) -> dict[str, Any]:
    """Ready for JSON."""
    return {
        "agent": record.agent, "env": record.env, "seed": record.seed, "steps": record.n_plant_steps,
        "decisions": record.n, "episodes": int(record.lengths.size), "worst": str(worst(findings)),
        "findings": [finding.as_dict() for finding in findings],
    }  # fmt: skip


def worst(findings: Sequence[Finding]) -> Severity:
    """The severity of the worst."""
    return max((finding.severity for finding in findings), default=Severity.FINE)


def print_findings(record: Record, findings: Sequence[Finding], file: TextIO, *, everything: bool = False) -> None:
    """What is not fine with reasons and advice, what is in one line; with `everything`, each figure."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=file, highlight=False, soft_wrap=False)
    console.print(
        f"{record.agent} on {record.env}, seed {record.seed}: watched for {record.n_plant_steps} steps "
        f"({record.n} decisions, {record.lengths.size} episodes) while it learned",
        markup=False,
    )
    fine = [finding for finding in findings if finding.severity is Severity.FINE]
    for finding in findings:
        if finding.severity is Severity.FINE and not everything:
            continue
        place = f", {finding.where}" if finding.where else ""
        head = Text(f"{finding.severity}: ", style=MARKS[finding.severity])
        head.append(f"{finding.name}{place}", style="bold")
        head.append(f": {figure_of(finding)}{healthy_of(finding)}", style="default")
        console.print(head)
        for sentence in (finding.why, f"→ {finding.change}" if finding.change else ""):
            if sentence:
                console.print(Padding(Text(sentence), (0, 0, 0, 4), expand=False))
    if fine and not everything:
        names = ", ".join(dict.fromkeys(finding.name for finding in fine))
        console.print(Text(f"fine: {names}", style=MARKS[Severity.FINE]))
    console.print(Text(_verdict(findings), style="bold"))


def figure_of(finding: Finding) -> str:
    """The figure with its unit; shares as percentages."""
    if finding.figure is None:
        return finding.unit
    return f"{shown(finding.figure, finding.unit)} {finding.unit}".rstrip()


def healthy_of(finding: Finding) -> str:
    """The range that is healthy, in brackets."""
    return f" (healthy: {finding.healthy})" if finding.healthy else ""


def _verdict(findings: Sequence[Finding]) -> str:
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in MARKS}
    problems, warnings = counts[Severity.PROBLEM], counts[Severity.WARNING]
    if not problems and not warnings:
        return "no problem found"
    words = [f"{n} {word}{'s' if n != 1 else ''}" for n, word in ((problems, "problem"), (warnings, "warning")) if n]
    return ", ".join(words) + (": begin with the first" if problems + warnings > 1 else "")
