"""Other simulators, run beside ours: each in an environment of its own, by a script that is part of a clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import BadInput


def peers_folder() -> Path:
    """The scripts of the peers, which are part of a clone of the repository, not of the installed package."""
    folder = Path(__file__).parents[2] / "tests" / "benchmarks" / "peers"
    if not folder.is_dir():
        raise BadInput("bench: --peers needs a clone of the repository, with tests/benchmarks/peers")
    return folder


def run_peer(peer: str, name: str, quick: bool, report: Callable[[str], Any]) -> dict[str, Any]:
    """What a peer says of a benchmark; its environment is made if it is missing."""
    folder = peers_folder()
    home = Path(os.environ.get("NEUROLOOP_PEERS", folder / ".environments")) / peer
    python = home / "bin" / "python"
    if not python.exists():
        report(f"making the environment of {peer} in {home}")
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", folder / f"peer_{peer}.txt"], check=True)
    command = [str(python), f"peer_{peer}.py", name, *(["--repeats", "1"] if quick else [])]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=True)
    line: dict[str, Any] = json.loads(next(text for text in done.stdout.splitlines() if text.startswith("{")))
    report(f"{peer} {line['figure']}: {line['value']} {line['unit']} ({line['note']})")
    return line
