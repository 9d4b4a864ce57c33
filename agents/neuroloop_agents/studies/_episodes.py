"""Episodes as studies see them: who acts, step by step, and what the world says of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import gymnasium

from neuroloop import Agent

Env = gymnasium.Env[Any, Any]
Info = dict[str, Any]
Act = Callable[[Any], Any]  # an observation, to an action
Note = TypeVar("Note")


class Step(NamedTuple):
    """What a control step brought."""

    reward: float
    terminated: bool
    info: Info


def episode(env: Env, act: Act, seed: int, options: Info | None = None) -> Iterator[Step]:
    """Every step of an episode."""
    observation, _ = env.reset(seed=seed, options=options)
    over = False
    while not over:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        yield Step(float(reward), terminated, info)
        over = terminated or truncated


def frozen(agent: Agent) -> Act:
    """An agent that neither learns nor explores, for one episode."""
    state, held, steps = None, None, itertools.count()

    def act(observation: Any) -> Any:
        nonlocal state, held
        if next(steps) % agent.config.plant.action_repeat == 0:
            held, state = agent.predict(observation, state)
        return held

    return act


class Noted(gymnasium.Wrapper[Any, Any, Any, Any], Generic[Note]):
    """Notes something of every step's info; `ended` are the notes of every episode that came to its end."""

    def __init__(self, env: Env, note: Callable[[Info], Note]) -> None:
        super().__init__(env)
        self.ended: list[list[Note]] = []
        self._note, self._now = note, list[Note]()

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Begin another episode; one that did not end is forgotten."""
        self._now = []
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, Info]:
        """One step, noted."""
        result = self.env.step(action)
        self._now.append(self._note(result[4]))
        if result[2] or result[3]:
            self.ended.append(self._now)
            self._now = []
        return result
