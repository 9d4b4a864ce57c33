"""Compiled code is kept under a hash of every source that it can have come from."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from neuroloop._numba import folder_of


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else: `kernels.py` takes a name from `helpers.py`, and nothing from `others.py`."""
    folder = tmp_path / "their_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "helpers.py").write_text("from their_package.deeper import PLACE\n")
    (folder / "deeper.py").write_text("PLACE = 1\n")
    (folder / "others.py").write_text("PLACE = 1\n")
    (folder / "kernels.py").write_text("from their_package.helpers import PLACE\n\ndef work(): return PLACE\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def kept_in(package: Path) -> str:
    """The name of the folder, as a new process would find it."""
    from neuroloop import _numba

    for function in (_numba._folder, _numba._sources, _numba._imported_by):
        function.cache_clear()
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]
    return folder_of(importlib.import_module("their_package.kernels").work).name


def test_a_change_in_a_file_that_another_package_imports_compiles_anew(package: Path) -> None:
    before = kept_in(package)
    assert kept_in(package) == before
    (package / "deeper.py").write_text("PLACE = 2  # was 1\n")
    assert kept_in(package) != before


def test_a_change_in_a_file_that_nothing_imports_does_not(package: Path) -> None:
    before = kept_in(package)
    (package / "others.py").write_text("PLACE = 2  # was 1\n")
    assert kept_in(package) == before
