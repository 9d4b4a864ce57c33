"""A Gymnasium environment as a plant: seeded episode by episode, each action held for `action_repeat` steps."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import math
import re
import zlib
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator

from ..errors import BadInput, PlantError, UnsupportedSpace, unknown
from ..settings import PlantConfig
from ..types import Outcome
from .eyes import arguments_of, with_eyes

REAL_TIME, AT_ONCE = "real_time", "at_once"  # names of what `RemoteEnv` and `Paced` say of time
OUR_WORLDS = "neuroloop_envs"  # imported when an id begins with neuroloop/


class Plant:
    """Owns a Gymnasium environment.

    Every episode is reset with a seed of its own, made from the plant's seed and the number of the episode, so that an
    episode can be run again without the ones before it.
    """

    def __init__(self, config: PlantConfig, env: gymnasium.Env[Any, Any] | None, seed: int) -> None:
        self.env = make_env(config) if env is None else with_eyes(env, config)
        if hasattr(self.env, "num_envs"):
            raise UnsupportedSpace("env: is a vector environment; load_agents takes it, with as many seeds")
        self.env_id = config.env if env is None else id_of(env)
        self.criterion = criterion_of(config, self.env.spec)
        self.repeat = config.action_repeat
        self.steps = 0  # environment steps of the episode, the one that failed included
        self._seed = seed
        self.owned = env is None  # then closed here

    def seed_of(self, episode: int) -> int:
        """The seed with which the environment begins an episode."""
        sequence = np.random.SeedSequence([self._seed, zlib.crc32(b"plant"), episode])
        return int(sequence.generate_state(1)[0] >> 1)

    def reset(self, episode: int) -> Any:
        """Begin an episode; returns its first observation."""
        return self.begin(self.seed_of(episode))

    def begin(self, seed: int) -> Any:
        """Begin an episode with a seed; returns its first observation."""
        self.steps = 0
        observation, _ = self.env.reset(seed=seed)
        return observation

    def exchange(self, action: Any) -> Outcome:
        """Hold `action` for as many steps as configured, or until the episode ends.

        Raises `PlantError` for a reward that is no finite number.
        """
        total, n_steps, ended = 0.0, 0, False
        while not ended and n_steps < self.repeat:
            self.steps += 1
            observation, reward, terminated, truncated, info = self.env.step(action)
            total, n_steps, ended = total + number(reward), n_steps + 1, terminated or truncated
        return Outcome(observation, total, bool(terminated), bool(truncated), n_steps, info)

    def replay(self, episode: int, actions: list[Any]) -> Any:
        """Bring an unfinished episode back by its actions; returns the last observation.

        Raises `PlantError` if the environment ends the episode meanwhile, which a deterministic one does not.
        """
        observation = self.reset(episode)
        with self._at_once() if actions else contextlib.nullcontext():
            for n, action in enumerate(actions):
                outcome = self.exchange(action)
                if outcome.lost:
                    return self.replay(episode, actions)
                observation = outcome.observation
                if outcome.ended:
                    raise self.ended_early(episode, n, len(actions))
        return observation

    @property
    def goes_on(self) -> bool:
        """Whether the world does not wait for us: it keeps its own time at the other end of a link."""
        return bool(self.env.has_wrapper_attr(REAL_TIME) and self.env.get_wrapper_attr(REAL_TIME))

    @property
    def keeps_time(self) -> bool:
        """Whether steps are due at times of their own, here or at the other end of a link."""
        return self.goes_on or self.env.has_wrapper_attr(AT_ONCE)

    def _at_once(self) -> contextlib.AbstractContextManager[None]:
        """While this lasts, an environment at its own speed does not wait."""
        paced = self.env.has_wrapper_attr(AT_ONCE)
        return self.env.get_wrapper_attr(AT_ONCE)() if paced else contextlib.nullcontext()

    def ended_early(self, episode: int, n: int, total: int) -> PlantError:
        """What to say of an episode that ended when it was replayed."""
        return PlantError(f"{self.env_id}: episode {episode} ended at action {n + 1} of {total} when replayed")

    def came_elsewhere(self, episode: int, total: int, how: str) -> PlantError:
        """What to say of an episode that was replayed and shows something else."""
        return PlantError(f"{self.env_id}: episode {episode}, after its {total} actions: what is seen differs, {how}")

    def close(self) -> None:
        """Close the environment if it is owned."""
        if self.owned:
            self.env.close()


def make_env(config: PlantConfig, *, shows: bool = False, **arguments: Any) -> gymnasium.Env[Any, Any]:
    """Make the environment of a configuration, behind its camera; one that `shows` is made to render, if it can. Raises
    `BadInput`."""
    return with_eyes(_made(config, arguments, shows), config)


def _made(config: PlantConfig, arguments: dict[str, Any], shows: bool) -> gymnasium.Env[Any, Any]:
    """The bare environment. Raises `BadInput` with the closest match for an unknown id."""
    if not config.env:
        raise BadInput("plant.env: is missing; name an environment with --env, such as --env CartPole-v1")
    _import_worlds(config.env)
    try:
        return gymnasium.make(config.env, **arguments_of(config, shows), **arguments)
    except gymnasium.error.DependencyNotInstalled as error:
        raise BadInput(f"{config.env}: {error}") from None
    except gymnasium.error.NamespaceNotFound as error:
        raise BadInput(f"{config.env}: {error}") from None
    except gymnasium.error.UnregisteredEnv:
        name = config.env.rpartition(":")[2]
        if not difflib.get_close_matches(name, gymnasium.registry, n=1, cutoff=0.5):
            raise BadInput(f"unknown environment {name!r}: `neuroloop envs` lists what is installed") from None
        raise BadInput(unknown("environment", name, gymnasium.registry)) from None
    except gymnasium.error.Error as error:
        raise BadInput(f"{config.env}: {error}") from None
    except ImportError as error:
        raise BadInput(f"{config.env}: {error}") from None
    except BadInput:
        raise
    except TypeError as error:
        raise BadInput(_refused(config, error)) from error
    except Exception as error:
        raise BadInput(f"{config.env}: could not be made: {type(error).__name__}: {error}") from error


def _refused(config: PlantConfig, error: TypeError) -> str:
    """What to say of arguments that an environment does not take."""
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if found is None or found[1] not in config.arguments:
        return f"plant.arguments: {config.env} does not take {config.arguments}: {error}"
    return f"plant.arguments.{found[1]}: " + unknown(f"argument of {config.env}", found[1], _taken(config.env))


def _taken(env_id: str) -> list[str]:
    """Names of the arguments that an environment takes."""
    entry = gymnasium.spec(env_id.rpartition(":")[2]).entry_point
    creator = load_env_creator(entry) if isinstance(entry, str) else entry
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return [name for name, one in inspect.signature(creator).parameters.items() if one.kind in named] if creator else []


def located(error: PlantError, plant: Plant, episode: str) -> PlantError:
    """An error that says where the environment made it, and what to do."""
    by = "step()" if plant.steps else "reset()"
    where = f"{plant.env_id}, {episode}, environment step {plant.steps}"
    return PlantError(f"{where}: {error}; correct it in the environment's {by}, or in a wrapper around it")


def step_time(env: gymnasium.Env[Any, Any]) -> float | None:
    """What an environment step lasts in the environment's own time, in s; None where it does not say so.

    Said by a `dt`, as MuJoCo's environments, Pendulum and Acrobot have it, or by a `tau` that agrees with the frame rate.
    A frame rate alone is only how fast it is shown.
    """
    with contextlib.suppress(Exception):
        bare, frames = env.unwrapped, env.metadata.get("render_fps") or 0.0
        dt, tau = float(getattr(bare, "dt", 0.0)), float(getattr(bare, "tau", 0.0))
        if 0.0 < dt < math.inf:
            return dt
        if tau > 0.0 and math.isclose(tau * frames, 1.0):
            return tau
    return None


def number(reward: Any) -> float:
    """A reward as a number. Raises `PlantError` for what is none, or not finite."""
    try:
        number = float(reward)
    except (TypeError, ValueError):
        raise PlantError(f"the reward is {reward!r}; rewards must be numbers") from None
    if not math.isfinite(number):
        raise PlantError(f"the reward is {number}; rewards must be finite")
    return number


def _import_worlds(env_id: str) -> None:
    if env_id.startswith("neuroloop/"):
        importlib.import_module(OUR_WORLDS)
    else:  # so that misspelt ids find ours too
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(OUR_WORLDS)


def id_of(env: gymnasium.Env[Any, Any]) -> str:
    """The id of an environment, or the name of its class."""
    return type(env.unwrapped).__name__ if env.spec is None else env.spec.id


def criterion_of(config: PlantConfig, spec: EnvSpec | None) -> float | None:
    """The mean return that counts as solved: the configuration's, or the environment's own."""
    if config.criterion is not None:
        return config.criterion
    return None if spec is None or spec.reward_threshold is None else float(spec.reward_threshold)
