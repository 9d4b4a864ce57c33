"""Weights of an agent, of a checkpoint, or of what an agent began with, by projection; rows are where they come from."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...controller import SpikingController
from ...errors import BadInput
from ...settings import AgentConfig, SpikingConfig
from .runs import runs_of

WEIGHTS = re.compile(r"(?:projection|readout)\.(.+)\.weights")


class Table(NamedTuple):
    """Weights of a projection."""

    weights: NDArray[Any]  # (from, to)
    of_cells: bool = False  # rows are cells in the order in which they first fired


Weights = dict[str, Table]


def weights_of(source: Any) -> Weights:
    """Weights by the name of their projection. Raises `BadInput`."""
    if isinstance(source, Mapping):
        return {str(name): _table(str(name), array) for name, array in source.items()}
    if isinstance(source, Agent):
        return _of_agent(source)
    with _loaded(source) as agent:
        return _of_agent(agent)


def start_of(source: Any) -> Weights:
    """The weights that an agent began with, as its seed and settings make them; none of arrays."""
    if isinstance(source, Mapping):
        return {}
    if isinstance(source, Agent):
        return _of_agent(Agent(source.config, source.env, source.seed, source.name))
    with _loaded(source) as agent:
        return _of_agent(Agent(agent.config, agent.env, agent.seed, agent.name))


def merged(weights: Weights) -> Weights:
    """Parts of one projection, such as `torque[0]` to `torque[6]`, side by side where they come from the same rows."""
    groups: dict[str, list[str]] = {}
    for name in sorted(weights, key=_in_order):
        groups.setdefault(_stem(name), []).append(name)
    found: Weights = {}
    for stem, names in groups.items():
        parts = [weights[name] for name in names]
        if len({(len(part.weights), part.of_cells) for part in parts}) == 1:
            together = np.concatenate([part.weights for part in parts], axis=1)
            found[stem if len(parts) > 1 else names[0]] = Table(together, parts[0].of_cells)
        else:
            found |= dict(zip(names, parts, strict=True))
    return found


def _of_agent(agent: Agent) -> Weights:
    """As they are stored: what the few rows with live eligibility are owed is not in them."""
    controller = agent.controller
    if not isinstance(controller, SpikingController):
        return {}
    network, critic = controller.network, _of_critic(agent.config)
    found = {name: network.view(name) for name in network.names if WEIGHTS.fullmatch(name)}
    found |= {name: network.rows_of(name) for name in network.growing if WEIGHTS.fullmatch(name)}
    weights: Weights = {}
    for name, array in found.items():
        scale = (
            network.signal("value.scale") if _stem(_name(name)) in critic and "value.scale" in network.signals else 1.0
        )
        if array.ndim:
            rows = array if array.ndim == 2 else array.reshape(-1, 1)
            weights[_name(name)] = Table(rows * np.float32(scale), name in network.growing)
    return weights


def _of_critic(config: AgentConfig) -> list[str]:
    """Projections to the critic, whose weights are stored in units of the range of values."""
    if not isinstance(config, SpikingConfig):
        return []
    critic = getattr(config.learner, "critic", "")
    return [name for name, projection in config.projection.items() if projection.post == critic]


def _stem(name: str) -> str:
    return re.sub(r"\[\d+\]$", "", name)


def _name(name: str) -> str:
    match = WEIGHTS.fullmatch(name)
    return match[1] if match else name


def _in_order(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return (match[1], int(match[2])) if match else (name, -1)


def _loaded(source: str | Path) -> Agent:
    """The agent of a checkpoint; of a recording alone, as it was when that began."""
    run, *more = runs_of(source)
    if more:
        raise BadInput(f"{source}: holds {1 + len(more)} runs; name the folder of one, or its checkpoint")
    if run.checkpoint is not None:
        return Agent.load(run.checkpoint)
    from ...recording.reader import Recording

    assert run.recording is not None
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "start.zip"
        start.write_bytes(Recording(run.recording).start)
        return Agent.load(start)


def _table(name: str, array: Any) -> Table:
    table = np.asarray(array)
    if table.ndim not in (1, 2) or table.dtype.kind not in "fiu":
        raise BadInput(
            f"weights[{name!r}]: must be numbers of shape (from, to), got {table.dtype} of {list(table.shape)}"
        )
    return Table(table if table.ndim == 2 else table.reshape(-1, 1))
