"""Measured figures: a value beside its target, printed for people and for machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..checkpoint import facts_of_versions

TOO_FEW = "too few seeds to judge"


class Figure(NamedTuple):
    """One measured number."""

    name: str
    value: float | None
    unit: str
    n: int  # measurements behind it
    target: float | None = None
    better: Literal["low", "high"] = "low"
    low: float | None = None  # least and greatest of the measurements
    high: float | None = None
    iqm: float | None = None  # of measurements over seeds; of those and of fractions, a 95 % interval
    interval_low: float | None = None
    interval_high: float | None = None
    too_few: bool = False  # seeds to judge by

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target, or if there are too few seeds to judge."""
        if self.target is None or self.too_few:
            return None
        if self.value is None:
            return False
        return self.value <= self.target if self.better == "low" else self.value >= self.target

    def __str__(self) -> str:
        sign = "≤" if self.better == "low" else "≥"
        verdict = TOO_FEW if self.too_few else "met" if self.met else "MISSED"
        against = "" if self.target is None else f"  target {sign} {self.target:g}: {verdict}"
        middle = "" if self.iqm is None else f"  IQM {self.iqm:.6g}"
        if self.interval_low is not None or self.interval_high is not None:
            middle += f"  95 % {_text(self.interval_low)} … {_text(self.interval_high)}"
        between = "" if self.low is None or self.high is None else f"  ({self.low:.6g} … {self.high:.6g})"
        value = "–" if self.value is None else f"{self.value:.6g}"
        return f"{self.name:42s} {value:>10s} {self.unit:6s} n = {self.n}{between}{middle}{against}"


class Suite(NamedTuple):
    """What a suite measured."""

    name: str
    figures: list[Figure]
    rows: list[dict[str, Any]]  # one for each run, all with the same keys


def machine() -> dict[str, Any]:
    """The machine that measured."""
    cpu = platform.processor() or platform.machine()
    with_name = Path("/proc/cpuinfo")
    if with_name.exists():
        names = [
            line.partition(":")[2].strip()
            for line in with_name.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(), "arch": platform.machine()}


def as_json(suite: Suite) -> dict[str, Any]:
    """A suite as one JSON object."""
    figures = {
        figure.name: {k: v for k, v in figure._asdict().items() if k != "name"} | {"met": figure.met}
        for figure in suite.figures
    }
    return {
        "suite": suite.name,
        "machine": machine(),
        "versions": facts_of_versions(),
        "figures": figures,
        "runs": suite.rows,
    }


def as_markdown(suite: Suite, command: str, date: str) -> str:
    """A suite as a page: how it was measured, the figures, every run."""
    lines = [*head(suite.name, command, date), *figures_table(suite.figures)]
    if suite.rows:
        lines += ["", "Every run:", "", *runs_table(suite.rows)]
    return "\n".join([*lines, ""])


def head(name: str, command: str, date: str, about: str = "") -> list[str]:
    """How every page begins: what it is about, the command that made it, when and where."""
    begun = [f"# {name}", "", *([f"{about}.", ""] if about else [])]
    return [*begun, f"`{command}`", "", f"{date}; {place_of()}.", ""]


def place_of() -> str:
    """The machine and the versions, in words."""
    facts = ", ".join(f"{name} {value}" for name, value in facts_of_versions().items())
    where = machine()
    return f"{where['cpu']}, {where['cores']} cores, shared; {facts}"


def figures_table(figures: Iterable[Figure]) -> list[str]:
    """All figures; with IQM and interval where any has them."""
    figures = list(figures)
    heads = ["figure", "value", "unit", "least", "greatest", "n", "target", "met"]
    rows = [[f.name, _text(f.value), f.unit, _text(f.low), _text(f.high), f.n, _target(f), _met(f)] for f in figures]
    if any(f.iqm is not None or f.interval_low is not None for f in figures):
        heads[3:3] = ["IQM", "95 % interval"]
        for row, f in zip(rows, figures, strict=True):
            known = (f.interval_low, f.interval_high) != (None, None)
            row[3:3] = [_text(f.iqm), f"{_text(f.interval_low)} … {_text(f.interval_high)}" if known else "–"]
    return table_of(heads, rows)


def runs_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Every run, a row each."""
    return table_of(rows[0], ([_text(value) for value in row.values()] for row in rows)) if rows else []


def table_of(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """The lines of a table in Markdown."""
    heads = tuple(heads)
    return [
        f"| {' | '.join(heads)} |",
        "|" + "---|" * len(heads),
        *(f"| {' | '.join(map(_escaped, row))} |" for row in rows),
    ]


def _escaped(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def _target(figure: Figure) -> str:
    return "" if figure.target is None else f"{'≤' if figure.better == 'low' else '≥'} {figure.target:g}"


def _met(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return TOO_FEW if figure.too_few else "yes" if figure.met else "**no**"
