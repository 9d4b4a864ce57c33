"""Agents side by side: several seeds learn in one process, each as it would alone."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from . import arguments
from .agent import Agent, Env, read_config
from .errors import BadInput, DivergedError, NeuroloopError, PlantError
from .loop.in_vector import InVector, VectorEnv
from .loop.lockstep import Progress, paced
from .loop.side_by_side import AtOnce, Failures, in_turn
from .loop.single import Later, singles_of
from .network.engine import State

Callbacks = Callable[[list[Progress]], Any]


class VectorAgent(Sequence[Agent]):
    """Agents that learn side by side, each with its own weights: `vector[i]` is an agent like any other.

    Each drives its own environment, or with `env` one of those of a Gymnasium vector environment; then its own is only for
    what it does alone.
    """

    def __init__(self, agents: Iterable[Agent], env: VectorEnv | None = None) -> None:
        self._agents = tuple(agents)
        if not self._agents:
            raise BadInput("agents: needs at least one")
        for b, agent in enumerate(self._agents):
            if not isinstance(agent, Agent):
                raise BadInput(f"agents[{b}]: must be an Agent, got {agent!r}")
        if len({id(agent.env) for agent in self._agents}) < len(self._agents):
            raise BadInput("agents: two of them share an environment; give each its own")
        if env is not None and not isinstance(env, gymnasium.vector.VectorEnv):
            raise BadInput(f"env: must be a vector environment, got {env!r}")
        self._loops = [agent.loop for agent in self._agents]
        self._vector = None if env is None else InVector(env, self._loops)
        self._failures: Failures = {}

    def __len__(self) -> int:
        return len(self._agents)

    def __getitem__(self, index: Any) -> Any:
        return self._agents[index]

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents)

    @property
    def progress(self) -> list[Progress]:
        """What each agent's learning has done so far."""
        return [agent.progress for agent in self._agents]

    def learn(
        self,
        total_steps: int,
        *,
        episodes: int | None = None,
        stop_when_solved: bool = False,
        callback: Callbacks | None = None,
    ) -> list[Progress]:
        """Each agent learns on-line for `total_steps` more steps of its plant, as `Agent.learn` has it.

        An agent that is through rests while others go on; `callback(progress)` gets the progress of all. One whose
        environment or network fails stops there. Once the others are through, one error names all that failed: a
        `DivergedError` if all of them diverged, else a `PlantError`. Later calls raise it again at once and do nothing; a new
        `VectorAgent` of these agents, or of some, goes on, and what failed begins its episode anew. What fails in a step or
        a reset of a vector environment concerns all, and is raised as it is.
        """
        self._raise_failures()
        progress = self.progress
        arguments.optional_whole("episodes", episodes, 1)
        arguments.function("callback", callback)
        more = arguments.whole("total_steps", total_steps, 0)
        targets = [one.steps + more for one in progress]

        def going(b: int) -> bool:
            return b not in self._failures and not progress[b].reached(targets[b], episodes, stop_when_solved)

        go_on = paced(callback, progress)
        if self._vector is None:
            in_turn(self._loops, self._failures, going, go_on)
        else:
            AtOnce(self._loops, self._vector, self._failures).run(going, go_on)
        self._raise_failures()
        return progress

    def _raise_failures(self) -> None:
        if not self._failures:
            return
        lines, errors = [f"{len(self._failures)} of {len(self)} seeds failed"], list[Exception]()
        for b, (steps, error) in sorted(self._failures.items()):
            said = error if isinstance(error, NeuroloopError) else f"{type(error).__name__}: {error}"
            lines.append(f"seed {self._agents[b].seed}, after {steps} steps: {said}")
            errors.append(error)
        kind = DivergedError if all(isinstance(error, DivergedError) for error in errors) else PlantError
        raise kind("\n".join(lines)) from ExceptionGroup("seeds side by side", errors)

    def predict(
        self, observations: Sequence[Any], states: Sequence[State | None] | None = None
    ) -> tuple[list[Any], list[State]]:
        """The action of every agent for its observation, without learning or exploring; see `Agent.predict`."""
        for name, given in (("observations", observations), ("states", states)):
            if given is not None and len(given) != len(self):
                raise BadInput(f"{name}: needs one for each of {len(self)} agents, got {len(given)}")
        before = [None] * len(self) if states is None else states
        pairs = [agent.predict(*one) for agent, *one in zip(self._agents, observations, before, strict=True)]
        return [action for action, _ in pairs], [state for _, state in pairs]

    def evaluate(self, episodes: int = 20) -> NDArray[np.float64]:
        """Native returns of whole episodes without learning or exploring, shape (agents, episodes)."""
        return np.array([agent.evaluate(episodes) for agent in self._agents])

    def save(self, folder: str | Path) -> list[Path]:
        """Save every agent into a folder. `VectorAgent(map(Agent.load, paths))` goes on as if it had never stopped."""
        names = [f"{agent.name}-seed{agent.seed}.zip" for agent in self._agents]
        if len(set(names)) < len(names):
            raise BadInput("save: two agents have the same name and seed; save them one by one")
        return [agent.save(Path(folder) / name) for agent, name in zip(self._agents, names, strict=True)]

    def __enter__(self) -> VectorAgent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was made here; environments that were handed over stay open."""
        for agent in self._agents:
            agent.close()
            if isinstance(agent.env, Later):
                agent.env.close()


def load_agents(
    name: str | Path,
    env: VectorEnv | list[Env] | tuple[Env, ...] | str | None = None,
    seeds: Iterable[int] = range(8),
    overrides: Iterable[str] = (),
) -> VectorAgent:
    """A ready-made agent, or the one of a TOML file, once for each of `seeds`, to learn side by side.

    `env`: an id, a list with an environment for each seed, a Gymnasium vector environment, or None for the environment that
    the file names. See `load_agent` for the rest.
    """
    try:
        own = [operator.index(seed) for seed in seeds]
    except TypeError:
        raise BadInput(f"seeds: must be whole numbers, such as range(8), got {seeds!r}") from None
    envs: list[Env | None]
    match env:
        case None | str():
            envs = [None] * len(own)
        case gymnasium.vector.VectorEnv():
            envs = list(singles_of(env))
        case list() | tuple():
            envs = list(env)
        case _:
            raise BadInput(f"env: must be an id, a vector environment or a list of environments, got {env!r}")
    if len(envs) != len(own):
        raise BadInput(f"env: needs an environment for each of {len(own)} seeds, got {len(envs)}")
    agent_name, config = read_config(name, overrides, env if isinstance(env, str) else None)
    if config.plant.event_camera is not None and isinstance(env, gymnasium.vector.VectorEnv):
        raise BadInput("plant.event_camera: stands in front of single environments; hand over a list of them")
    agents = [Agent(config, one, seed, agent_name) for one, seed in zip(envs, own, strict=True)]
    return VectorAgent(agents, env if isinstance(env, gymnasium.vector.VectorEnv) else None)


__all__ = ["VectorAgent", "load_agents"]
