"""Figures of the runs of a study. A seed that was not solved, or failed, counts: its steps are infinite, it never held, and
one that left nothing has the return of the random policy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..settings import AgentConfig
from .figures import Figure
from .statistics import iqm, stratified_bootstrap, wilson
from .task import Target

Row = dict[str, Any]
ENOUGH = 5  # seeds, from which on targets are judged


class Group(NamedTuple):
    """The runs of an agent on a task."""

    task: str
    agent: str
    env: str
    criterion: float
    limit: int
    hold: int
    rows: list[Row]  # by seed
    random: float | None  # mean return of a random policy
    main: bool  # the task's first agent: targets are for it, and its figures have no prefix
    baseline: bool = False
    target: Target = Target()
    config: AgentConfig | None = None  # of ours

    @property
    def prefix(self) -> str:
        return f"{self.task}_" if self.main else f"{self.agent}.{self.task}_"

    @property
    def lost(self) -> bool:
        """Whether every run failed."""
        return all(row["error"] is not None for row in self.rows)

    @property
    def solved(self) -> list[Row]:
        return [row for row in self.rows if row["solved_at_step"] is not None and row["error"] is None]

    def steps(self, key: str = "solved_at_step") -> list[float]:
        """Environment steps of every seed, infinite where it was not solved."""
        return [float(row[key]) for row in self.solved] + [math.inf] * (len(self.rows) - len(self.solved))

    def returns(self, key: str) -> list[float]:
        """A return of every seed; of a seed that failed, the random policy's."""
        values = [row[key] if row["error"] is None else self.random for row in self.rows]
        return [float(value) for value in values if value is not None]

    def held(self, bound: float) -> int:
        """Seeds whose mean of 100 never fell below `bound` over the episodes after they were solved."""
        return sum(row["held_worst"] is not None and row["held_worst"] >= bound for row in self.solved)

    def scores(self, key: str) -> list[float]:
        """Returns on the scale on which the random policy has 0 and the criterion is 1."""
        if self.random is None or self.random == self.criterion:
            return []
        return [(value - self.random) / (self.criterion - self.random) for value in self.returns(key)]


def figures_of(group: Group) -> list[Figure]:
    """The figures of an agent on a task."""
    p, target, n = group.prefix, group.target if group.main else Target(), len(group.rows)
    costs = [row for row in group.rows if row["steps"]]
    spikes = [row["spikes_per_step"] for row in costs if row["spikes_per_step"] is not None]
    figures = [
        fraction(f"{p}solved_fraction", len(group.solved), n, target.solved),
        spread(f"{p}steps_median", "steps", group.steps(), target.median),
        spread(f"{p}steps_worst", "steps", group.steps(), target.worst, value=max),
        spread(f"{p}steps_before_window_median", "steps", group.steps("steps_before_window"), target.before_window),
        spread(f"{p}final_mean", "return", group.returns("final_mean"), target.final if group.hold else None, "high"),
        spread(f"{p}auc", "return", group.returns("auc"), None, "high"),
    ]
    if group.hold:
        near = group.criterion - 0.1 * abs(group.criterion)
        figures += [
            fraction(f"{p}held_within_10_percent", group.held(near), n, target.held),
            fraction(f"{p}stability_fraction", group.held(group.criterion), n, None),
        ]
    figures.append(spread(f"{p}us_per_step", "µs CPU", [row["us_per_step"] for row in costs], target.us_per_step))
    if spikes:
        figures.append(spread(f"{p}spikes_per_step", "spikes", spikes))
    if group.main and group.random is not None:
        figures.append(Figure(f"{p}random_mean", group.random, "return", 100))
    return figures


def aggregates(groups: Sequence[Group]) -> list[Figure]:
    """Every agent that did several tasks, over all of them together; seeds are resampled task by task."""
    figures = []
    for agent in dict.fromkeys(group.agent for group in groups):
        own = [group for group in groups if group.agent == agent]
        if len(own) < 2:
            continue
        p = "all_tasks_" if any(group.main for group in own) else f"{agent}.all_tasks_"
        for name in ("final_mean", "auc"):
            strata = [scores for group in own if (scores := group.scores(name))]
            if strata:
                figures.append(over_strata(f"{p}{name.removesuffix('_mean')}_score_iqm", strata))
        n = sum(len(group.rows) for group in own)
        figures.append(fraction(f"{p}solved_fraction", sum(len(group.solved) for group in own), n, None))
    return figures


def comparisons(groups: Sequence[Group], target: int | None) -> list[Figure]:
    """Environment steps of every baseline over ours, and on how many tasks ours are fewer than every baseline's."""
    figures, fewer, tasks, few = [], 0, 0, False
    for main in (group for group in groups if group.main):
        ours = statistics.median(main.steps())
        theirs = {group.agent: group for group in groups if group.baseline and group.task == main.task}
        for agent, group in theirs.items():
            median = statistics.median(group.steps())
            lacking = math.isinf(median)  # then the ratio is at least what the limit makes of it
            ratio = None if math.isinf(ours) else (group.limit if lacking else median) / ours
            unit = "× at least" if lacking else "×"
            figures.append(Figure(f"{main.prefix}steps_vs_{agent}", ratio, unit, len(group.rows), better="high"))
        tasks += bool(theirs)
        few = few or (bool(theirs) and len(main.rows) < ENOUGH)
        fewer += bool(theirs) and all(ours < statistics.median(group.steps()) for group in theirs.values())
    if tasks:
        name = "tasks_with_fewer_steps_than_baselines"
        figures.append(Figure(name, float(fewer), "tasks", tasks, target, "high", too_few=few))
    return figures


def spread(
    name: str,
    unit: str,
    values: Sequence[float],
    target: float | None = None,
    better: Any = "low",
    value: Any = statistics.median,
) -> Figure:
    """A figure over seeds, with IQM and interval if there are several; what is infinite is None."""
    few = len(values) < ENOUGH
    if len(values) < 2:
        return Figure(name, _finite(values[0]) if values else None, unit, len(values), target, better, too_few=few)
    interval = stratified_bootstrap([values]) or (None, None)
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite, default=None), max(finite, default=None)
    shown, middle, least, greatest = map(_finite, (value(values), float(iqm(values)), *interval))
    return Figure(name, shown, unit, len(values), target, better, low, high, middle, least, greatest, few)


def fraction(name: str, successes: int, n: int, target: float | None) -> Figure:
    """A figure that counts seeds, with Wilson's interval if there are several."""
    low, high = wilson(successes, n) if n > 1 else (None, None)
    figure = Figure(name, successes / n, "", n, target, "high", too_few=n < ENOUGH)
    return figure._replace(interval_low=low, interval_high=high)


def over_strata(name: str, strata: Sequence[Sequence[float]]) -> Figure:
    """The IQM over all runs of several tasks."""
    values = np.concatenate(strata)
    middle, interval = float(iqm(values)), stratified_bootstrap(strata) or (None, None)
    return Figure(
        name, middle, "", values.size, None, "high", float(values.min()), float(values.max()), middle, *interval
    )


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
