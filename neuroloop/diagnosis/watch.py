"""Watches an agent learn: stands between loop and controller, and writes down what it reads after every decision."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..controller import Controller, SpikingController
from ..encoders.observation import Layout, layout_of
from ..errors import DivergedError, PlantError, UnsupportedSpace
from ..settings import RandomConfig, SpikingConfig
from .probe import NetworkProbe
from .record import GOES_ON, TERMINATED, TRUNCATED, Choice, Observed, Record
from .reference import STEPS, random_returns

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.lockstep import Callback, Progress
    from ..network.engine import State

Rows = dict[str, list[Any]]


class Watcher:
    """A controller that hands everything on, and notes what came and went.

    A reward arrives with the decision after the one that it answers, or with `finish`: so do TD error and neuromodulator.
    """

    def __init__(self, controller: Controller, layout: Layout | None, probe: NetworkProbe | None) -> None:
        self._controller, self._layout, self._probe = controller, layout, probe
        self.observations: list[NDArray[np.float64]] = []
        self.actions: list[Any] = []
        self.rewards: list[float] = []
        self.ended: list[int] = []

    @property
    def spikes(self) -> float:
        return self._controller.spikes

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        action = self._controller.act(observation, reward, first=first)
        if not first and self.actions:  # else the decision that it answers was not watched
            self._answer(reward, GOES_ON)
        if self._layout is not None:
            self.observations.append(np.array(self._layout.flatten(observation), np.float64))
        if self._probe is not None:
            self._probe.decision()
        self.actions.append(action)
        return action

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        self._controller.finish(observation, reward, terminated=terminated)
        self._answer(reward, TERMINATED if terminated else TRUNCATED)

    def _answer(self, reward: float, ended: int) -> None:
        if len(self.rewards) == len(self.actions):
            return
        self.rewards.append(reward)
        self.ended.append(ended)
        if self._probe is not None:
            self._probe.answer(hushed=ended == TRUNCATED)

    def abandon(self) -> None:
        self._controller.abandon()
        if len(self.actions) > len(self.rewards):  # never answered: no decision to learn from
            self.actions.pop()
            if self._layout is not None:
                self.observations.pop()
            if self._probe is not None:
                self._probe.forget()

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        return self._controller.predict(observation, state)

    def state(self) -> State:
        return self._controller.state()

    def views(self) -> State:
        return self._controller.views()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._controller.restore(state)


class Asked:
    """A callback, and what it answered: its own errors are no failures of the plant."""

    def __init__(self, callback: Callback | None) -> None:
        self._callback, self.stopped, self.failed = callback, False, False

    def __call__(self, progress: Progress) -> bool:
        try:
            self.stopped = self._callback is not None and self._callback(progress) is False
        except Exception:
            self.failed = True
            raise
        return not self.stopped


def watch(agent: Agent, steps: int, callback: Callback | None = None) -> Record:
    """Let the agent learn for `steps` more plant steps and return what was seen.

    Whatever fails but the callback ends the watch; the record says how. The agent has learned meanwhile. A watch that went
    on to its end is followed by a few episodes of a random policy, to compare with.
    """
    probe = NetworkProbe(agent.controller.network) if isinstance(agent.controller, SpikingController) else None
    layout, watchers, asked = _layout(agent), [], Asked(callback)
    begun = agent.progress.steps
    ended: dict[str, Any] = {"begun_before": agent.progress.episode_steps > 0}

    def by(controller: Controller) -> Controller:
        watchers.append(Watcher(controller, layout, probe))
        return watchers[-1]

    with agent.observed(by):
        try:
            agent.learn(steps, callback=asked)
        except Exception as error:
            if asked.failed:
                raise
            ended |= _failure(error)
    n_steps = agent.progress.steps - begun
    if asked.stopped:
        ended["stopped"] = True
    elif "failure" not in ended and not isinstance(agent.config, RandomConfig):
        ended["random"] = random_returns(agent, min(STEPS, n_steps))
    return _record(agent, watchers[0], layout, probe, n_steps, ended)


def _failure(error: Exception) -> dict[str, Any]:
    """Parts of the record that say what failed; of an error that is not ours with its class and place."""
    if isinstance(error, PlantError | DivergedError):
        return {"failure": str(error), "failed": "plant" if isinstance(error, PlantError) else "network"}
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}, line {frame.lineno}, in {frame.name}"
    return {"failure": f"{type(error).__name__}: {error} ({place})", "failed": "error"}


def _layout(agent: Agent) -> Layout | None:
    if isinstance(agent.controller, SpikingController):
        return agent.controller.layout if agent.controller.layout.size else None
    try:
        return layout_of(agent.env.observation_space)
    except UnsupportedSpace:  # of an agent that does not look at it
        return None


def _record(
    agent: Agent,
    seen: Watcher,
    layout: Layout | None,
    probe: NetworkProbe | None,
    n_steps: int,
    ended_by: dict[str, Any],
) -> Record:
    """What was seen of the decisions that were answered."""
    n, config = len(seen.rewards), agent.config
    reward, ended = np.array(seen.rewards, np.float64), np.array(seen.ended, np.int8)
    mean, criterion = agent.progress.mean_return, agent.progress.criterion
    solved = mean is not None and criterion is not None and mean >= criterion
    common: dict[str, Any] = {
        "agent": agent.name, "env": agent.env_id, "seed": agent.seed, "action_repeat": config.plant.action_repeat,
        "n_plant_steps": n_steps, "reward": reward, "ended": ended, "solved": solved, "criterion": criterion,
        "settings": _flat(msgspec.to_builtins(config)), **ended_by,
    }  # fmt: skip
    observed = None
    if layout is not None:
        values = np.array(seen.observations[:n], np.float64).reshape(n, layout.size)
        ranges = {} if probe is None else probe.ranges(config)
        observed = Observed(names=layout.names, discrete=layout.levels > 0, values=values, **ranges)
    if probe is None or not isinstance(config, SpikingConfig):
        choices = _choices(agent.env.action_space, seen.actions[:n])
        kind = type(config).__name__.removesuffix("Config").lower()
        return Record(**common, kind=kind, paid=reward, awake=np.ones(n, np.bool_), observed=observed, choices=choices)
    paid = config.reward.scale * reward + config.reward.on_termination * (ended == TERMINATED)
    return Record(**common, kind="spiking", paid=paid, observed=observed, **probe.parts(config, n))


def _flat(tables: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Settings by path: `{"decoder": {"noise": 0.3}}` becomes `{"decoder.noise": 0.3}`."""
    flat: dict[str, Any] = {}
    for name, value in tables.items():
        flat |= _flat(value, f"{path}{name}.") if isinstance(value, dict) else {path + name: value}
    return flat


def _choices(space: Any, actions: list[Any]) -> tuple[Choice, ...]:
    """Discrete actions of an agent that has no selections."""
    import gymnasium

    if not isinstance(space, gymnasium.spaces.Discrete):
        return ()
    chosen = np.array([int(action) - int(space.start) for action in actions], np.int64)
    return (Choice(name="0", groups=int(space.n), chosen=chosen),)
