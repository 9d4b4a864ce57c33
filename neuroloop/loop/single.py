"""The single environments that a vector environment is made of, for what an agent does alone: made when first needed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorWrapper

from ..errors import BadInput

Env = gymnasium.Env[Any, Any]
FOR_VECTORS = ("num_envs", "vectorization_mode", "vector_kwargs", "wrappers")  # arguments of `make_vec` only


class Later(gymnasium.Env[Any, Any]):
    """An environment that is made at its first use; until then, its spaces and its specification are known."""

    def __init__(self, make: Callable[[], Env], vector: Any, spec: EnvSpec) -> None:
        self._make, self.spec = make, spec
        self.observation_space, self.action_space = vector.single_observation_space, vector.single_action_space

    @functools.cached_property
    def made(self) -> Env:
        """The environment itself."""
        return self._make()

    @property
    def unwrapped(self) -> Env:
        return self.made.unwrapped

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self.made.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        return self.made.step(action)

    def render(self) -> Any:
        return self.made.render()

    def close(self) -> None:
        if "made" in self.__dict__:
            self.made.close()


def singles_of(vector: gymnasium.vector.VectorEnv[Any, Any, Any]) -> list[Env]:
    """An environment like each of those in a vector environment. Raises `BadInput` where they are not known."""
    if isinstance(vector, SyncVectorEnv | AsyncVectorEnv):
        specs = vector.get_attr("spec")
        pairs = zip(vector.env_fns, specs, strict=True)
        return [make() if spec is None else Later(make, vector, spec) for make, spec in pairs]
    if isinstance(vector, VectorWrapper) or vector.spec is None:
        raise BadInput(
            f"env: of {vector} it is not known how one of its environments is made by itself; make the agents with "
            "environments of their own: VectorAgent([Agent(config, env, seed), …], vector_env)"
        )
    spec = vector.spec
    arguments = {name: value for name, value in spec.kwargs.items() if name not in FOR_VECTORS}
    make = functools.partial(gymnasium.make, spec.id, **arguments)
    return [Later(make, vector, spec) for _ in range(vector.num_envs)]
