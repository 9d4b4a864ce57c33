"""What stands between an observation and an action: encoder, network, learner and decoder as one object."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .assembly import assemble, clock_of, readings_for
from .decoders.catalogue import code_for
from .decoders.decoded import Decoded
from .encoders.normaliser import OBSERVATION
from .encoders.observation import Layout
from .encoders.senses import Senses
from .errors import BadInput, CheckpointError, DivergedError, PlantError
from .graph import Mode
from .network.engine import Engine, State
from .settings import AgentConfig, LinearConfig, RandomConfig, SpikingConfig
from .walk import MOST

PATIENCE = 4  # times the length of a warm-up that a whole episode is waited for


class Controller(Protocol):
    """Decides, and learns from what came of it. See `neuroloop.learning` for what a reward pays for."""

    @property
    def spikes(self) -> float:
        """Spikes fired so far."""

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        """The action for `observation`; learns from the `reward` that answered the action before.

        `first` says that an episode begins; `reward` is not used then.
        """

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        """Learn from the last reward of an episode that terminated, or was cut off at `observation`."""

    def abandon(self) -> None:
        """An episode broke off: its last action will never be answered. Traces end, nothing is learned."""

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        """The action without learning or exploring, and the transient state after it; `state` None begins an episode."""

    def state(self) -> State:
        """A copy of everything that `act` and `finish` change, as arrays."""

    def views(self) -> State:
        """What `state` copies, where possible not copied: good until the next decision."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit."""


def make_controller(
    config: AgentConfig, observation_space: Space[Any], action_space: Space[Any], seed: int
) -> Controller:
    """The controller of an agent for a plant's spaces."""
    if isinstance(config, RandomConfig):
        return RandomController(action_space, seed)
    return SpikingController(config, observation_space, action_space, seed)


class SpikingController:
    """A network that the configuration describes; `linear` agents are one without spikes."""

    def __init__(
        self, config: SpikingConfig | LinearConfig, observation_space: Space[Any], action_space: Space[Any], seed: int
    ) -> None:
        self._code = code_for(config.decoder, action_space)
        readings = readings_for(config, observation_space, self._code)
        self._senses = Senses(config.encoder, observation_space, clock_of(config), seed, readings)
        self._reward = config.reward
        self._warm_up = config.warm_up.decisions
        self.network: Engine = assemble(config, self._senses, self._code, seed)
        self._senses.hosts.attach(self.network)
        self.hosts = len(self._senses.hosts)  # how many encoders in Python there are
        self._raw = self.network.view(OBSERVATION)
        self._decoded = Decoded(self._code, self.network)

    @property
    def spikes(self) -> float:
        return self.network.signal("spikes")

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        self._sense(observation, first)
        mode, fresh = self.mode(first)
        paid = 0.0 if first else self.paid(reward)
        self.network.run(mode, reward=paid, first=first, fresh=fresh)
        if not math.isfinite(self.network.signal("td_error")):
            raise diverged()
        return self.action()

    def mode(self, first: bool) -> tuple[Mode, bool]:
        """What the next control step is for, and whether the network starts from rest."""
        if self.awake:
            return Mode.ACT, first
        signal, wanted = self.network.signal, self._warm_up
        decisions = signal("return.count") + (not first)
        seen = signal("success.episodes") > 0 or (first and decisions > 0) or decisions >= PATIENCE * wanted
        return (Mode.ACT if decisions >= wanted and seen else Mode.WARM_UP), True

    @property
    def awake(self) -> bool:
        """Whether learning began: the warm-up is over."""
        return self.network.signal("awake") != 0.0

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        if terminated:
            mode = Mode.TERMINATE if self.awake else Mode.CLOSE_WARM_UP
            self.network.run(mode, reward=self.paid(reward, terminated=True), ended=True)
        else:
            self.act(observation, reward, first=False)
            self.abandon()

    def abandon(self) -> None:
        if self.awake:
            self.network.run(Mode.CLOSE, ended=True)

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        if state is not None and not self.network.fits(state):
            raise BadInput("predict: `state` must be what an earlier call of this agent returned, or None")
        first = state is None
        with self.network.visiting(state), self._senses.hosts.visiting(state):
            self._sense(observation, first)
            self.network.run(Mode.LOOK, first=first, fresh=first)
            return self.action(), self.network.transient() | self._senses.hosts.state()

    def state(self) -> State:
        return self.network.state() | self._senses.hosts.state()

    def views(self) -> State:
        return self.network.views() | self._senses.hosts.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        with self._senses.hosts.restoring(state):
            self.network.restore(state)

    @property
    def layout(self) -> Layout:
        """How the observation lies in the vector that `flat` makes of it."""
        return self._senses.layout

    def _sense(self, observation: Any, first: bool) -> None:
        """Hand the observation to the network."""
        flat = self.flat(observation)
        if not np.abs(flat).sum() < MOST:
            self.check_finite(flat)
        self._raw[:] = flat
        if self.hosts:
            self.play(observation, first=first)

    def play(self, observation: Any, *, first: bool) -> None:
        """Have encoders in Python hand their spikes for the next control step to the network."""
        self._senses.hosts.encode(observation, self.network.tick, first=first)

    def flat(self, observation: Any) -> NDArray[np.float64]:
        """The observation as numbers. Raises `PlantError` for what is no observation of this plant."""
        return self._senses.flat(observation)

    def check_finite(self, flat: NDArray[np.float64]) -> None:
        """Raise `PlantError` with the name of a dimension that is not finite, or beyond all measure."""
        self._senses.check_finite(flat)

    def paid(self, reward: float, *, terminated: bool = False) -> float:
        """What the learner is paid for a reward of the plant."""
        paid = self._reward.scale * reward + (self._reward.on_termination if terminated else 0.0)
        if not abs(paid) < MOST:
            raise PlantError(f"the reward is {reward}; rewards must be finite")
        return paid

    def action(self) -> Any:
        """What was decided in the latest control step."""
        return self._decoded()


def diverged() -> DivergedError:
    """What to say of a TD error that is not finite."""
    return DivergedError("the TD error is no longer finite; smaller gains, or a fixed value range, may help")


class RandomController:
    """Draws actions uniformly from the action space. Learns nothing."""

    def __init__(self, action_space: Space[Any], seed: int) -> None:
        self._space, self._seed, self._n = copy.deepcopy(action_space), seed, 0  # the user's own keeps its seed

    spikes = 0.0

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        self._n += 1
        return self._draw(0, self._n)

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        pass

    def abandon(self) -> None:
        pass

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        n = 1 if state is None else int(state["n"][0]) + 1
        return self._draw(1, n), {"n": np.array([n])}

    def _draw(self, stream: int, n: int) -> Any:
        self._space.seed(int(np.random.SeedSequence([self._seed, stream, n]).generate_state(1)[0]))
        return self._space.sample()

    def state(self) -> State:
        return {"n": np.array([self._n])}

    def views(self) -> State:
        return self.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        if "n" not in state or state["n"].shape != (1,) or state["n"].dtype.kind != "i" or state["n"][0] < 0:
            raise CheckpointError("controller: array 'n' should be one number")
        self._n = int(state["n"][0])
