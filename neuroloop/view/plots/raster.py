"""Spike rasters: who fired when, a panel for each input and population."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInput, unknown
from .reading import window_of
from .style import BLACK, MOST_MARKS, Printed, Width, drawn, mark_begins, name_panel

if TYPE_CHECKING:
    from .reading import Told

Fired = Mapping[str, tuple[ArrayLike, ArrayLike]]  # by name: times in s, and who
TICKS = 50  # of a window whose end is not given
HEIGHT, LEAST, MOST = 0.011, 0.45, 1.6  # inches: of a neuron, and of its panel
TALLEST = 8.0  # inches of all panels


def plot_raster(
    spikes: Told | Fired, *, first: int = 0, last: int | None = None, only: list[str] | None = None,
    title: str = "", width: Width = "two",
) -> Printed:  # fmt: skip
    """Spikes over time.

    `spikes`: a recording, its path, `Turns`, or times (s) and neurons by name. Of a recording, control steps `first` to
    `last` (without it; the default is 50 of them), with a dashed line where an episode begins. Cells of a conjunctive
    encoder are numbered by when they first fire. `only`: names of inputs and populations. Raises `BadInput`.
    """  # fmt: skip
    if isinstance(spikes, Mapping):
        begins: NDArray[Any] = np.zeros(0)
        trains, label = {str(name): _checked(str(name), train) for name, train in spikes.items()}, "time (s)"
    else:
        turns = window_of(spikes, first, first + TICKS if last is None else last, "spikes")
        trains, begins, label = turns.trains(), turns.begins, turns.time_label
        trains = {name.replace(".part.", "."): trains[name] for name in sorted(trains, key=_inputs_first)}
    if only is not None:
        for name in only:
            if name not in trains:
                raise BadInput(f"only: {unknown('input or population', name, trains)}")
        trains = {name: trains[name] for name in only}
    if not any(ids.size for _, ids in trains.values()):
        raise BadInput("a raster needs spikes, and there are none")
    return _draw(trains, begins, label, title, width)


def _draw(
    trains: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], begins: NDArray[Any], label: str, title: str, width: Width
) -> Printed:
    ranks = {name: _ranks(ids) for name, (_, ids) in trains.items()}
    sizes = {name: int(rank.max(initial=0)) + 1 for name, (rank, _) in ranks.items()}
    heights = np.clip([HEIGHT * size for size in sizes.values()], LEAST, MOST)
    heights *= min(1.0, TALLEST / heights.sum())
    with drawn(width, float(heights.sum()) + 0.45, title) as figure:
        panels = figure.subplots(len(trains), 1, sharex=True, squeeze=False, height_ratios=heights.tolist())[:, 0]
        crowded = sum(ids.size for _, ids in trains.values()) > MOST_MARKS
        for panel, height, (name, (times, _)) in zip(panels, heights, trains.items(), strict=True):
            rank, ordered = ranks[name]
            mark = max(72.0 * height / sizes[name] * 0.9, 0.8)
            panel.plot(
                times, rank, "|", color=BLACK, markersize=mark, markeredgewidth=0.4, rasterized=crowded, label=name
            )
            mark_begins(panel, begins)
            panel.margins(x=0.01)
            panel.set_ylim(-0.5, sizes[name] - 0.5)
            who = f"{sizes[name]} cells as they appear" if ordered else "neuron"
            name_panel(panel, f"{name}\n{who}")
            panel.locator_params(axis="y", nbins=max(2, int(height / 0.25)), integer=True)
            if panel is not panels[-1]:
                panel.spines.bottom.set_visible(False)
                panel.tick_params(bottom=False)
        panels[-1].set_xlabel(label)
        figure.align_ylabels()
    return figure


def _inputs_first(name: str) -> tuple[bool, list[tuple[int, str]]]:
    """And `motor[2]` before `motor[10]`."""
    parts = re.split(r"(\d+)", name)
    return not name.startswith("encoder"), [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _ranks(ids: NDArray[Any]) -> tuple[NDArray[np.int64], bool]:
    """Rows of neurons: their numbers; or, where few of many fire, their order of appearance."""
    found, firsts, inverse = np.unique(ids, return_index=True, return_inverse=True)
    if found.size == 0 or found[-1] < 4 * found.size + 100:
        return ids.astype(np.int64), False
    order = np.empty(found.size, np.int64)
    order[np.argsort(firsts, kind="stable")] = np.arange(found.size)
    return order[inverse.reshape(-1)], True


def _checked(name: str, train: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        times, ids = (np.asarray(part) for part in train)
        fits = times.ndim == 1 and times.shape == ids.shape and (ids.dtype.kind in "iu" or not ids.size)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise BadInput(f"spikes[{name!r}]: must be two lists of one length, times in s and neurons as whole numbers")
    return times.astype(np.float64), ids.astype(np.int64)
