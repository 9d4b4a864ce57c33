"""How all figures look: sizes of journal columns, colours that the colour-blind tell apart, text that stays text.

Colours: M. Okabe and K. Ito, Color universal design, 2008; without yellow, which does not print on white.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, MissingExtra, unknown
from ..written import write_figure

try:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter as EngFormatter
    from matplotlib.ticker import LogLocator as LogLocator
    from matplotlib.ticker import NullFormatter as NullFormatter
except ModuleNotFoundError:
    raise MissingExtra("a figure", "plot") from None

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILLION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
ORANGE, SKY, BLACK, GREY = "#e69f00", "#56b4e9", "#000000", "#7f7f7f"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
DIVERGING = "PuOr_r"  # of changes: purple is less, orange is more
Width = Literal["one", "two"]
WIDTHS: dict[str, float] = {"one": 3.5, "two": 7.2}  # inches: 89 and 183 mm, columns of a page
LINE = 15  # letters beside a panel
FORMATS = ("pdf", "svg", "png")
MOST_POINTS, MOST_BEGINS = 4000, 60  # of a line; lines where episodes begin
MOST_MARKS = 20_000  # more than these become an image within the vector file
STYLE: Any = {
    "font.size": 8.0, "axes.titlesize": 8.0, "axes.labelsize": 8.0, "legend.fontsize": 7.0,
    "xtick.labelsize": 7.0, "ytick.labelsize": 7.0, "figure.titlesize": 8.0, "figure.dpi": 150, "savefig.dpi": 300,
    "axes.linewidth": 0.6, "lines.linewidth": 1.2, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "axes.titlelocation": "left", "axes.formatter.limits": (-4, 5),
    "pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "neuroloop",
}  # fmt: skip


class Printed(Figure):
    """A figure whose text can be edited in the vector file, and whose file says nothing of when it was made."""

    def savefig(self, fname: Any, *args: Any, **kwargs: Any) -> None:
        """As matplotlib does."""
        undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
        ending = kwargs.get("format") or Path(str(fname)).suffix.removeprefix(".")
        metadata = undated.get(ending.lower())
        if metadata and "metadata" not in kwargs:
            kwargs["metadata"] = metadata
        with matplotlib.rc_context(STYLE):
            super().savefig(fname, *args, **kwargs)


@contextmanager
def drawn(width: Width, height: float, title: str = "") -> Iterator[Printed]:
    """A figure `height` inches high, as wide as one column or two; what is drawn within has our style."""
    if width not in WIDTHS:
        raise BadInput(f"width: {unknown('width', str(width), WIDTHS)}")
    with matplotlib.rc_context(STYLE):
        figure = Printed(figsize=(WIDTHS[width], height), layout="constrained")
        if title:
            figure.suptitle(title, x=0.01, ha="left")
        yield figure


def save(figure: Figure, path: Path) -> Path:
    """Write a figure, all of it or nothing; the ending says the format. Raises `BadInput`."""
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise BadInput(f"{path}: a figure ends in .{', .'.join(FORMATS)}")
    try:
        return write_figure(figure, path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from None


def legend_above(axes: Axes, columns: int) -> None:
    """A legend that covers no data."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.2,
    )


def name_panel(axes: Axes, name: str) -> None:
    """A name beside a panel that is one of many, upright and in short lines."""
    lines = [line for part in name.split("\n") for line in textwrap.wrap(part, LINE)]
    axes.set_ylabel("\n".join(lines), rotation=0, ha="right", va="center")


def thinned(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """A long line by the least and the greatest of equal stretches, so that no peak is lost; gaps (NaN) stay."""
    if y.size <= MOST_POINTS:
        return x, y
    size = -(-2 * y.size // MOST_POINTS)
    rows = np.pad(y, (0, -y.size % size), mode="edge").reshape(-1, size)
    gaps, first = np.isnan(rows), size * np.arange(len(rows))
    lows, highs = np.where(gaps, np.inf, rows).argmin(axis=1), np.where(gaps, -np.inf, rows).argmax(axis=1)
    ends = np.minimum(np.concatenate([first + lows, first + highs]), y.size - 1)
    kept = np.unique(np.concatenate([ends, np.flatnonzero(np.isnan(y)), [0, y.size - 1]]))
    return x[kept], y[kept]


def mark_begins(axes: Axes, begins: Any) -> None:
    """Thin lines where episodes begin, unless they were too many to see."""
    for at in begins if len(begins) <= MOST_BEGINS else ():
        axes.axvline(at, color=GREY, linewidth=0.5, linestyle=(0, (2, 2)), zorder=0)
