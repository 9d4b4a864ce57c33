"""The page that sets BindsNET beside our agents: its figures are those of the runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PEERS = Path(__file__).parents[1] / "benchmarks" / "peers"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cartpole_page", PEERS / "cartpole_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line(stage: str, seed: int, best: float) -> dict[str, Any]:
    setup = {"rule": "MSTDP", "nu": 1e-3}
    return {
        "stage": stage, "setup": setup, "seed": seed, "steps": 2_500, "episodes": 100, "best": best, "final": best - 1.0,
        "us_per_step": 1500.0,
    }  # fmt: skip


def test_medians_and_extremes_of_the_seeds_are_told_with_every_run_and_every_try(script: ModuleType) -> None:
    lines = [line(f"{kind}, final", seed, 20.0 + seed) for kind in ("native", "helped") for seed in (1, 2, 6)]
    text = script.page([*lines, line("native, search", 1, 17.25)])
    assert "| BindsNET, reward as it comes | 2500 | 22 (21 … 26) | 21 (20 … 25) | 1500 (1500 … 1500) |" in text
    assert "| native, search | 1 | 2500 | 17.2 | 16.2 | rule MSTDP, nu 0.001 |" in text
    runs = [row for row in text.splitlines() if row.startswith("| random policy")]
    assert len(runs) == 1 + 3
    assert all(row.split("|")[3] == " 2500 " for row in runs[1:])  # the same budget


def test_means_are_of_a_hundred_episodes_or_of_all(script: ModuleType) -> None:
    assert script.means_of([1.0] * 100 + [2.0]).tolist() == pytest.approx([1.0, 1.01])
    assert script.means_of([1.0, 3.0]).tolist() == [2.0]
