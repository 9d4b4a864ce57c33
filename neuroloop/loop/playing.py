"""Whole episodes without learning or exploring: what an agent is scored by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..controller import Controller
from ..errors import PlantError
from .lockstep import paced
from .plant import Plant, located

LONGEST = 100_000  # environment steps of an episode, unless the environment's own limit is larger


class Played:
    """What an evaluation has done so far."""

    def __init__(self) -> None:
        self.returns: list[float] = []  # native, of finished episodes
        self.steps = 0  # environment steps of all episodes


Watching = Callable[[Played], Any]


def play(
    plant: Plant,
    controller: Controller,
    seeds: Iterable[int],
    longest: int | None = None,
    callback: Watching | None = None,
) -> NDArray[np.float64]:
    """Returns of an episode for each of `seeds`, shape (episodes,).

    `callback` is called about ten times a second, between decisions; where it returns False, the rest is left out. Raises
    `PlantError` for an episode that does not end within `longest` environment steps.
    """
    limit, played = longest or _longest_of(plant), Played()
    go_on = paced(callback, played)
    for seed in seeds:
        observation, state, total, ended = plant.begin(seed), None, 0.0, False
        while not ended:
            try:
                action, state = controller.predict(observation, state)
                outcome = plant.exchange(action)
            except PlantError as error:
                raise located(error, plant, f"evaluation episode {len(played.returns)}") from None
            if outcome.lost:
                observation, state, total = plant.begin(seed), None, 0.0
                continue
            observation, ended, total = outcome.observation, outcome.ended, total + outcome.reward
            played.steps += outcome.n_steps
            if ended:
                played.returns.append(total)
            elif plant.steps >= limit:
                raise _endless(plant, len(played.returns))
            if not go_on():
                return np.array(played.returns, np.float64)
    return np.array(played.returns, np.float64)


def _longest_of(plant: Plant) -> int:
    spec = plant.env.spec
    return max(LONGEST, (spec and spec.max_episode_steps) or 0)


def _endless(plant: Plant, episode: int) -> PlantError:
    return PlantError(
        f"{plant.env_id}: evaluation episode {episode} did not end within {plant.steps} environment steps; give the "
        "environment a time limit (gymnasium.wrappers.TimeLimit, or max_episode_steps where it is made or registered), "
        "or allow longer episodes (longest=…, --longest)"
    )
