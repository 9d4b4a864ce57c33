"""The suite `startup`: how long a user waits before anything happens."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from ..figures import Figure, Suite

NEUROLOOP = [sys.executable, "-m", "neuroloop"]
Report = Callable[[str], Any]


def run(quick: bool, report: Report) -> Suite:
    """Time whole processes; wall time, except where CPU is said."""
    repeats = 3 if quick else 9
    python = [_wall([sys.executable, "-c", "pass"]) for _ in range(repeats)]
    imports = [_wall([sys.executable, "-c", "import neuroloop"]) - median(python) for _ in range(repeats)]
    report("imported")
    helps = [_wall([*NEUROLOOP, "--help"]) for _ in range(repeats)]
    report("helped")
    figures = [_figure("import_ms", imports, 150.0), _figure("help_ms", helps, 300.0)]
    with tempfile.TemporaryDirectory() as folder:
        first = _wall([*NEUROLOOP, "run", "cartpole", "--steps", "500"], cwd=folder, cache=folder)
        figures.append(Figure("first_run_s", first, "s", 1, 60.0))
        report("compiled and ran")
        if not quick:
            cpu = _cpu([*NEUROLOOP, "run", "cartpole"], cwd=folder, cache=folder)
            figures.append(Figure("cartpole_cpu_s", cpu, "s CPU", 1, 30.0))
    return Suite("startup", figures, [])


def _figure(name: str, seconds: list[float], target: float) -> Figure:
    ms = [second * 1e3 for second in seconds]
    return Figure(name, median(ms), "ms", len(ms), target, "low", min(ms), max(ms))


def _wall(command: list[str], cwd: str | None = None, cache: str | None = None) -> float:
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def _cpu(command: list[str], cwd: str, cache: str) -> float:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _wall(command, cwd, cache)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
