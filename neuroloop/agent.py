"""What users hold: an agent that learns, predicts, and is saved and loaded."""

from __future__ import annotations

import contextlib
import functools
import os
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from . import arguments, checkpoint, config
from .checkpoint import Checkpoint, require, require_count
from .controller import Controller, make_controller
from .errors import BadInput, CheckpointError, ConfigError, UnsupportedSpace, unknown
from .loop.lockstep import Callback, Lockstep, Progress
from .loop.plant import Plant, id_of, make_env
from .loop.playing import Watching, play
from .loop.sink import Sink
from .network.engine import State
from .packed import Packed, progress_of
from .settings import AgentConfig

SEEN = "seen/"  # before the names of the arrays that an unfinished episode showed last
EVALUATION = 1 << 32  # episodes from here on are kept apart from those of training
Env = gymnasium.Env[Any, Any]


class Agent:
    """A controller in its loop with a plant.

    `env` is a Gymnasium environment; without it, the one that the configuration names is made. Raises `BadInput` for what
    does not exist or does not fit.
    """

    def __init__(self, config: AgentConfig, env: Env | None = None, seed: int = 0, name: str = "agent") -> None:
        if not isinstance(config, AgentConfig):
            raise BadInput(f"Agent: needs a configuration, got {config!r}; load_agent takes names and files")
        if not isinstance(env, gymnasium.Env | gymnasium.vector.VectorEnv | None):
            raise BadInput(f"env: must be a Gymnasium environment, got {env!r}")
        self.config, self.seed, self.name = config, arguments.seed("seed", seed), name
        self._plant = Plant(config.plant, env, self.seed)
        spaces = self._plant.env.observation_space, self._plant.env.action_space
        self._controller: Controller = make_controller(config, *spaces, self.seed)
        self._loop = Lockstep(self._plant, self._controller, Progress(self._plant.criterion))
        self.run_options: dict[str, Any] = {}  # of the command that a checkpoint goes on with; plain JSON
        self._packed = Packed(self._plant.env.action_space)

    @functools.cached_property
    def _toml(self) -> str:
        return config.to_toml(self.config)

    @property
    def env_id(self) -> str:
        """The id of the environment."""
        return self._plant.env_id

    @property
    def env(self) -> Env:
        """The environment."""
        return self._plant.env

    @property
    def controller(self) -> Controller:
        """Encoder, network, learner and decoder."""
        return self._controller

    @property
    def loop(self) -> Lockstep:
        """The ring that controller and environment turn in."""
        return self._loop

    @property
    def progress(self) -> Progress:
        """What learning has done so far."""
        return self._loop.progress

    def learn(
        self,
        total_steps: int,
        *,
        episodes: int | None = None,
        stop_when_solved: bool = False,
        callback: Callback | None = None,
    ) -> Progress:
        """Control the plant and learn on-line for `total_steps` more environment steps.

        Stops earlier once `episodes` episodes ended in all, with `stop_when_solved` once the mean of 100 returns reaches
        the criterion, or when `callback(progress)`, called about ten times a second, returns False. A later call goes on
        where this one stopped, mid-episode too.
        """
        arguments.optional_whole("episodes", episodes, 1)
        arguments.function("callback", callback)
        target = self.progress.steps + arguments.whole("total_steps", total_steps, 0)
        self._loop.run(target, episodes=episodes, stop_when_solved=stop_when_solved, callback=callback)
        return self.progress

    @contextlib.contextmanager
    def observed(self, by: Callable[[Controller], Controller]) -> Iterator[None]:
        """For a while, `by(controller)` stands between loop and controller: it may look, and must pass everything on."""
        self._loop.controller = by(self._controller)
        try:
            yield
        finally:
            self._loop.controller = self._controller

    @contextlib.contextmanager
    def watched(self, by: Sink) -> Iterator[None]:
        """For a while, `by` is told of every turn of the ring."""
        self._loop.sinks.append(by)
        try:
            yield
        finally:
            self._loop.sinks.remove(by)

    def predict(self, observation: Any, state: State | None = None) -> tuple[Any, State]:
        """The action for `observation`, without learning or exploring.

        `state` is what the call before returned, or None where an episode begins. Training is not disturbed.
        """
        return self._controller.predict(observation, state)

    def evaluate(
        self,
        episodes: int = 20,
        *,
        seed: int | None = None,
        longest: int | None = None,
        callback: Watching | None = None,
    ) -> NDArray[np.float64]:
        """Native returns of whole episodes without learning or exploring, shape (episodes,).

        The environment is reset with `seed`, `seed + 1`, …, one an episode, so that several agents can be compared on the
        same episodes; without it, with seeds made from the agent's. An episode of more than `longest` environment steps is a
        `PlantError`; the default is 100 000, or the environment's own limit if that is larger. The rest is left out once
        `callback(played)`, called about ten times a second, returns False. Ends an unfinished episode of training only in
        the plant: training brings it back.
        """
        n, first = arguments.whole("episodes", episodes, 1), None if seed is None else arguments.seed("seed", seed)
        limit = arguments.optional_whole("longest", longest, 1)
        arguments.function("callback", callback)
        own = map(self._plant.seed_of, range(EVALUATION, EVALUATION + n))
        try:
            return play(
                self._plant, self._controller, own if first is None else range(first, first + n), limit, callback
            )
        finally:
            self._loop.leave()

    def save(self, path: str | Path) -> Path:
        """Save everything, so that loading and going on equals never having stopped, bit for bit."""
        target = arguments.checkpoint_path("path", path)
        checkpoint.write(target, self.snapshot())
        return target

    def snapshot(self) -> Checkpoint:
        """All that a checkpoint holds; arrays may be those that learning goes on with."""
        progress, seen = self.progress, self._loop.seen()
        facts = {
            **checkpoint.facts_of_spaces(self.env),
            "agent": self.name, "env": self.env_id, "seed": self.seed, "versions": checkpoint.facts_of_versions(),
            "steps": progress.steps, "ticks": progress.ticks, "solved_at_step": progress.solved_at_step,
            "reward": progress.reward, "episode_return": progress.episode_return, "episode_steps": progress.episode_steps,
            "episodes": progress.episode, "run": dict(self.run_options),
        }  # fmt: skip
        arrays = {f"controller/{name}": array for name, array in self._controller.views().items()}
        arrays |= {"returns": np.array(progress.returns, np.float64), "lengths": np.array(progress.lengths, np.int64)}
        if progress.actions:  # one will do to say that an episode runs, where they bring nothing back
            arrays["actions"] = self._packed.of(progress.actions[-1:] if self._plant.goes_on else progress.actions)
        arrays |= {f"{SEEN}{k}": array for k, array in enumerate(seen or ())}
        return Checkpoint(self._toml, facts, arrays)

    @classmethod
    def load(cls, path: str | Path, env: Env | str | None = None) -> Agent:
        """The agent of a checkpoint. `env` is needed if the agent was trained on an environment that it did not make.

        With another environment of the same spaces, or its id, the agent keeps what it learned and begins an episode there;
        returns and lengths are counted anew, and a warning says so. Raises `CheckpointError` for a file that is none, is
        damaged, or belongs to another kind of agent or plant.
        """
        saved = checkpoint.read(Path(path))
        agent_config = _config_in(saved.toml, path)
        try:
            env_id = require(saved.facts, "env", str)
            if env is None and not agent_config.plant.env:
                raise CheckpointError(
                    f"was trained on an environment handed over, {env_id}; hand it over again as `env`"
                )
            made = isinstance(env, str)
            if isinstance(env, str):
                agent_config = config.moved(agent_config, env)
                env = make_env(agent_config.plant)
            if isinstance(env, gymnasium.Env) and not _same(id_of(env), env_id):
                checkpoint.check_spaces(saved.facts, id_of(env), env)
            agent = cls(agent_config, env, require_count(saved.facts, "seed"), require(saved.facts, "agent", str))
            agent._plant.owned |= made
            moved = not _same(agent.env_id, env_id)
            if moved and env is None:
                raise CheckpointError(f"was trained on {env_id}, not on {agent.env_id}; hand it over as `env`")
            _compare_versions(path, require(saved.facts, "versions", dict))
            agent._restore(saved)
            if moved:
                agent._settle()
                warnings.warn(
                    f"{path}: was trained on {env_id}, goes on on {agent.env_id}, whose spaces are the same: a new episode "
                    "begins, and returns are counted anew",
                    stacklevel=2,
                )
        except (CheckpointError, UnsupportedSpace, ConfigError) as error:
            raise CheckpointError(f"{path}: {error}") from None
        return agent

    def _restore(self, saved: Checkpoint) -> None:
        facts, arrays = saved.facts, saved.arrays
        self._controller.restore({name.removeprefix("controller/"): array for name, array in arrays.items()})
        progress = progress_of(saved, self._plant.criterion)
        progress.actions = self._packed.actions(arrays.get("actions"))
        self.run_options = facts["run"] if isinstance(facts.get("run"), dict) else {}
        self._loop = Lockstep(self._plant, self._controller, progress)
        self._loop.go_on_from([arrays[name] for k in range(len(arrays)) if (name := f"{SEEN}{k}") in arrays] or None)

    def _settle(self) -> None:
        """On another environment: episodes of the one before do not count, and none can be brought back."""
        progress = self.progress
        progress.returns, progress.lengths, progress.solved_at_step = [], [], None
        self._loop.abandon()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the environment if the agent made it."""
        self._plant.close()


def _same(env_id: str, other: str) -> bool:
    """Whether two ids name one environment, with or without the module that registers it."""
    return env_id.rpartition(":")[2] == other.rpartition(":")[2]


def _compare_versions(path: str | Path, then: dict[str, str]) -> None:
    now = checkpoint.facts_of_versions()
    other = [f"{name} {then.get(name)} (now {version})" for name, version in now.items() if then.get(name) != version]
    if other:
        warnings.warn(f"{path}: written with {', '.join(other)}: going on may differ in the last bits", stacklevel=3)


def _config_in(toml: str, path: str | Path) -> AgentConfig:
    try:
        return config.from_dict(tomllib.loads(toml))
    except (ValueError, RecursionError, ConfigError) as error:
        raise CheckpointError(f"{path}: {checkpoint.CONFIG}: {error}") from None


def config_of(path: str | Path) -> AgentConfig:
    """The configuration of a checkpoint. Raises `CheckpointError`."""
    return _config_in(checkpoint.read_facts(Path(path))[0], path)


def agents() -> dict[str, Path]:
    """Names and files of the ready-made agents."""
    import neuroloop_agents

    folders = [Path(folder) for folder in neuroloop_agents.__path__]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def read_config(name: str | Path, overrides: Iterable[str] = (), env: str | None = None) -> tuple[str, AgentConfig]:
    """Name and configuration of a ready-made agent or of a TOML file. Raises `BadInput` with the closest match."""
    path, overrides = Path(name), arguments.overrides("overrides", overrides)
    if path.suffix == ".toml" or os.path.isfile(path):
        if not os.path.isfile(path):
            raise BadInput(f"{path}: no such file")
        return path.stem, config.read(path, overrides, env)
    known = agents()
    if str(name) not in known:
        raise BadInput(unknown("agent", str(name), known))
    return str(name), config.read(known[str(name)], overrides, env)


def load_agent(name: str | Path, env: Env | str | None = None, seed: int = 0, overrides: Iterable[str] = ()) -> Agent:
    """A ready-made agent, or the one of a TOML file, for `env`: an environment, an id, or the one that the file names.

    `overrides` are settings such as `"learner.gamma=0.98"`.
    """
    env_id = env if isinstance(env, str) else None
    agent_name, agent_config = read_config(name, overrides, env_id)
    return Agent(agent_config, None if isinstance(env, str) else env, seed, agent_name)


__all__ = ["Agent", "agents", "load_agent", "read_config"]
