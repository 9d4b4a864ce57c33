"""How a window is laid out: pictures, network, learning, and what the robot senses and does, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TITLES = {
    "picture": "rendered", "camera": "camera", "events": "events: ON orange, OFF blue", "raster": "spikes, newest on the right",
    "weights": "weights", "return": "return", "value": "value and TD error", "modulator": "neuromodulator",
    "others": "novelty, success, awake", "spikes": "spikes a control step", "timing": "timing, µs", "action": "action",
    "reward": "reward", "run": "run",
}  # fmt: skip
PICTURES = ("picture", "camera", "events")
LEARNING = ("return", "reward", "value", "modulator", "timing")
ROBOT_ROWS = 4  # plots of a column
ALONE = ("reward",)  # plots of one series that has the name of its plot
SECONDS = 20.0  # that plots of a live run show


def blueprint(paths: Sequence[str], *, live: bool) -> Any:
    """A layout of what there is: `paths` of what was logged, such as "raster" or "observation/joint angles, rad"."""
    import rerun.blueprint as rrb

    pictures = [path for path in paths if path in PICTURES or path.startswith("seen/")]
    network = [_picture(path) for path in ("raster", "weights") if path in paths]
    network += [_plot(path, live) for path in ("spikes",) if path in paths]
    learning = [_plot(path, live) for path in LEARNING if path in paths]
    robot = [_plot(path, live) for path in paths if path == "action" or path.startswith("observation/")]
    if len(robot) == 1:
        learning, robot = [*learning, *robot], []
    learning.append(rrb.TextDocumentView(origin="run", name=TITLES["run"]))
    columns = [
        _column([_picture(path) for path in pictures]),
        _column(network, [3.0, 3.0, 1.5][: len(network)]),
        _column(learning), _grid(robot),
    ]  # fmt: skip
    shares = [3.0, 3.5, 3.0, 5.0 if len(robot) > ROBOT_ROWS else 3.0]
    used = [(column, share) for column, share in zip(columns, shares, strict=True) if column is not None]
    return rrb.Blueprint(
        rrb.Horizontal(*[column for column, _ in used], column_shares=[share for _, share in used]),
        rrb.BlueprintPanel(state="hidden"), rrb.SelectionPanel(state="hidden"),
        rrb.TimePanel(state="collapsed", timeline="time" if live else "tick", play_state="following"),
        auto_views=False, auto_layout=False,
    )  # fmt: skip


def _column(views: list[Any], shares: list[float] | None = None) -> Any:
    import rerun.blueprint as rrb

    return rrb.Vertical(*views, row_shares=shares) if views else None


def _grid(views: list[Any]) -> Any:
    """One column, or two where there are many."""
    import rerun.blueprint as rrb

    return rrb.Grid(*views, grid_columns=2) if len(views) > ROBOT_ROWS else _column(views)


def title_of(path: str) -> str:
    """What a view is called."""
    return TITLES.get(path, path.partition("/")[2] or path)


def _picture(path: str) -> Any:
    import rerun.blueprint as rrb

    return rrb.Spatial2DView(origin=path, name=title_of(path), background=[24, 24, 28])


def _plot(path: str, live: bool) -> Any:
    import rerun as rr
    import rerun.blueprint as rrb

    start, end = rr.TimeRangeBoundary.cursor_relative(seconds=-SECONDS), rr.TimeRangeBoundary.cursor_relative()
    latest = [rrb.VisibleTimeRange("time", start=start, end=end)] if live else None
    corner = rrb.PlotLegend(rrb.Corner2D.LeftTop, visible=path not in ALONE)
    return rrb.TimeSeriesView(origin=path, name=title_of(path), time_ranges=latest, plot_legend=corner)
