"""Every command and every program that the documentation shows runs as shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_BULLET = "the PyBullet worlds need Python 3.11"  # where it has no wheels
NOT_RUN = ("python3.11 -m venv", "recordings/runs/…")  # CI runs the first; the second has a name to fill in


def blocks() -> list[object]:
    found = []
    for page in PAGES:
        for n, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
            if not any(words in match[2] for words in NOT_RUN):
                needs = pytest.mark.xdist_group(page.stem)
                found.append(pytest.param(page, match[1], match[2], id=f"{page.stem}-{n}", marks=needs))
    return found


@pytest.mark.parametrize(("page", "language", "text"), blocks())
def test_what_the_documentation_shows_runs(page: Path, language: str, text: str, tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode and NO_BULLET in done.stderr:
        pytest.skip("PyBullet is not installed")
    assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stdout}\n{done.stderr}"


def test_every_page_is_linked_from_the_readme() -> None:
    readme = PAGES[0].read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in readme] == []


def test_every_relative_link_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
