"""Several loops in one vector environment. Gymnasium's differ in who resets an environment whose episode ended:

NEXT_STEP   the environment, at the next step. That step's action is ignored: it is neither learned from nor counted.
SAME_STEP   the environment, at once. The last observation comes in `info["final_obs"]`.
DISABLED    we do, by `reset(seed=…, options={"reset_mask": …})`, so that every episode has a seed of its own.

An episode that nobody seeds cannot be run again. In the first two modes only the first episode of a run is seeded, and what
is unfinished when a run ends is broken off.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import Space, spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate

from ..errors import BadInput, PlantError
from ..types import LINK, Outcome
from .lockstep import Lockstep, Progress
from .plant import number

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]
Answers = list[tuple[int, Outcome | PlantError]]


class InVector:
    """The plants of several loops are the environments of a vector environment."""

    def __init__(self, env: VectorEnv, loops: Sequence[Lockstep]) -> None:
        self._env: Any = env  # its annotations know of one seed only
        self._loops, self._mode = loops, _mode_of(env)
        self._seeds_each = isinstance(env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
        _check(env, loops, self._mode, self._seeds_each)
        n, space = len(loops), copy.deepcopy(env.single_action_space)
        space.seed(0)
        self._actions = [space.sample()] * n  # an environment whose loop rests gets its last one
        self._observations: list[Any] = [None] * n
        self._due = [False] * n  # an episode ended, the environment is to be reset
        self._held = [0] * n  # steps that an action was held for; its rewards
        self._rewards = [0.0] * n
        self._waits = [False] * n  # an action waits for its answer
        self._stands: list[tuple[int, int] | None] = [None] * n  # the episode and action at which an environment is

    @property
    def holding(self) -> bool:
        """Whether an action waits for its answer."""
        return any(self._waits)

    def begin(self, who: Sequence[int]) -> None:
        """A run of the loops `who` begins."""
        self._waits = [False] * len(self._waits)
        if self._mode is AutoresetMode.DISABLED:
            if any(self._stands[b] != _place(self._loops[b].progress) for b in who):
                self._bring_back(who)
            return
        self._break_off(who)
        if any(self._due):  # Gymnasium's workers without shared memory would do it even after our reset
            self._step()
        seeds = [loop.plant.seed_of(loop.progress.episode) for loop in self._loops]
        self._observe(self._env.reset(seed=seeds if self._seeds_each else seeds[0])[0])
        self._due = [False] * len(seeds)

    def prepare(self) -> None:
        """A turn begins."""
        if self._mode is AutoresetMode.DISABLED:
            self._reset_due()

    def enter(self, b: int) -> bool:
        """Whether loop `b` is to decide now; then its observation is there, and its episode has begun."""
        if self._due[b] or self._waits[b]:
            return False
        self._loops[b].observation = self._observations[b]
        return True

    def exchange(self, actions: Mapping[int, Any]) -> Answers:
        """Apply actions; what came of them, or of earlier ones that were held until now."""
        for b, action in actions.items():
            self._actions[b], self._waits[b], self._held[b], self._rewards[b] = action, True, 0, 0.0
        answers: Answers = []
        rewards, terminated, truncated, info = self._step()
        for b in range(len(self._loops)):
            if self._due[b]:  # this step was the reset
                self._due[b] = False
                continue
            ended = terminated[b] or truncated[b]
            self._due[b] = ended and self._mode is not AutoresetMode.SAME_STEP
            if not self._waits[b]:
                continue
            try:
                self._rewards[b] += number(rewards[b])
            except PlantError as error:
                self._waits[b] = False
                answers.append((b, error))
                continue
            self._held[b] += 1
            if ended or self._held[b] == self._loops[b].plant.repeat:
                self._waits[b], (episode, done) = False, _place(self._loops[b].progress)
                self._stands[b] = (episode + 1, 0) if ended else (episode, done + 1)
                seen = self._observations[b]
                if ended and self._mode is AutoresetMode.SAME_STEP:
                    seen = _final(self._env.single_observation_space, info["final_obs"], b)
                outcome = Outcome(seen, self._rewards[b], terminated[b], truncated[b], self._held[b], _link(info, b))
                answers.append((b, outcome))
        return answers

    def end(self) -> None:
        """The run ended."""
        for loop in self._loops:
            loop.leave()  # its own plant is elsewhere
        if self._mode is not AutoresetMode.DISABLED:
            self._break_off(range(len(self._loops)))

    def _break_off(self, who: Sequence[int]) -> None:
        """Unfinished episodes cannot be brought back here."""
        for b in who:
            if self._loops[b].progress.actions:
                self._loops[b].abandon()

    def _bring_back(self, who: Sequence[int]) -> None:
        """Run unfinished episodes again, so that all come to where they were left at once. What is not there begins anew."""
        past = [loop.progress if b in who else Progress(None) for b, loop in enumerate(self._loops)]
        held = [loop.plant.repeat for loop in self._loops]
        longest = max(len(one.actions) * times for one, times in zip(past, held, strict=True))
        self._due = [True] * len(past)
        for step in range(longest + 1):
            begun = [step - longest + len(one.actions) * times for one, times in zip(past, held, strict=True)]
            self._due = [due or steps == 0 for due, steps in zip(self._due, begun, strict=True)]
            self._reset_due()
            if step == longest:
                break
            done = {b: steps // held[b] for b, steps in enumerate(begun) if steps >= 0}
            for b, n in done.items():
                self._actions[b] = past[b].actions[n]
            _, terminated, truncated, _ = self._step()
            self._due = [a or b for a, b in zip(terminated, truncated, strict=True)]
            for b, n in done.items():
                if self._due[b]:
                    loop = self._loops[b]
                    why = loop.plant.ended_early(past[b].episode, n, len(past[b].actions))
                    loop.begin_anew(f"{why}: the environment is not deterministic")
        self._stands = [_place(one) for one in past]

    def _reset_due(self) -> None:
        """Begin an episode wherever one is due, with the seed that it would have alone."""
        if any(self._due):
            loops = zip(self._due, self._loops, strict=True)
            seeds = [loop.plant.seed_of(loop.progress.episode) if due else None for due, loop in loops]
            self._observe(self._env.reset(seed=seeds, options={"reset_mask": np.array(self._due)})[0])
            fresh = [(loop.progress.episode, 0) for loop in self._loops]
            self._stands = [new if due else old for due, new, old in zip(self._due, fresh, self._stands, strict=True)]
            self._due = [False] * len(seeds)

    def _step(self) -> tuple[list[float], list[bool], list[bool], dict[str, Any]]:
        space = self._env.single_action_space
        room: Any = create_empty_array(space, len(self._loops))
        self._stands = [None] * len(self._loops)  # also where the step fails
        observations, *answer, info = self._env.step(concatenate(space, self._actions, room))
        self._observe(observations)
        rewards, terminated, truncated = (np.asarray(one).tolist() for one in answer)
        return rewards, terminated, truncated, info

    def _observe(self, observations: Any) -> None:
        self._observations = list(iterate(self._env.observation_space, observations))


def _place(progress: Progress) -> tuple[int, int]:
    return progress.episode, len(progress.actions)


def _link(info: Mapping[str, Any], b: int) -> dict[str, Any]:
    """Whether the plant of one environment was lost: the info of all is a dictionary of arrays."""
    facts = info.get("final_info", info).get(LINK)
    lost = facts.get("lost") if isinstance(facts, Mapping) else None
    return {LINK: {"lost": bool(lost[b])}} if isinstance(lost, np.ndarray) else {}


def _final(space: Space[Any], observations: Any, b: int) -> Any:
    """The last observation of an episode; those of a Dict space come as a dictionary of arrays."""
    if isinstance(space, spaces.Dict):
        return {key: _final(part, observations[key], b) for key, part in space.spaces.items()}
    return observations[b]


def _mode_of(env: VectorEnv) -> AutoresetMode:
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise BadInput(
            f"env: does not say who resets: metadata['autoreset_mode'] must be an AutoresetMode, is {mode!r}"
        )
    return mode


def _check(env: VectorEnv, loops: Sequence[Lockstep], mode: AutoresetMode, seeds_each: bool) -> None:
    if env.num_envs != len(loops):
        raise BadInput(f"env: has {env.num_envs} environments, needs one for each of {len(loops)} agents")
    if mode is AutoresetMode.DISABLED and not seeds_each:
        raise BadInput("env: without autoreset, only a SyncVectorEnv or an AsyncVectorEnv can be reset one by one")
    for name in ("observation_space", "action_space"):
        theirs = getattr(env, f"single_{name}")
        for loop in loops:
            if (ours := getattr(loop.plant.env, name)) != theirs:
                raise BadInput(f"env: its {name} is {theirs}, the agents were made for {ours}")
