"""How a run in real time kept its time: logarithmic counts of lateness, period, compute time and age."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInput
from ...loop.timing import Timing
from .reading import window_of
from .style import BLUE, VERMILLION, LogLocator, NullFormatter, Printed, Width, drawn, legend_above

if TYPE_CHECKING:
    from .reading import Told

PANELS = {
    "late": "late by", "period": "period", "compute": "computing", "age": "age of what was observed",
}  # fmt: skip
BINS = 60
NUMBERED = ((1.4, (1.0, 2.0, 5.0)), (2.8, (1.0, 3.0)), (np.inf, (1.0,)))  # at an axis of up to so many decades
NARROW = 0.01  # of a value: what varies less is shown so wide
MARKS = ((50.0, "-"), (99.0, "--"), (99.9, ":"))  # percentiles and their lines
LEAST_US = 0.1  # shorter ones stand here, since a logarithmic axis has no 0


def plot_timing(
    timing: Told | Timing | Mapping[str, ArrayLike], *, first: int = 0, last: int | None = None,
    title: str = "", width: Width = "two",
) -> Printed:  # fmt: skip
    """Histograms of all ticks with their median, 99 % and 99.9 %.

    `timing`: a recording of a run in real time, its path, `Turns`, the environment's `timing`, or ns by name: `late`,
    `period`, `compute`, `age`. `first`, `last`: control steps of a recording. Raises `BadInput`.
    """
    columns = {name: column for name, column in _columns(timing, first, last).items() if column.size}
    if not columns:
        raise BadInput("holds no timing: only a run in real time has one (run --realtime, serve --realtime)")
    rows = -(-len(columns) // 2)
    with drawn(width, 1.75 * rows + 0.3, title) as figure:
        panels = figure.subplots(rows, 2, squeeze=False, sharey=True).ravel()
        for panel, (name, column) in zip(panels, columns.items(), strict=False):
            _panel(panel, PANELS[name], column)
        for panel in panels[len(columns) :]:
            panel.set_axis_off()
        panels[0].set_ylim(bottom=0.5)
        for panel in panels[::2]:
            panel.set_ylabel("control steps")
    return figure


def _panel(panel: Any, what: str, column: NDArray[np.float64]) -> None:
    us = np.maximum(column / 1e3, LEAST_US)
    edges = _edges(us)
    panel.hist(us, edges, color=BLUE, alpha=0.85, log=True)
    for percentile, line in MARKS:
        at = float(np.percentile(us, percentile))
        panel.axvline(at, color=VERMILLION, linewidth=0.9, linestyle=line, label=f"{percentile:g} %: {_short(at)}")
    if _wide(us):
        panel.set_xscale("log")
        decades = np.log10(edges[-1] / edges[0])
        panel.xaxis.set_major_locator(LogLocator(subs=next(subs for most, subs in NUMBERED if decades < most)))
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_xlabel(f"{what} (µs)")
    legend_above(panel, len(MARKS))


def _edges(us: NDArray[np.float64]) -> NDArray[np.float64]:
    """Even in the logarithm, or, for what stays within a decade, evenly."""
    low, high = float(us.min()), float(us.max())
    if high - low < NARROW * high:
        low, high = (1.0 - NARROW) * low, (1.0 + NARROW) * high
    edges: NDArray[np.float64] = (np.geomspace if _wide(us) else np.linspace)(low, high * (1.0 + 1e-9), BINS + 1)
    return edges


def _wide(us: NDArray[np.float64]) -> bool:
    return float(us.max()) > 10.0 * float(us.min())


def _short(us: float) -> str:
    return f"{us:.0f}" if us >= 10.0 else f"{us:.2g}"


def _columns(timing: Any, first: int, last: int | None) -> dict[str, NDArray[np.float64]]:
    if isinstance(timing, Timing):
        return {name: timing.column(name).astype(np.float64) for name in PANELS}
    if isinstance(timing, Mapping):
        wrong = [name for name in timing if name not in PANELS]
        if wrong:
            raise BadInput(f"timing: holds {wrong[0]!r}; expected some of {', '.join(PANELS)}")
        given = {name: np.asarray(timing[name], np.float64).ravel() for name in PANELS if name in timing}
        return {name: column[np.isfinite(column)] for name, column in given.items()}
    return window_of(timing, first, last, "timing").timing()
