"""Options that several verbs share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..agent import Agent

AgentName = Annotated[
    str, typer.Argument(metavar="AGENT", help="A ready-made agent (`neuroloop agents`) or a TOML file.")
]
Env = Annotated[str | None, typer.Option("--env", metavar="ID", help="Any Gymnasium id, or module:id.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Everything random follows from it. Default: 0.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as in learner.gamma=0.98. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, everything else on stderr.")]


def print_json(report: dict[str, Any]) -> None:
    """One line; never NaN."""
    print(json.dumps(report, allow_nan=False))


def is_checkpoint(name: str) -> bool:
    """Whether an agent is given as a checkpoint file."""
    return name.endswith(".zip") or (Path(name).is_file() and not name.endswith(".toml"))


def check_counts(**options: int | None) -> None:
    """Raise `BadInput` for an option that counts something and is below 1, as the Python interface does."""
    from ..arguments import optional_whole

    for name, value in options.items():
        optional_whole(f"--{name}", value, 1)


def agent_of(agent: str, env: str | None, seed: int | None, settings: list[str] | None) -> Agent:
    """The agent from scratch, or as its checkpoint left it, which keeps its own settings and seed."""
    from ..agent import Agent, load_agent
    from ..errors import BadInput

    if not is_checkpoint(agent):
        return load_agent(agent, env, seed or 0, settings or ())
    if settings or seed is not None:
        raise BadInput("--set and --seed: a checkpoint keeps its own")
    return Agent.load(agent, env)
