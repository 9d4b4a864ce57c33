"""`neuroloop eval`: the score of an agent or a checkpoint, without learning or exploring."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AgentName, Env, Json, Seed, Set, is_checkpoint, print_json

Episodes = Annotated[int, typer.Option("--episodes", min=1, help="Whole episodes to play.")]


def evaluate(
    agent: AgentName,
    env: Env = None,
    episodes: Episodes = 20,
    seed: Seed = None,
    settings: Set = None,
    json: Json = False,
) -> None:
    """Play whole episodes without learning or exploring. AGENT may also be a checkpoint."""
    from ..agent import Agent, load_agent
    from ..errors import BadInput

    if is_checkpoint(agent):
        if settings or seed is not None:
            raise BadInput("--set and --seed: a checkpoint keeps its own")
        if env:
            raise BadInput("--env: a checkpoint belongs to its environment")
        player = Agent.load(agent)
    else:
        player = load_agent(agent, env, seed or 0, settings or ())
    returns, criterion = player.evaluate(episodes), player.progress.criterion
    report = {
        "agent": player.name, "env": player.env_id, "seed": player.seed,
        "trained_steps": player.progress.steps, "episodes": episodes,
        "mean_return": float(returns.mean()), "sd_return": float(returns.std()), "min_return": float(returns.min()),
        "max_return": float(returns.max()), "criterion": criterion,
    }  # fmt: skip
    player.close()
    if json:
        print_json(report)
        return
    print(f"{report['agent']} on {report['env']}, {report['trained_steps']} steps of training, {episodes} episodes:")
    print(f"return {returns.mean():.1f} ± {returns.std():.1f} (min {returns.min():g}, max {returns.max():g})", end="")
    print("" if criterion is None else f", criterion {criterion:g}")
