"""The cost of a control step against activity, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import MissingExtra
from .written import write_figure


def draw_activity(cost: Mapping[float, float], path: Path) -> Path:
    """Draw CPU µs of a control step by the share of neurons that fire in it. Raises `MissingExtra` without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtra("the cost against activity as a picture", "plot") from None
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    shares = [100.0 * share for share in cost]
    axes.plot(shares, list(cost.values()), "o-", color="#1f4e79")
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_yscale("log")
    axes.set_xticks(shares, [f"{share:g}" for share in shares])
    axes.set_xlabel("neurons that fire in a control step, on both sides, %")
    axes.set_ylabel("CPU of a control step, µs")
    axes.set_title("1000 → 1000 neurons, all-to-all, rewarded STDP, 20 steps of 1 ms", fontsize=10)
    axes.grid(alpha=0.3)
    return write_figure(figure, path, dpi=120)
