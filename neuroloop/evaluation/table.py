"""The page of a suite: what was measured and how, a table to read at a glance, every figure, every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..settings import AgentConfig, RandomConfig, RewardConfig
from .figures import Figure, Suite, figures_table, head, runs_table, table_of
from .scores import ENOUGH, Group
from .suite import RANDOM_EPISODES, Plan, baseline_seeds

TUNED = (range(6_000), range(10_300, 10_320), range(11_000, 20_020), range(30_000, 33_000))  # seeds of tuning


def page(
    suite: Suite, groups: Sequence[Group], plan: Plan, about: str, command: str, date: str, picture: str | None
) -> str:
    """The page as Markdown."""
    lines = [
        *head(suite.name, command, date, about),
        _seeds(plan),
        "",
        *_glance(suite, groups),
        "",
        _habits(groups),
        "",
        _reading(plan),
        "",
    ]
    if picture:
        lines += [f"![Learning curves, every seed]({picture})", ""]
    lines += ["## Figures", "", *figures_table(suite.figures), "", "## Runs", "", *runs_table(suite.rows), ""]
    return "\n".join(lines)


def _seeds(plan: Plan) -> str:
    return which_seeds(plan.seeds, f" (baselines: {_span(baseline_seeds(plan))})" if plan.baseline_seeds else "")


def which_seeds(seeds: range, beside: str = "") -> str:
    """Which seeds were run, `beside` which others, and whether any of them was used for tuning."""
    which = _span(seeds).capitalize() + beside
    tuned = [seed for seed in seeds if any(seed in used for used in TUNED)]
    if not tuned:
        return f"{which}, none of them used for tuning."
    return f"{which}. **Not fresh**: {len(tuned)} of them were used for tuning, the first is {tuned[0]}."


def _span(seeds: range) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


def _glance(suite: Suite, groups: Sequence[Group]) -> list[str]:
    """One row for each agent on each task; a target that is missed is bold."""
    figures = {figure.name: figure for figure in suite.figures}
    heads = (
        "task", "agent", "criterion", "solved", "steps, median / worst", "before the last 100 episodes", "final mean",
        "held to 10 %", "CPU a step", "random policy",
    )  # fmt: skip

    def row(group: Group) -> list[str]:
        def cell(name: str, show: Any) -> str:
            return _cell(figures.get(group.prefix + name), show)

        n = len(group.rows)
        return [
            group.env.rpartition(":")[2],
            group.agent,
            f"{group.criterion:g}",
            cell("solved_fraction", lambda value: f"{round(value * n)} of {n}"),
            f"{cell('steps_median', _thousands)} / {cell('steps_worst', _thousands)}",
            cell("steps_before_window_median", _thousands),
            cell("final_mean", lambda value: f"{value:.4g}"),
            cell("held_within_10_percent", lambda value: f"{round(value * n)} of {n}"),
            cell("us_per_step", lambda value: f"{value:.0f} µs"),
            "–" if group.random is None else f"{group.random:.4g}",
        ]

    return table_of(heads, map(row, groups))


def _habits(groups: Sequence[Group]) -> str:
    """How each of our agents acts, and what it is paid if that is not the environment's reward."""
    said = dict.fromkeys(f"`{group.agent}` {_habit(group.config)}" for group in groups if group.config)
    return "; ".join([*said, "all are scored on native rewards."])


def _habit(config: AgentConfig) -> str:
    n = config.plant.action_repeat
    acts = "acts every environment step" if n == 1 else f"acts every {n} environment steps"
    if isinstance(config, RandomConfig) or config.reward == RewardConfig():
        return acts
    scale, end = (f"{number:g}".replace("-", "−") for number in (config.reward.scale, config.reward.on_termination))
    return f"{acts} and learns from rewards of its own (scale {scale}, {end} on termination)"


def _reading(plan: Plan) -> str:
    held = (
        f" Held: over the {plan.hold} episodes that follow, still learning, no mean of 100 falls below the criterion by"
        " more than 10 % of it; the final mean is the one after them."
        if plan.hold
        else " A run stops where it is solved; the final mean is the one there."
    )
    few = f"; with fewer than {ENOUGH} seeds none is judged" if len(plan.seeds) < ENOUGH else ""
    return (
        "Solved: the mean return of the last 100 training episodes reaches the criterion, exploration on, every environment"
        f" step counted.{held} Medians are over all seeds, and a seed that was not solved counts as infinite; a missed target"
        f" is bold{few}. Random policy: mean of {RANDOM_EPISODES} episodes. How to read the rest: docs/benchmarks.md."
    )


def _cell(figure: Figure | None, show: Any) -> str:
    if figure is None:
        return ""
    return _bold("–" if figure.value is None else show(figure.value), figure.met is False)


def _bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def _thousands(value: float) -> str:
    return f"{value / 1e3:.1f}k"
