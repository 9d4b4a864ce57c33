"""`neuroloop eval`: the score of an agent or a checkpoint, without learning or exploring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AgentName, Env, Json, Seed, Set, agent_of, check_counts, print_json
from .stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..agent import Agent
    from ..loop.playing import Played

Episodes = Annotated[int, typer.Option("--episodes", help="Whole episodes to play.")]
Longest = Annotated[
    int | None,
    typer.Option(
        "--longest",
        metavar="N",
        help="Give up on an episode after so many environment steps. Default: 100000, or the environment's own limit.",
    ),
]


def evaluate(
    agent: AgentName,
    env: Env = None,
    episodes: Episodes = 20,
    seed: Seed = None,
    settings: Set = None,
    longest: Longest = None,
    json: Json = False,
) -> None:
    """Play whole episodes without learning or exploring. AGENT may also be a checkpoint, and --env another environment of
    the same spaces for it. Ctrl-C ends it with the episodes so far."""
    check_counts(episodes=episodes, longest=longest)
    player = agent_of(agent, env, seed, settings)
    try:
        with stop_on_signals() as stop:
            returns = _play(player, episodes, longest, stop)
        report = _report(player, returns, bool(stop.signal))
    finally:
        player.close()
    if json:
        print_json(report)
    else:
        _print(report)
    if stop.signal:
        raise SystemExit(128 + stop.signal)


def _play(player: Agent, episodes: int, longest: int | None, stop: Stop) -> NDArray[np.float64]:
    """Returns of the episodes, with a live line; fewer of them if a signal came."""
    from ..view.live import EvaluationLine

    line = EvaluationLine(episodes, sys.stderr)

    def between(played: Played) -> bool:
        line.show(played)
        return not stop.signal

    try:
        return player.evaluate(episodes, longest=longest, callback=between)
    finally:
        line.close()


def _report(player: Agent, returns: NDArray[np.float64], interrupted: bool) -> dict[str, Any]:
    some = returns.size > 0
    return {
        "agent": player.name, "env": player.env_id, "seed": player.seed,
        "trained_steps": player.progress.steps, "episodes": returns.size,
        "mean_return": float(returns.mean()) if some else None, "sd_return": float(returns.std()) if some else None,
        "min_return": float(returns.min()) if some else None, "max_return": float(returns.max()) if some else None,
        "criterion": player.progress.criterion, "interrupted": interrupted,
    }  # fmt: skip


def _print(report: dict[str, Any]) -> None:
    if report["interrupted"]:
        print("stopped by you")
    steps, episodes, criterion = report["trained_steps"], report["episodes"], report["criterion"]
    print(f"{report['agent']} on {report['env']}, {steps} steps of training, {episodes} episodes:")
    if not episodes:
        print("no episode ended")
        return
    print(f"return {report['mean_return']:.1f} ± {report['sd_return']:.1f} ", end="")
    print(f"(min {report['min_return']:g}, max {report['max_return']:g})", end="")
    print("" if criterion is None else f", criterion {criterion:g}")
