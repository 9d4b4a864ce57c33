"""What learning did to weights: how they are distributed, before and after, and which ones changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInput
from .learned import Table, merged, start_of, weights_of
from .style import DIVERGING, GREY, VERMILLION, Printed, Width, drawn

if TYPE_CHECKING:
    from ...agent import Agent

Weights = Mapping[str, ArrayLike]
BINS = 60
SHOWN = 99.5  # percentile of changes at which the colours end
HEIGHT = 1.7  # inches of a projection
MOST_COLUMNS = 1200  # of a map, each of so many neighbours' mean


def plot_weights(
    after: str | Path | Agent | Weights, before: str | Path | Agent | Weights | None = None, *,
    title: str = "", width: Width = "two",
) -> Printed:  # fmt: skip
    """A histogram and a map for each projection.

    `after` and `before`: checkpoints, folders of runs, agents, or arrays (from, to) by name. Without `before`, a checkpoint
    is compared with the weights that the agent began with. Cells get their weights when they first fire: of a projection
    that had none before, the map shows weights instead of changes. Raises `BadInput` where there are none, or they do not
    fit.
    """  # fmt: skip
    now = merged(weights_of(after))
    then = merged(start_of(after) if before is None else weights_of(before))
    now = {name: table for name, table in now.items() if table.weights.size}
    if not now:
        raise BadInput("holds no weights: the agent has no projections, or learned nothing yet")
    with drawn(width, HEIGHT * len(now) + 0.2, title) as figure:
        grid = figure.subplots(len(now), 2, squeeze=False, width_ratios=(1.0, 1.6))
        for (histogram, chart), (name, table) in zip(grid, now.items(), strict=True):
            start = _fitting(name, table.weights, then.get(name))
            _histogram(histogram, name, table.weights, start)
            _map(figure, chart, table, start)
    return figure


def change_of(weights: NDArray[Any], start: NDArray[Any]) -> NDArray[np.float64]:
    """What was added to weights that were there before."""
    change: NDArray[np.float64] = weights[: len(start)].astype(np.float64) - start
    return change


def _fitting(name: str, weights: NDArray[Any], then: Table | None) -> NDArray[Any] | None:
    """The weights before, of which there may be fewer rows; None where there are none."""
    if then is None or not then.weights.size:
        return None
    start = then.weights
    if start.shape[1] != weights.shape[1] or len(start) > len(weights):
        raise BadInput(
            f"before: {name!r} has weights of shape {list(start.shape)}, which cannot have become {list(weights.shape)}; "
            "compare an earlier with a later checkpoint of one agent"
        )
    return start


def _histogram(axes: Any, name: str, weights: NDArray[Any], start: NDArray[Any] | None) -> None:
    both = weights if start is None else np.concatenate([weights.ravel(), start.ravel()])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    if start is not None:
        axes.hist(start.ravel(), edges, color=GREY, alpha=0.6, label="before")
    axes.hist(weights.ravel(), edges, histtype="step", color=VERMILLION, label="after")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.5)
    axes.set(title=name, xlabel="weight", ylabel="synapses")
    if start is not None:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)


def _map(figure: Any, axes: Any, table: Table, start: NDArray[Any] | None) -> None:
    shown = table.weights.astype(np.float64) if start is None else change_of(table.weights, start)
    most = float(np.percentile(np.abs(shown), SHOWN)) or float(np.abs(shown).max()) or 1.0
    thin = -(-len(shown) // MOST_COLUMNS)
    image = axes.imshow(
        _means(shown, thin).T, aspect="auto", cmap=DIVERGING, vmin=-most, vmax=most, interpolation="nearest", origin="lower",
        extent=(-0.5, len(shown) - 0.5, -0.5, shown.shape[1] - 0.5),
    )  # fmt: skip
    axes.set(xlabel="from cell, in the order of first firing" if table.of_cells else "from neuron", ylabel="to neuron")
    figure.colorbar(image, ax=axes, label="weight" if start is None else "change of weight", extend="both")


def _means(rows: NDArray[np.float64], thin: int) -> NDArray[np.float64]:
    """Means of `thin` rows each."""
    if thin == 1:
        return rows
    starts = np.arange(0, len(rows), thin)
    counts = np.diff(np.append(starts, len(rows)))
    means: NDArray[np.float64] = np.add.reduceat(rows, starts, axis=0) / counts[:, None]
    return means
