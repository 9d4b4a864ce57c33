"""What a checkpoint holds of a run's progress: its numbers, and the actions of the unfinished episode as one array."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .checkpoint import Checkpoint, require, require_count
from .errors import CheckpointError
from .loop.lockstep import Progress


class Packed:
    """Packs actions of a space; of an episode that goes on, only those that came since the last time."""

    def __init__(self, space: Space[Any]) -> None:
        self._space = space
        self._list: list[Any] = []
        self._array: NDArray[Any] | None = None

    def of(self, actions: list[Any]) -> NDArray[Any]:
        """Actions as an array, those of a Tuple or Dict space flattened."""
        if actions is not self._list or self._array is None or len(self._array) > len(actions):
            self._list, self._array = actions, None
        known = 0 if self._array is None else len(self._array)
        if known < len(actions):
            new = np.array([self._flat(action) for action in actions[known:]])
            self._array = new if self._array is None else np.concatenate([self._array, new])
        assert self._array is not None
        return self._array  # grows by making a new one

    def actions(self, array: NDArray[Any] | None) -> list[Any]:
        """The actions of an array; none for None. Raises `CheckpointError` where they do not fit the space."""
        if array is None:
            return []
        space = self._space
        try:
            if space.shape is None:
                actions = [gymnasium.spaces.unflatten(space, action) for action in array]
            elif isinstance(space, gymnasium.spaces.Discrete):
                actions = [int(action) for action in array]
            else:
                actions = list(array)
            fits = all(space.contains(action) for action in actions)
        except (ValueError, TypeError, IndexError, OverflowError):
            fits = False
        if not fits:
            raise CheckpointError("array 'actions' does not fit the action space")
        return actions

    def _flat(self, action: Any) -> Any:
        return gymnasium.spaces.flatten(self._space, action) if self._space.shape is None else action


def progress_of(saved: Checkpoint, criterion: float | None) -> Progress:
    """The progress that a checkpoint holds, but for the actions. Raises `CheckpointError`."""
    facts, arrays, progress = saved.facts, saved.arrays, Progress(criterion)
    progress.steps, progress.ticks = require_count(facts, "steps"), require_count(facts, "ticks")
    if facts.get("solved_at_step") is not None:
        progress.solved_at_step = require_count(facts, "solved_at_step")
    for name, kind in (("returns", np.float64), ("lengths", np.int64)):
        if name not in arrays or arrays[name].ndim != 1 or arrays[name].dtype != kind:
            raise CheckpointError(f"array {name!r} is missing or has the wrong shape or type")
    if arrays["returns"].size != arrays["lengths"].size or not np.isfinite(arrays["returns"]).all():
        raise CheckpointError("array 'returns' must be finite and have one number for each of 'lengths'")
    progress.returns, progress.lengths = arrays["returns"].tolist(), arrays["lengths"].tolist()
    progress.reward = require(facts, "reward", (int, float))
    progress.episode_return = require(facts, "episode_return", (int, float))
    progress.episode_steps = require_count(facts, "episode_steps")
    return progress
