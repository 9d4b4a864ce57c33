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
        "mean_return": record.mean_return, "mean_of_episodes": int(record.latest.size), "criterion": record.criterion,
        "random_return": record.random_return, "stopped": record.stopped, "verdict": verdict(record, findings),
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
        f"({record.n} decisions, {record.lengths.size} episodes) while it learned"
        + (", then stopped: what follows is of these" if record.stopped else ""),
        markup=False,
    )
    console.print(returns_of(record), markup=False)
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
        amiss = {finding.name for finding in findings if finding.severity is not Severity.FINE}
        names = ", ".join(dict.fromkeys(finding.name for finding in fine if finding.name not in amiss))
        console.print(Text(f"fine: {names}", style=MARKS[Severity.FINE]))
    console.print(Text(verdict(record, findings), style="bold"))


def figure_of(finding: Finding) -> str:
    """The figure with its unit; shares as percentages."""
    if finding.figure is None:
        return finding.unit
    return f"{shown(finding.figure, finding.unit)} {finding.unit}".rstrip()


def healthy_of(finding: Finding) -> str:
    """The range that is healthy, in brackets."""
    return f" (healthy: {finding.healthy})" if finding.healthy else ""


def returns_of(record: Record) -> str:
    """The mean return beside what it should reach, and what chance earns."""
    beside = [] if record.criterion is None else [f"criterion {record.criterion:g}"]
    if record.random is not None and record.random_return is not None:
        beside.append(f"random policy {record.random_return:.4g} over {_episodes(record.random.size)}")
    brackets = f" ({', '.join(beside)})" if beside else ""
    if record.mean_return is None:
        return f"mean return: none, no whole episode was watched{brackets}"
    return f"mean return of the last {_episodes(record.latest.size)}: {record.mean_return:.4g}{brackets}"


def _episodes(n: int) -> str:
    return f"{n} episode{'s' if n != 1 else ''}"


def verdict(record: Record, findings: Sequence[Finding]) -> str:
    """The closing sentence. Nothing amiss is not the same as learned: that is told too."""
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in MARKS}
    problems, warnings = counts[Severity.PROBLEM], counts[Severity.WARNING]
    if not problems and not warnings:
        return "no problem found" if record.reached else _unlearned(record)
    words = [f"{n} {word}{'s' if n != 1 else ''}" for n, word in ((problems, "problem"), (warnings, "warning")) if n]
    return ", ".join(words) + (": begin with the first" if problems + warnings > 1 else "")


def _unlearned(record: Record) -> str:
    """Nothing is amiss, but the criterion is not reached, or there is none."""
    if record.criterion is None:
        return "no problem found in what was looked at; the environment names no criterion to hold the return against"
    mean = "no whole episode was watched" if record.mean_return is None else f"mean return {record.mean_return:.4g}"
    return (
        f"what was looked at is in its healthy range, but the criterion {record.criterion:g} is not reached after "
        f"{record.n_plant_steps} steps: {mean}"
    )
