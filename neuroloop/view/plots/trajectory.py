"""Where the body was: named dimensions of the observation over time, or one against another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInput, unknown
from .dimensions import Dimension, dimensions_of
from .reading import window_of
from .style import BLUE, COLOURS, GREEN, VERMILLION, Printed, Width, drawn, mark_begins, name_panel, thinned

if TYPE_CHECKING:
    from .reading import Told

MOST = 8  # dimensions that are shown where none are named
TICKS = 10_000  # of a window whose end is not given


def plot_trajectory(
    observations: Told | ArrayLike, *names: str, against: bool = False, first: int = 0, last: int | None = None,
    title: str = "", width: Width = "two",
) -> Printed:  # fmt: skip
    """Dimensions of the observation.

    `observations`: a recording, its path, `Turns`, or an array of shape (control steps, dimensions). `names`: of dimensions,
    or their numbers; the default are the first eight. `against`: two of them against each other, an episode a line, with a
    dot where it begins and a cross where it ends. `first`, `last`: control steps; the default are 10 000. Raises `BadInput`.
    """
    table, known, x, begins, label = _table(observations, first, last)
    shown = _picked(names, known)
    if not x.size:
        raise BadInput("a trajectory needs observations, and there are none")
    if against and len(shown) != 2:
        raise BadInput(f"against: shows two dimensions against each other, got {len(shown)}")
    if against:
        return _against(table, [known[d] for d in shown], shown, begins, title, width)
    with drawn(width, 0.85 * len(shown) + 0.45, title) as figure:
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for n, (panel, d) in enumerate(zip(panels, shown, strict=True)):
            panel.plot(
                *thinned(_broken(x, begins), _broken(table[:, d], begins)),
                color=COLOURS[n % len(COLOURS)],
                linewidth=0.9,
            )
            mark_begins(panel, x[begins])
            name_panel(panel, known[d].label.replace(" (", "\n("))
        panels[-1].set_xlabel(label)
        panels[-1].set_xlim(x[0], x[-1] if x.size > 1 else x[0] + 1.0)
        figure.align_ylabels()
    return figure


def _against(
    table: NDArray[np.float64], named: Sequence[Dimension], shown: Sequence[int], begins: NDArray[Any], title: str,
    width: Width,
) -> Printed:  # fmt: skip
    with drawn(width, 2.8 if width == "one" else 4.2, title) as figure:
        axes = figure.add_subplot()
        episodes = np.split(table[:, shown], [n for n in begins if n])
        for n, episode in enumerate(episodes):
            axes.plot(*episode.T, color=BLUE, linewidth=0.8, alpha=max(0.35, 1.0 / len(episodes)))
            axes.plot(*episode[0], "o", color=GREEN, markersize=3.5, label=None if n else "episode begins")
            axes.plot(*episode[-1], "x", color=VERMILLION, markersize=4.0, label=None if n else "ends")
        axes.set(xlabel=named[0].label, ylabel=named[1].label)
        if named[0].unit and named[0].unit == named[1].unit == "m":
            axes.set_aspect("equal", adjustable="datalim")
        axes.legend(loc="best")
    return figure


def _broken(values: NDArray[np.float64], begins: NDArray[Any]) -> NDArray[np.float64]:
    """With a gap before every episode, so that no line leads from one to the next."""
    return np.insert(values, begins, np.nan)


def _table(
    observations: Any, first: int, last: int | None
) -> tuple[NDArray[np.float64], list[Dimension], NDArray[np.float64], NDArray[np.int64], str]:
    if isinstance(observations, np.ndarray | list | tuple):
        array = np.asarray(observations, np.float64)
        if array.ndim not in (1, 2):
            raise BadInput(f"observations: must be of shape (control steps, dimensions), got {list(array.shape)}")
        array = array.reshape(array.shape[0], -1)[first:last]
        at = np.arange(first, first + len(array), dtype=np.float64)
        return array, dimensions_of("", array.shape[1]), at, np.zeros(0, np.int64), "control step"
    turns = window_of(observations, first, first + TICKS if last is None else last, "observation")
    array, keys = turns.observed()
    return (
        array,
        dimensions_of(turns.env, array.shape[1], keys),
        turns.at,
        np.flatnonzero(turns.first),
        turns.time_label,
    )


def _picked(names: Sequence[str], known: Sequence[Dimension]) -> list[int]:
    if not names:
        return list(range(min(MOST, len(known))))
    places = {dimension.name: n for n, dimension in enumerate(known)} | {str(n): n for n in range(len(known))}
    for name in names:
        if name not in places:
            raise BadInput(f"names: {unknown('dimension', name, [dimension.name for dimension in known])}")
    return [places[name] for name in names]
