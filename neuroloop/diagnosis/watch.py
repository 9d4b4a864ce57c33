"""Watches an agent learn: stands between loop and controller, and writes down what it reads after every decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..controller import Controller, SpikingController
from ..encoders.observation import Layout, layout_of
from ..errors import DivergedError, PlantError, UnsupportedSpace
from ..settings import SpikingConfig
from .probe import NetworkProbe
from .record import GOES_ON, TERMINATED, TRUNCATED, Choice, Observed, Record

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.lockstep import Callback
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

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._controller.restore(state)


def watch(agent: Agent, steps: int, callback: Callback | None = None) -> Record:
    """Let the agent learn for `steps` more plant steps and return what was seen.

    A plant or a network that fails ends the watch; the record says how. The agent has learned meanwhile.
    """
    probe = NetworkProbe(agent.controller.network) if isinstance(agent.controller, SpikingController) else None
    layout, watchers, failure = _layout(agent), [], ""
    begun = agent.progress.steps

    def by(controller: Controller) -> Controller:
        watchers.append(Watcher(controller, layout, probe))
        return watchers[-1]

    with agent.observed(by):
        try:
            agent.learn(steps, callback=callback)
        except (PlantError, DivergedError) as error:
            failure = str(error)
    return _record(agent, watchers[0], layout, probe, agent.progress.steps - begun, failure)


def _layout(agent: Agent) -> Layout | None:
    try:
        return layout_of(agent.env.observation_space)
    except UnsupportedSpace:  # of an agent that does not look at it
        return None


def _record(
    agent: Agent, seen: Watcher, layout: Layout | None, probe: NetworkProbe | None, n_steps: int, failure: str
) -> Record:
    """What was seen of the decisions that were answered."""
    n, config = len(seen.rewards), agent.config
    reward, ended = np.array(seen.rewards, np.float64), np.array(seen.ended, np.int8)
    mean, criterion = agent.progress.mean_return, agent.progress.criterion
    solved = mean is not None and criterion is not None and mean >= criterion
    common: dict[str, Any] = {
        "agent": agent.name, "env": agent.env_id, "seed": agent.seed, "action_repeat": config.plant.action_repeat,
        "n_plant_steps": n_steps, "reward": reward, "ended": ended, "failure": failure, "solved": solved,
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


def _choices(space: Any, actions: list[Any]) -> tuple[Choice, ...]:
    """Discrete actions of an agent that has no selections."""
    import gymnasium

    if not isinstance(space, gymnasium.spaces.Discrete):
        return ()
    chosen = np.array([int(action) - int(space.start) for action in actions], np.int64)
    return (Choice(name="0", groups=int(space.n), chosen=chosen),)
