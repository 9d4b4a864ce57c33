"""The page's example for Stable-Baselines3, which is optional, runs where that is installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "event-observations.md"


def test_the_example_for_stable_baselines_runs():
    pytest.importorskip("stable_baselines3")
    (text,) = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(text, str(PAGE), "exec"), names)
    assert names["model"].num_timesteps == 64  # type: ignore[attr-defined]
