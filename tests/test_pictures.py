"""Every picture of the documentation is drawn by its script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
NO_BULLET = "the PyBullet worlds need Python 3.11"  # where it has no wheels
SCRIPTS = sorted((ROOT / "docs" / "pictures").glob("*.py"))


def test_there_are_pictures() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_picture_is_drawn_and_shows_something(script: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300)
    if done.returncode and NO_BULLET in done.stderr:
        pytest.skip("PyBullet is not installed")
    assert done.returncode == 0, done.stderr
    drawn = sorted(tmp_path.glob("*.png"))
    assert drawn
    for path in drawn:
        pixels = image.imread(path)[..., :3]
        assert min(pixels.shape[:2]) > 100
        assert len(np.unique((pixels * 15).astype(int).reshape(-1, 3), axis=0)) > 5
        blank = np.all(pixels == pixels[0, 0], axis=2).mean()
        assert blank < 0.95, f"{path.name}: {blank:.0%} of it are background"


def test_a_picture_script_without_a_folder_says_how_it_is_used() -> None:
    for script in SCRIPTS:
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
        assert done.returncode == 1
        assert "usage: python" in done.stderr
