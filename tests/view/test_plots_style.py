"""How figures print: sizes, text that stays text, files that are the same each time, colours."""

from __future__ import annotations

import importlib
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from neuroloop.errors import BadInput, MissingExtra
from neuroloop.view.plots import plot_signals
from neuroloop.view.plots.style import COLOURS, save, thinned

SEEN = [  # G. M. Machado et al., 2009, table 1, severity 1: how linear RGB is seen
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
]
SIGNALS = {"value": [0.0, 1.0, 0.5]}


@pytest.mark.parametrize(("width", "inches"), [("one", 3.5), ("two", 7.2)])
def test_a_figure_is_as_wide_as_a_column_or_two(width: str, inches: float) -> None:
    assert plot_signals(SIGNALS, width=width).get_figwidth() == inches  # type: ignore[arg-type]


def test_text_in_an_svg_stays_text(tmp_path: Path) -> None:
    plot_signals(SIGNALS).savefig(tmp_path / "a.svg")
    assert ">control step</text>" in (tmp_path / "a.svg").read_text()


def test_a_pdf_holds_fonts_that_can_be_edited(tmp_path: Path) -> None:
    plot_signals(SIGNALS).savefig(tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert b"/Subtype /CIDFontType2" in data  # TrueType, whole letters
    assert b"/Subtype /Type3" not in data


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(ending: str, tmp_path: Path) -> None:
    files = [save(plot_signals(SIGNALS), tmp_path / f"{n}.{ending}") for n in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("seen", SEEN, ids=["protanopia", "deuteranopia"])
def test_the_colour_blind_tell_colours_apart(seen: list[list[float]]) -> None:
    rgb = np.array([[int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for colour in COLOURS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab = lab_of(np.clip(linear @ np.array(seen).T, 0.0, 1.0))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert apart[~np.eye(len(COLOURS), dtype=bool)].min() > 12.0  # 2 can be told side by side


def lab_of(linear: np.ndarray) -> np.ndarray:
    """CIE 1976 of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    f = np.cbrt(linear @ to_xyz.T / to_xyz.sum(axis=1))
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def test_a_long_line_keeps_its_peaks_its_ends_and_its_gaps() -> None:
    rng = np.random.default_rng(3)
    x, y = np.arange(100_001.0), rng.normal(size=100_001)
    y[12_345], y[98_765], y[50_000] = 100.0, -100.0, np.nan
    short_x, short_y = thinned(x, y)
    assert short_x.size < 5_000
    assert (np.diff(short_x) > 0).all()
    assert {0.0, 12_345.0, 50_000.0, 98_765.0, 100_000.0} <= set(short_x)
    np.testing.assert_array_equal(short_y, y[short_x.astype(int)])


@pytest.mark.parametrize("name", ["a.jpeg", "a", "folder.pdf/a.gif"])
def test_another_ending_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ends in \.pdf, \.svg, \.png"):
        save(plot_signals(SIGNALS), tmp_path / name)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be written"):
        save(plot_signals(SIGNALS), tmp_path / "file" / "a.pdf")


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_full_disk_is_said_and_the_figure_before_stays(ending: str, tmp_path: Path) -> None:
    path = save(plot_signals(SIGNALS), tmp_path / f"a.{ending}")
    before, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))
    try:
        with pytest.raises(BadInput, match=rf"a\.{ending}: cannot be written: File too large"):
            save(plot_signals({"value": [0.0, 3.0]}), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("neuroloop.view.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[plot\]"'):
        importlib.import_module("neuroloop.view.plots").plot_signals  # noqa: B018
