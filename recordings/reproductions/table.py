"""How the scripts beside this file write their tables."""

from __future__ import annotations

import datetime
import platform


def table(command: str, head: str, rows: list[str]) -> str:
    """Markdown, with the command, the machine and the date."""
    rule = "|".join(["", *["---"] * (head.count("|") - 1), ""])
    made = (
        f"Made by `PYTHONPATH=. python recordings/reproductions/{command}` on {platform.machine()} {platform.system()}"
    )
    return "\n".join(
        [f"{made}, Python {platform.python_version()}, {datetime.date.today()}.", "", head, rule, *rows, ""]
    )
