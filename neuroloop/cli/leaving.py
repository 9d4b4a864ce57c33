"""What a run leaves beside its checkpoint for `neuroloop report`: the closing report, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def with_machine(report: dict[str, Any]) -> dict[str, Any]:
    """The report, with what it was made with and on."""
    from ..checkpoint import facts_of_versions
    from ..evaluation.figures import machine

    return report | {"versions": facts_of_versions(), "machine": machine()}


def leave(report: dict[str, Any], checkpoint: Path) -> None:
    """Write the report beside the checkpoint, all of it or nothing; where it cannot be, one line says so."""
    from ..view.plots.runs import report_place
    from ..view.written import write

    place = report_place(checkpoint)
    try:
        write(place, json.dumps(report, indent=1, allow_nan=False).encode())
    except OSError as error:
        print(f"neuroloop: {place}: cannot be written: {error.strerror}", file=sys.stderr)
