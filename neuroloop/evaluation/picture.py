"""The learning curves of a suite: one panel a task, every seed a thin line, the interquartile mean over seeds bold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingExtra
from .curves import on_axis
from .scores import Group
from .statistics import iqm

OURS = ("#1f5fa8", "#2a9d8f", "#7a5ea8", "#5c6b73")
BASELINES = ("#d9772b", "#c0504d", "#b8860b", "#a0527f")
POINTS = 400  # of an axis
COLUMNS = {1: 1, 2: 2, 4: 2}  # by the number of tasks; else 3


def draw(groups: Sequence[Group], path: Path) -> Path:
    """Draw all groups, a panel for each task. Raises `MissingExtra` without matplotlib."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ModuleNotFoundError:
        raise MissingExtra("learning curves as a picture", "plot") from None

    tasks, colours = list(dict.fromkeys(group.task for group in groups)), _colours(groups)
    n_columns = COLUMNS.get(len(tasks), 3)
    n_rows = -(-len(tasks) // n_columns)
    figure = Figure(figsize=(4.2 * n_columns + 0.4, 3.0 * n_rows + 0.5), dpi=150, layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for panel, task in zip(panels, tasks, strict=False):
        _panel(panel, [group for group in groups if group.task == task], colours)
    for panel in panels[len(tasks) :]:
        panel.set_axis_off()
    figure.supxlabel("environment steps, thousands", fontsize=9)
    figure.supylabel("mean return of the last 100 training episodes", fontsize=9)
    handles = [Line2D([], [], color=colour, linewidth=2.2, label=agent) for agent, colour in colours.items()]
    handles += [
        Line2D([], [], color="#444444", linewidth=1.0, linestyle=(0, (4, 3)), label="criterion"),
        Line2D([], [], color="#999999", linewidth=1.0, linestyle=":", label="random policy"),
        Line2D([], [], color="#444444", marker="|", linestyle="", markersize=7, label="a seed was solved"),
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(handles), 3 * n_columns - 1),
        frameon=False,
        fontsize=8.5,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path


def _panel(panel: Any, groups: Sequence[Group], colours: dict[str, str]) -> None:
    """One task: the main agent is drawn last, on top."""
    axis = np.linspace(0.0, _last_step(groups), POINTS)
    seen = []
    for group in sorted(groups, key=lambda group: (group.main, not group.baseline)):
        colour, rows = colours[group.agent], [row for row in group.rows if row["curve"][0]]
        if not rows:
            continue
        curves = on_axis([row["curve"] for row in rows], axis)
        ended = axis > np.array([row["curve"][0][-1] for row in rows])[:, None]
        alone = np.where(ended, np.nan, curves)
        panel.plot(axis / 1e3, alone.T, color=colour, linewidth=0.7, alpha=0.35 if len(rows) > 3 else 0.5)
        full = ~np.isnan(curves).any(axis=0)
        middle = iqm(curves[:, full].T)
        panel.plot(axis[full] / 1e3, middle, color=colour, linewidth=2.2, solid_capstyle="round")
        solved = np.array([row["solved_at_step"] for row in group.solved]) / 1e3
        height = np.full(solved.shape, group.criterion)
        panel.plot(solved, height, "|", color=colour, markersize=9, markeredgewidth=1.1, zorder=4, clip_on=True)
        seen.append(middle)
    first = groups[0]
    panel.axhline(first.criterion, color="#444444", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    marks = [first.criterion]
    if first.random is not None:
        panel.axhline(first.random, color="#999999", linewidth=1.0, linestyle=":", zorder=1)
        marks.append(first.random)
    values = np.concatenate([*seen, marks])
    low, high = values.min(), values.max()
    pad = 0.07 * (high - low or 1.0)
    panel.set(xlim=(0.0, axis[-1] / 1e3), ylim=(low - pad, high + pad))
    panel.set_title(first.env.rpartition(":")[2], fontsize=10, loc="left")
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _last_step(groups: Sequence[Group]) -> float:
    """Where the panel ends: beyond the last solution of ours, and the median one of a baseline."""
    ends = [0.0]
    for group in groups:
        at = [row["solved_at_step"] or row["steps"] for row in group.rows] or [0]
        ends.append(float(np.median(at) if group.baseline else max(at)))
    return max(1.0, max(ends) * 1.2)


def _colours(groups: Sequence[Group]) -> dict[str, str]:
    """A colour for every agent; agents of one task each share one."""
    main = dict.fromkeys(group.agent for group in groups if group.main)
    beside = dict.fromkeys(group.agent for group in groups if not group.main and not group.baseline)
    baselines = dict.fromkeys(group.agent for group in groups if group.baseline)
    ours = dict.fromkeys([*main, *beside])
    return {agent: OURS[min(n, len(OURS) - 1)] for n, agent in enumerate(ours)} | {
        agent: BASELINES[n % len(BASELINES)] for n, agent in enumerate(baselines)
    }
